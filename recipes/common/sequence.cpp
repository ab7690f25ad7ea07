#include <algorithm>
#include <charconv>

#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes {
namespace {

constexpr std::size_t sequence_width = 10;  // of ZooKeeper's "%010d", a sign included

/// a - b on the circle of 32-bit numbers.
std::int32_t distance(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

}  // namespace

std::optional<std::int32_t> parse_sequence(std::string_view name, std::string_view marker) {
  const auto at = marker.empty() ? 0 : name.rfind(marker);
  if (at == std::string_view::npos) return std::nullopt;
  const auto text = name.substr(at + marker.size());

  std::int32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stop != end) return std::nullopt;
  // Only what the server writes: padded to ten characters, longer only where the number is.
  constexpr std::int32_t widest_in_ten = -999'999'999;
  const std::size_t width = number < widest_in_ten ? sequence_width + 1 : sequence_width;
  if (text.size() != width) return std::nullopt;
  return number;
}

bool sequence_before(std::int32_t a, std::int32_t b) noexcept { return distance(a, b) < 0; }

contender_list sort_contenders(const std::vector<std::string>& names, const std::vector<std::string>& markers) {
  contender_list list;
  for (const auto& name : names) {
    std::optional<std::int32_t> sequence;
    for (auto marker = markers.begin(); marker != markers.end() && !sequence; ++marker) {
      sequence = parse_sequence(name, *marker);
    }
    if (sequence) {
      list.ordered.push_back({name, *sequence});
    } else {
      list.unknown.push_back(name);
    }
  }
  std::sort(list.unknown.begin(), list.unknown.end());
  if (list.ordered.empty()) return list;

  // By the distance from one of them: the same order as sequence_before() gives, and, other than that, a total one
  // whatever the names are (anybody may create children here).
  const auto origin = list.ordered.front().sequence;
  std::sort(list.ordered.begin(), list.ordered.end(), [origin](const contender& a, const contender& b) {
    const auto from_a = distance(a.sequence, origin);
    const auto from_b = distance(b.sequence, origin);
    return from_a != from_b ? from_a < from_b : a.name < b.name;
  });
  return list;
}

std::string protected_name(std::string_view uuid, std::string_view name) {
  std::string text = "_c_";
  return text.append(uuid).append("-").append(name);
}

}  // namespace zkr::recipes
