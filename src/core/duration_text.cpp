#include "core/duration_text.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace zkr::detail {
namespace {

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Largest first.
constexpr std::array units{unit{"h", 3'600'000'000'000}, unit{"m", 60'000'000'000}, unit{"s", 1'000'000'000},
                           unit{"ms", 1'000'000},        unit{"us", 1'000},         unit{"ns", 1}};

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
    if (count % candidate.nanoseconds == 0) return std::to_string(count / candidate.nanoseconds).append(candidate.name);
  }
  return {};
}

}  // namespace zkr::detail
