#pragma once

#include <string>
#include <string_view>

#include "zkrecipes/result.hpp"

namespace zkr {

/// Whether a path names a node, or is the stem to which the server appends a sequence number (and may end in '/').
enum class path_kind { node, sequential_stem };

/// Checks a path against the server's rules (PathUtils.validatePath): absolute, no empty, "." or ".." element, no
/// trailing '/', valid UTF-8 without the characters that Apache refuses (U+0000-001F, U+007F-009F, U+D800-F8FF,
/// U+FFF0-FFFF and everything beyond the basic plane).
///
/// @par Errors  invalid_path; the message says what is wrong, and at which byte.
[[nodiscard]] result<void> check_path(std::string_view path, path_kind kind = path_kind::node);

/// "/a/b" -> "/a"; "/a" -> "/"; "/" -> "".
[[nodiscard]] std::string_view parent_path(std::string_view path) noexcept;
/// "/a/b" -> "b"; "/" -> "".
[[nodiscard]] std::string_view node_name(std::string_view path) noexcept;
/// ("/a", "b") -> "/a/b"; ("/", "b") -> "/b".
[[nodiscard]] std::string join_path(std::string_view parent, std::string_view name);

}  // namespace zkr
