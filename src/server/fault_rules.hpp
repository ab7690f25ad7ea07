#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "zkrecipes/clock.hpp"
#include "zkrecipes/faults.hpp"

namespace zkr::backend {

/// One thing that happens, as rules see it.
struct fault_subject {
  fault_point at = fault_point::any_request;  ///< `any_request`: one that has no name of its own.
  std::int64_t session_id = 0;
  std::vector<std::string_view> paths = {};
};

/// The table of fault rules: which of them takes what happens. Pure: no clock, no I/O, not synchronised.
class fault_rules {
 public:
  struct decision {
    fault_id id = 0;
    fault_action action = fault_action::drop_reply;
    duration delay{};
  };

  /// What is wrong with a rule; null: nothing.
  [[nodiscard]] static const char* complaint(const fault_rule& about);

  /// Takes a rule without complaints.
  fault_id add(const fault_rule& rule);
  bool remove(fault_id which);
  void clear() { entries_.clear(); }

  /// Counts what happens with each rule that fits, and gives the first that is due. Say `done` when it was carried out.
  [[nodiscard]] std::optional<decision> match(const fault_subject& what);
  void done(fault_id which);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::vector<fault_report> report() const;
  /// How often a rule has fired; nothing where there is none.
  [[nodiscard]] std::optional<std::uint64_t> fired(fault_id which) const;

 private:
  struct entry {
    fault_report counted;
    std::uint64_t begun = 0;  ///< Fired, or about to.
  };

  std::vector<entry> entries_;
  fault_id last_ = 0;
};

}  // namespace zkr::backend
