#pragma once

#include <string>
#include <string_view>

#include "zkrecipes/runtime.hpp"

namespace zkr::detail {

/// A random UUID (RFC 9562, version 4).
[[nodiscard]] inline std::string make_uuid(runtime& from) {
  std::uint64_t high = (from.random() & ~std::uint64_t{0xF000}) | 0x4000;
  std::uint64_t low = (from.random() & ~(std::uint64_t{3} << 62U)) | std::uint64_t{1} << 63U;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    auto& half = i < 16 ? high : low;
    text += digits[half >> 60U];
    half <<= 4U;
  }
  return text;
}

}  // namespace zkr::detail
