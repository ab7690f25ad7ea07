#pragma once

#include <cstdint>
#include <limits>

// The raw ephemeralOwner of a node says of which kind it is (Apache's EphemeralType). Clients see sessions only.
namespace zkr::backend {

enum class node_kind { persistent, ephemeral, container, ttl };

inline constexpr std::int64_t container_owner = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t largest_ttl_ms = 0xff'ffff'ffff;
inline constexpr std::uint64_t ttl_marker = 0xff00'0000'0000'0000;

[[nodiscard]] constexpr std::int64_t ttl_owner(std::int64_t ttl_ms) noexcept {
  return static_cast<std::int64_t>(ttl_marker | static_cast<std::uint64_t>(ttl_ms));
}

[[nodiscard]] constexpr node_kind kind_of(std::int64_t owner) noexcept {
  if (owner == 0) return node_kind::persistent;
  if (owner == container_owner) return node_kind::container;
  return (static_cast<std::uint64_t>(owner) & ttl_marker) == ttl_marker ? node_kind::ttl : node_kind::ephemeral;
}

[[nodiscard]] constexpr std::int64_t ttl_of(std::int64_t owner) noexcept { return owner & largest_ttl_ms; }

}  // namespace zkr::backend
