#pragma once

#include "core/timer_queue.hpp"

namespace zkr::detail {

/// The scheduler of simulations: time stands still while work runs, and jumps to the next piece of work after it. One
/// thread only.
class virtual_scheduler final : public scheduler {
 public:
  explicit virtual_scheduler(time_point start = time_point(std::chrono::hours(1))) : now_(start) {}

  [[nodiscard]] time_point now() const noexcept override { return now_; }
  timer schedule(time_point at, unique_function<void()> work) override {
    return queue_.add(std::max(at, now_), std::move(work));
  }
  bool cancel(timer which) noexcept override { return static_cast<bool>(queue_.take(which)); }
  /// What cancel() does, too late: as if the timer had gone off just before, it runs, and takes `delay` to begin.
  void cancel_late(timer which, duration delay) {
    if (auto work = queue_.take(which)) queue_.add(now_ + delay, std::move(work));
  }
  void post(unique_function<void()> work) override { queue_.add(now_, std::move(work)); }

  /// Runs the next piece of work that is due until `limit`, moving time there. @return false where there is none.
  bool run_one(time_point limit = no_deadline) {
    const auto next = queue_.next();
    if (!next || *next > limit) return false;
    now_ = *next;
    if (auto work = queue_.pop_due(now_)) work();
    return true;
  }
  /// Runs everything that is due until `limit`; then it is `limit`.
  void run_until(time_point limit) {
    while (run_one(limit)) {
    }
    now_ = std::max(now_, limit);
  }
  void run_for(duration span) { run_until(now_ + span); }
  /// Drops all work, also what is added while work is dropped.
  void drop_all() {
    while (queue_.pop_due(no_deadline)) {
    }
  }

 private:
  time_point now_;
  timer_queue queue_;
};

}  // namespace zkr::detail
