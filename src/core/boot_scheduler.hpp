#pragma once

#include <memory>
#include <string_view>

#include "zkrecipes/scheduler.hpp"

namespace zkr::detail {

/// The production scheduler: one named thread with all signals blocked, woken by a timerfd on CLOCK_BOOTTIME.
///
/// Destroying it ends the thread after the work that runs at that moment; work that waits is dropped. Never destroy it
/// from its own thread.
class boot_scheduler final : public scheduler {
 public:
  /// @param thread_name  at most 15 characters.
  explicit boot_scheduler(std::string_view thread_name);
  ~boot_scheduler() override;
  boot_scheduler(const boot_scheduler&) = delete;
  boot_scheduler& operator=(const boot_scheduler&) = delete;

  [[nodiscard]] time_point now() const noexcept override { return boot_clock::now(); }
  timer schedule(time_point at, unique_function<void()> work) override;
  bool cancel(timer which) noexcept override;
  void post(unique_function<void()> work) override;
  /// True on the scheduler's own thread.
  [[nodiscard]] bool on_thread() const noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr::detail
