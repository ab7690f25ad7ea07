#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "zkrecipes/clock.hpp"

namespace zkr::backend {

/// Times that were measured: how many, how long together, the shortest, the longest, the last.
struct timing {
  std::uint64_t count = 0;
  duration sum{};
  duration shortest{};
  duration longest{};
  duration last{};

  void add(duration took) { add(took, took, took, 1); }
  /// Several at once, of which these are known.
  void add(duration least, duration average, duration most, std::uint64_t times) {
    shortest = count == 0 ? least : std::min(shortest, least);
    longest = std::max(longest, most);
    last = least;
    count += times;
    sum += average * static_cast<duration::rep>(times);
  }

  [[nodiscard]] static double ms(duration of) { return std::chrono::duration<double, std::milli>(of).count(); }
  [[nodiscard]] double average_ms() const { return count == 0 ? 0 : ms(sum) / static_cast<double>(count); }
};

/// How many times were at most so long.
class histogram {
 public:
  static constexpr std::array<std::chrono::microseconds, 14> bounds{
      std::chrono::microseconds(50),      std::chrono::microseconds(100),      std::chrono::microseconds(250),
      std::chrono::microseconds(500),     std::chrono::microseconds(1'000),    std::chrono::microseconds(2'500),
      std::chrono::microseconds(5'000),   std::chrono::microseconds(10'000),   std::chrono::microseconds(25'000),
      std::chrono::microseconds(50'000),  std::chrono::microseconds(100'000),  std::chrono::microseconds(250'000),
      std::chrono::microseconds(500'000), std::chrono::microseconds(1'000'000)};

  void add(duration took, std::uint64_t times) {
    const auto slot = std::lower_bound(bounds.begin(), bounds.end(), took) - bounds.begin();
    counts_[static_cast<std::size_t>(slot)] += times;
  }
  /// Those above the bound before and up to bound `slot`; the last slot has what is above all bounds.
  [[nodiscard]] std::uint64_t in_slot(std::size_t slot) const { return counts_.at(slot); }

 private:
  std::array<std::uint64_t, bounds.size() + 1> counts_{};
};

/// Requests of one connection whose replies have not left. They leave together, so that one look at the clock measures
/// all of them: the first and the last exactly, the others by their average.
struct unanswered {
  std::uint32_t count = 0;
  time_point first;
  time_point last;
  duration sum{};  ///< Of how much later than the first each came.

  void add(time_point received, std::uint32_t times) {
    if (count == 0) first = received;
    last = received;
    sum += (received - first) * times;
    count += times;
  }
};

}  // namespace zkr::backend
