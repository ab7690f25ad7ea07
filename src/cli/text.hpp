#pragma once

#include <string>
#include <string_view>

#include "core/duration_text.hpp"
#include "zkrecipes/clock.hpp"

namespace zkr::cli {

using detail::format_duration;
using detail::parse_duration;

/// Text of foreign origin made fit for a terminal and for one line: control characters and broken UTF-8 as "\x1b".
[[nodiscard]] std::string printable(std::string_view text);

/// Nanoseconds on CLOCK_BOOTTIME.
[[nodiscard]] inline long long nanoseconds(time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace zkr::cli
