#pragma once

#include <string>
#include <string_view>

#include "server/digest_md5.hpp"
#include "zkrecipes/result.hpp"

namespace zkr::backend {

/// Reads users and passwords: lines `user_NAME="PASSWORD"`, as they stand in the Server section of Apache's jaas.conf, each
/// with a ';' at its end or without. Backslashes protect quotes and themselves. Empty lines and those that begin with '#'
/// are passed over. Names with '@' or '/' are refused: Apache takes them apart as principals of Kerberos.
///
/// The error (invalid_argument) says which line is wrong, and nothing of what it holds.
[[nodiscard]] result<sasl_secrets> parse_sasl_users(std::string_view text, std::string_view file_name);

/// The same, from a file. io_error: it cannot be read.
[[nodiscard]] result<sasl_secrets> read_sasl_users(const std::string& file);

}  // namespace zkr::backend
