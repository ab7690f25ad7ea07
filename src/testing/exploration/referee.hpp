#pragma once

#include <set>
#include <string>
#include <vector>

#include "zkrecipes/testing/exploration.hpp"

namespace zkr::testing {

/// The promises, as rules about what a run reports. Knows nothing of simulations and recipes.
class referee {
 public:
  explicit referee(regime where) : where_(where) {}

  /// An acquisition, a release or a write begins. @return its number.
  std::size_t began();
  /// It ends.
  void answered(std::size_t task);
  /// The process of a task is dead: no answer is owed.
  void forgive(std::size_t task) { calls_[task].owed = false; }

  /// An acquisition handed out a grant.
  void given(std::size_t task, std::int64_t token, bool held);
  /// As many grants are held at this moment. @return true where that is one more beside another than before.
  bool held_now(std::size_t count);
  /// A grant that had ended is looked at.
  void ended_grant(std::int64_t token, bool held);
  /// A resource is written to outside of the server by somebody who has just found held() true.
  void used(std::int64_t token);
  /// The server lost everything: tokens begin anew.
  void wiped();
  /// The tokens of the guarded writes that the server has applied, in its order.
  void landed(const std::vector<std::int64_t>& tokens);
  /// All are closed: nothing is owed any more.
  void finished();

  void broken(std::string_view invariant, std::string text) {
    if (!first_) first_ = violation{invariant, std::move(text)};
  }
  [[nodiscard]] const std::optional<violation>& violated() const noexcept { return first_; }

 private:
  struct call {
    bool owed = true;
    std::size_t answers = 0;
    std::int64_t floor = 0;  ///< The largest token handed out before it began.
    std::size_t world = 0;   ///< Times that the server had been wiped.
  };

  const regime where_;
  std::vector<call> calls_;
  std::set<std::int64_t> tokens_;
  std::int64_t largest_used_ = 0;
  std::size_t world_ = 0;
  std::size_t held_ = 0;
  std::optional<violation> first_;
};

}  // namespace zkr::testing
