#pragma once

#include <chrono>

namespace zkr {

using duration = std::chrono::nanoseconds;

/// CLOCK_BOOTTIME: steady, and goes on while the machine is suspended, as a server's clock elsewhere does. All deadlines
/// and leases are counted on it. (CLOCK_MONOTONIC stands still during a suspend: a lease on it would outlive the session.)
struct boot_clock {
  using duration = zkr::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;

  [[nodiscard]] static time_point now() noexcept;
};

using time_point = boot_clock::time_point;

/// A deadline that never comes.
inline constexpr time_point no_deadline = time_point::max();

/// `now + timeout`, without overflow: at most `no_deadline`.
[[nodiscard]] constexpr time_point deadline_after(time_point now, duration timeout) noexcept {
  return timeout >= no_deadline - now ? no_deadline : now + timeout;
}

}  // namespace zkr
