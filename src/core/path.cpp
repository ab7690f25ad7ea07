#include "zkrecipes/path.hpp"

#include <cstdint>
#include <optional>

namespace zkr {
namespace {

struct character {
  std::uint32_t point;
  std::size_t bytes;
};

/// The UTF-8 character at the start of `text`; nullopt where it is not well-formed (overlong forms included).
std::optional<character> decode(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return character{lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return std::nullopt;
  std::uint32_t point = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) return std::nullopt;
    point = point << 6U | (next & 0x3FU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < least[bytes]) return std::nullopt;
  return character{point, bytes};
}

bool refused_by_apache(std::uint32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || (point >= 0xD800 && point <= 0xF8FF) || point >= 0xFFF0;
}

error bad(std::string_view path, std::string_view why, std::size_t at) {
  return error(errc::invalid_path, {}, std::string(path), std::string(why) + " at byte " + std::to_string(at));
}

}  // namespace

result<void> check_path(std::string_view path, path_kind kind) {
  if (path.empty()) return error(errc::invalid_path, {}, {}, "the path is empty");
  if (path.front() != '/') return bad(path, "a path starts with '/'", 0);
  if (path == "/") return {};
  std::size_t start = 1;  // of the current element
  for (std::size_t at = 1; at <= path.size();) {
    if (at == path.size() || path[at] == '/') {
      const auto element = path.substr(start, at - start);
      const bool open_end = at == path.size() && kind == path_kind::sequential_stem;
      if (element.empty() && !open_end) {
        return bad(path, at == path.size() ? "a path does not end in '/'" : "empty element", at);
      }
      if (element == "." || element == "..") return bad(path, "relative element", start);
      start = ++at;
      continue;
    }
    const auto next = decode(path.substr(at));
    if (!next) return bad(path, "not UTF-8", at);
    if (refused_by_apache(next->point)) return bad(path, "character that ZooKeeper refuses", at);
    at += next->bytes;
  }
  return {};
}

std::string_view parent_path(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos || path.size() == 1) return {};
  return path.substr(0, slash == 0 ? 1 : slash);
}

std::string_view node_name(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string join_path(std::string_view parent, std::string_view name) {
  std::string path(parent);
  if (path.empty() || path.back() != '/') path += '/';
  return path.append(name);
}

}  // namespace zkr
