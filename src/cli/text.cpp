#include "cli/text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>

namespace zkr::cli {
namespace {

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Largest first.
constexpr std::array units{unit{"h", 3'600'000'000'000}, unit{"m", 60'000'000'000}, unit{"s", 1'000'000'000},
                           unit{"ms", 1'000'000},        unit{"us", 1'000},         unit{"ns", 1}};

/// Bytes of the UTF-8 character at the beginning of `text`; 0 where there is none, or only half of one, or a C1 control.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continued = [&](std::size_t count) {
    if (text.size() <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  const auto first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first >= 0xC2 && first <= 0xDF && continued(1)) return first == 0xC2 && byte(1) < 0xA0 ? 0 : 2;
  if (first >= 0xE0 && first <= 0xEF && continued(2)) return first == 0xE0 && byte(1) < 0xA0 ? 0 : 3;
  if (first >= 0xF0 && first <= 0xF4 && continued(3)) return 4;
  return 0;
}

}  // namespace

std::optional<duration> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;  // from_chars takes "-1"
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc()) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const auto& candidate : units) {
    if (candidate.name != name) continue;
    std::int64_t product = 0;
    if (__builtin_mul_overflow(number, candidate.nanoseconds, &product)) return std::nullopt;
    return duration(product);
  }
  return std::nullopt;
}

std::string format_duration(duration span) {
  const auto count = span.count();
  if (count == 0) return "0s";
  for (const auto& candidate : units) {
    if (count % candidate.nanoseconds == 0) return fmt::format("{}{}", count / candidate.nanoseconds, candidate.name);
  }
  return {};
}

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const auto bytes = character_bytes(text);
    if (bytes == 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    } else {
      safe += text.substr(0, bytes);
      text.remove_prefix(bytes);
    }
  }
  return safe;
}

}  // namespace zkr::cli
