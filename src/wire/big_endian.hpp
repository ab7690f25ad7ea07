#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

// Integers in the order of the wire, at any address. Written so that each becomes one load or store.
namespace zkr::wire {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);

constexpr std::uint8_t swap_bytes(std::uint8_t value) noexcept { return value; }
constexpr std::uint32_t swap_bytes(std::uint32_t value) noexcept { return __builtin_bswap32(value); }
constexpr std::uint64_t swap_bytes(std::uint64_t value) noexcept { return __builtin_bswap64(value); }

template <typename Unsigned>
[[nodiscard]] Unsigned load_big_endian(const char* from) noexcept {
  Unsigned value = 0;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == std::endian::little ? swap_bytes(value) : value;
}

template <typename Unsigned>
void store_big_endian(char* to, Unsigned value) noexcept {
  if (std::endian::native == std::endian::little) value = swap_bytes(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace zkr::wire
