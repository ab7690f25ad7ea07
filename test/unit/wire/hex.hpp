#pragma once

#include <string>
#include <string_view>

namespace zkr::testing {

/// "00 0a ff" -> bytes; anything but hexadecimal digits is skipped, so that vectors can be grouped by field.
inline std::string from_hex(std::string_view text) {
  const auto value_of = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    const int digit = value_of(c);
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace zkr::testing
