#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "server/fault_rules.hpp"

namespace zkr::backend {

/// The table of rules where tests and the server meet: the ones add and wait, the other asks.
///
/// @par Threads  any. Nothing is called while the lock is held.
class fault_board {
 public:
  fault_id add(const fault_rule& rule);
  bool remove(fault_id which);
  void clear();
  [[nodiscard]] std::vector<fault_report> report() const;
  /// @return whether the rule has fired that often by then.
  [[nodiscard]] bool wait(fault_id which, std::uint64_t times, std::chrono::milliseconds within) const;

  /// False where there are no rules: then nothing need be asked, and requests need not be looked into.
  [[nodiscard]] bool active() const noexcept { return active_.load(std::memory_order_acquire); }
  [[nodiscard]] std::optional<fault_rules::decision> match(const fault_subject& what);
  void done(fault_id which);

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::atomic<bool> active_ = false;
  fault_rules rules_;  // guarded by mutex_
};

}  // namespace zkr::backend
