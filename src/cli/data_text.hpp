#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/database.hpp"
#include "server/transaction.hpp"

// What a data folder holds, as JSON objects, and as lines made of those.
namespace zkr::cli {

[[nodiscard]] nlohmann::ordered_json transaction_json(const backend::transaction& what);

enum class data_of_nodes { left_out, shown };
[[nodiscard]] nlohmann::ordered_json node_json(const backend::database& of, const backend::node& which,
                                               data_of_nodes data);
[[nodiscard]] nlohmann::ordered_json session_json(const backend::database& of, std::int64_t id);

/// The members of an object as "name=value", in one line without its end: zxids and sessions in hexadecimal, times in
/// UTC, text fit for a terminal. What a line is about, the path or zxid that it begins with, stands without a name.
[[nodiscard]] std::string line_of(const nlohmann::ordered_json& object);

/// Whether a transaction has to do with a node or what is below it.
[[nodiscard]] bool concerns(const backend::transaction& what, std::string_view path);

}  // namespace zkr::cli
