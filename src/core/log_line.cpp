#include "core/log_line.hpp"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <mutex>
#include <string>

namespace zkr::detail {

std::string hex(std::int64_t number) { return fmt::format("{:#x}", static_cast<std::uint64_t>(number)); }

std::string log_value(std::string_view text) {
  const auto plain = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '='; };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c >= ' ' && c < '\x7f') {
      quoted += c;
    } else {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return quoted + '"';
}

namespace {

/// In one write: lines of several threads stay whole. @return false where it would have to wait.
bool try_write(std::string line) {
  // What poll promises of a pipe.
  if (line.size() > PIPE_BUF) line.replace(PIPE_BUF - 1, std::string::npos, "\n");
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) == 0) return false;
  // Where it is closed, there is nobody to tell.
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  return true;
}

/// "2026-01-31T23:59:59.999Z info event=...".
std::string dated(log_level level, std::string_view text) {
  constexpr std::array names = {"error", "warn", "info", "debug"};
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> when{};
  std::strftime(when.data(), when.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z {} {}\n", when.data(), ms % 1000, names.at(static_cast<std::size_t>(level)), text);
}

}  // namespace

void write_log_line(log_level level, std::string_view text) {
  static std::mutex mutex;
  static std::uint64_t lost = 0;
  const std::scoped_lock lock(mutex);
  const auto number = [] { return fmt::format("event=log_lines_lost count={}", lost); };
  if (lost != 0 && try_write(dated(log_level::warning, number()))) lost = 0;
  if (lost != 0 || !try_write(dated(level, text))) ++lost;
}

}  // namespace zkr::detail
