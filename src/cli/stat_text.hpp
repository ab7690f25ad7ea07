#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "zkrecipes/node.hpp"

namespace zkr::cli {

/// A server's wall clock, ms since 1970, as RFC 3339 in UTC.
[[nodiscard]] std::string utc(std::int64_t milliseconds);
/// As zxids and sessions are written.
[[nodiscard]] std::string hex(std::int64_t number);
/// Metadata as lines "name value", one each, times in UTC.
[[nodiscard]] std::string stat_lines(const stat_t& stat);
[[nodiscard]] nlohmann::ordered_json stat_json(const stat_t& stat);
/// Data as a JSON member: "data" where it is UTF-8, else "data_base64".
void put_data(nlohmann::ordered_json& into, const std::string& data);
/// One JSON text and a line end to standard output. @return the exit status.
int print_json(const nlohmann::ordered_json& what);
/// Bytes to standard output. @return the exit status; says on standard error why it failed.
int print_raw(std::string_view bytes);

}  // namespace zkr::cli
