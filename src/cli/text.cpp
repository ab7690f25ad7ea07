#include "cli/text.hpp"

#include <fmt/format.h>

namespace zkr::cli {
namespace {

/// Bytes of the UTF-8 character at the beginning of `text`; 0 where there is none, or only half of one, or a C1 control.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continued = [&](std::size_t count) {
    if (text.size() <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  const auto first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first >= 0xC2 && first <= 0xDF && continued(1)) return first == 0xC2 && byte(1) < 0xA0 ? 0 : 2;
  if (first >= 0xE0 && first <= 0xEF && continued(2)) return first == 0xE0 && byte(1) < 0xA0 ? 0 : 3;
  if (first >= 0xF0 && first <= 0xF4 && continued(3)) return 4;
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const auto bytes = character_bytes(text);
    if (bytes == 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    } else {
      safe += text.substr(0, bytes);
      text.remove_prefix(bytes);
    }
  }
  return safe;
}

}  // namespace zkr::cli
