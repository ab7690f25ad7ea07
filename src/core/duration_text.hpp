#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "zkrecipes/clock.hpp"

namespace zkr::detail {

/// A whole number with its unit, without spaces: "500ms", "10s", "2m", "1h" (also ns, us). Unset: it is none, or is too
/// large for a `duration`.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text);

/// As people write it, in its largest exact unit: "10s", "1500ms", "0s".
[[nodiscard]] std::string format_duration(duration span);

}  // namespace zkr::detail
