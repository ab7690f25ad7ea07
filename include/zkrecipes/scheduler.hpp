#pragma once

#include <cstdint>

#include "zkrecipes/clock.hpp"
#include "zkrecipes/unique_function.hpp"

namespace zkr {

/// The library's only source of time and of later. In production a thread on CLOCK_BOOTTIME; in simulation virtual time.
///
/// @par Threads  every function may be called from any thread; work runs one at a time, in order of its time.
class scheduler {
 public:
  using timer = std::uint64_t;  ///< 0 names no timer.

  virtual ~scheduler() = default;

  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// Runs `work` at `at` or later; at once (but not inside this call) where `at` has passed.
  virtual timer schedule(time_point at, unique_function<void()> work) = 0;
  /// Takes work back. @return true where it will not run; false where it has run, is running or is unknown.
  virtual bool cancel(timer which) noexcept = 0;
  /// Runs `work` as soon as possible, after what was posted before.
  virtual void post(unique_function<void()> work) = 0;

 protected:
  scheduler() = default;
  scheduler(const scheduler&) = default;
  scheduler& operator=(const scheduler&) = default;
};

}  // namespace zkr
