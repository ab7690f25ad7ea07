#pragma once

#include <deque>
#include <string>

#include "server/member_view.hpp"

namespace zkr::backend {

/// A fault: a member of an ensemble that is behind. It gets every transaction, and applies none before it is told to.
class lagging_member {
 public:
  /// Begins with all that `leader` holds.
  explicit lagging_member(const database& leader);
  lagging_member(const lagging_member&) = delete;
  lagging_member& operator=(const lagging_member&) = delete;

  void append(const transaction& what);
  /// Applies what was appended up to now. `changes_of(zxid)` gives the sink for each transaction's changes.
  template <typename ChangesOf>
  void catch_up(ChangesOf changes_of) {
    for (; !missed_.empty(); missed_.pop_front()) {
      const transaction what = decoded(missed_.front());
      auto changes = changes_of(what.header.zxid);
      state_.apply(what, changes);
    }
  }

  [[nodiscard]] member_view& seen() noexcept { return seen_; }
  [[nodiscard]] const watches& watched() const noexcept { return watched_; }

 private:
  [[nodiscard]] static transaction decoded(const std::string& payload);

  database state_;
  watches watched_;
  member_view seen_{state_, watched_};
  std::deque<std::string> missed_;  ///< As a log has them: they own what they are made of.
};

}  // namespace zkr::backend
