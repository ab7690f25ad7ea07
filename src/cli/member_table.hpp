#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "zkrecipes/testing/apache_ensemble.hpp"

namespace zkr::cli {

/// A line for each member, and a last one with the verdict on them together.
[[nodiscard]] std::string member_table(const std::vector<testing::member_status>& members);
[[nodiscard]] nlohmann::ordered_json member_json(const std::vector<testing::member_status>& members);

}  // namespace zkr::cli
