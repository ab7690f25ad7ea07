#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "zkrecipes/log_level.hpp"

// Lines of logs: "2026-01-31T23:59:59.999Z info event=NAME key=value ...".
namespace zkr::detail {

/// "0x1f", as ZooKeeper writes session ids and zxids.
[[nodiscard]] std::string hex(std::int64_t number);
/// As it is where that is plain; else in quotes, with escapes for quotes, backslashes, and all but printable ASCII: so
/// that it makes neither another pair nor another line.
[[nodiscard]] std::string log_value(std::string_view text);
/// Puts the time and the level in front, and writes the line on standard error at once. A pipe that nobody reads stops
/// nobody: lines that it does not take are counted, and the next one that is taken comes behind their number.
///
/// @par Threads  any.
void write_log_line(log_level level, std::string_view text);

}  // namespace zkr::detail
