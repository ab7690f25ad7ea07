#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// Paths as Apache's server takes them apart: by their last slash, whatever else they hold.
namespace zkr::backend {

/// "/a/b" -> "/a"; "/a" -> "", which finds the root.
[[nodiscard]] constexpr std::string_view parent_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

[[nodiscard]] constexpr bool has_slash(std::string_view path) noexcept {
  return path.find('/') != std::string_view::npos;
}
[[nodiscard]] constexpr bool has_nul(std::string_view path) noexcept {
  return path.find('\0') != std::string_view::npos;
}

/// Versions and counters wrap as Java's do.
[[nodiscard]] constexpr std::int32_t next(std::int32_t value) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value) + 1U);
}

}  // namespace zkr::backend
