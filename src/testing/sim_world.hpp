#pragma once

#include <random>

#include "core/virtual_scheduler.hpp"
#include "server/instant.hpp"

namespace zkr::testing {

/// What everything in a simulation shares: the clock, the dice, and how long messages take.
struct sim_world {
  struct settings {
    duration tick_time;
    duration least_latency;
    duration most_latency;
  };

  detail::virtual_scheduler clock = detail::virtual_scheduler();
  std::mt19937_64 random;
  settings rules;
  time_point started = clock.now();

  [[nodiscard]] backend::instant instant_now() const {
    constexpr std::int64_t first_wall_ms = 1'700'000'000'000;
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - started);
    return {clock.now(), first_wall_ms + since.count()};
  }
  /// A time between the two, both included.
  [[nodiscard]] duration between(duration least, duration most) {
    const auto spread = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + duration(static_cast<std::int64_t>(random() % spread));
  }
  [[nodiscard]] duration latency() { return between(rules.least_latency, rules.most_latency); }
};

}  // namespace zkr::testing
