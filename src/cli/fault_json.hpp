#pragma once

#include <nlohmann/json.hpp>

#include "zkrecipes/faults.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::cli {

/// A rule from a JSON object: the members of fault_rule, enumerators by name, `delay` as `delay_ms`; `times` may be
/// "always". Members that are not there keep their defaults.
///
/// @par Errors  invalid_argument: no such member or name, or a value of another type or out of range; the message names it.
[[nodiscard]] result<fault_rule> rule_from(const nlohmann::json& object);

[[nodiscard]] nlohmann::json to_json(const fault_report& report);
[[nodiscard]] nlohmann::json to_json(const server_statistics& counted);

}  // namespace zkr::cli
