#include "transport/request_check.hpp"

#include <algorithm>

#include "zkrecipes/path.hpp"

namespace zkr::transport {
namespace {

constexpr std::size_t header_bytes = 8;        // xid, type
constexpr std::size_t multi_header_bytes = 9;  // type, done, err

std::size_t size_of(std::string_view text) noexcept { return 4 + text.size(); }
std::size_t size_of(const wire::buffer& bytes) noexcept { return 4 + (bytes ? bytes->size() : 0); }
std::size_t size_of(const acl_list& list) noexcept {
  std::size_t size = 4;
  for (const auto& entry : list)
    size += 4 + size_of(std::string_view(entry.scheme)) + size_of(std::string_view(entry.id));
  return size;
}

/// The body's size, before chroots are put in front of its paths. Requests that the library cannot send count as 0.
struct body_size {
  std::size_t operator()(const wire::create_request& of) const {
    return size_of(of.path) + size_of(of.data) + size_of(of.acl) + 4 + (of.type == wire::opcode::create_ttl ? 8 : 0);
  }
  std::size_t operator()(const wire::remove_request& of) const { return size_of(of.path) + 4; }
  std::size_t operator()(const wire::exists_request& of) const { return size_of(of.path) + 1; }
  std::size_t operator()(const wire::get_data_request& of) const { return size_of(of.path) + 1; }
  std::size_t operator()(const wire::set_data_request& of) const { return size_of(of.path) + size_of(of.data) + 4; }
  std::size_t operator()(const wire::get_acl_request& of) const { return size_of(of.path); }
  std::size_t operator()(const wire::set_acl_request& of) const { return size_of(of.path) + size_of(of.acl) + 4; }
  std::size_t operator()(const wire::get_children_request& of) const { return size_of(of.path) + 1; }
  std::size_t operator()(const wire::sync_request& of) const { return size_of(of.path); }
  std::size_t operator()(const wire::check_request& of) const { return size_of(of.path) + 4; }
  std::size_t operator()(const wire::remove_watches_request& of) const { return size_of(of.path) + 4; }
  std::size_t operator()(const wire::auth_request& of) const {
    return 4 + size_of(of.scheme) + size_of(of.credentials);
  }
  std::size_t operator()(const wire::multi_request& of) const {
    std::size_t size = multi_header_bytes;
    for (const auto& one : of.operations) size += multi_header_bytes + std::visit(*this, one);
    return size;
  }
  template <typename Other>
  std::size_t operator()(const Other&) const {
    return 0;
  }
};

template <typename T>
concept has_path = requires(const T& of) {
  of.path;
};

std::size_t paths_in(const wire::request& of) {
  if (const auto* multi = std::get_if<wire::multi_request>(&of)) return multi->operations.size();
  return std::visit([]<typename T>(const T&) -> std::size_t { return has_path<T> ? 1 : 0; }, of);
}

bool is_read_with_watch(const wire::request& of) {
  return std::holds_alternative<wire::exists_request>(of) || std::holds_alternative<wire::get_data_request>(of) ||
         std::holds_alternative<wire::get_children_request>(of);
}

bool is_sequential(std::int32_t flags) noexcept { return flags == 2 || flags == 3 || flags == 6; }

/// Text that goes to the library without a length would end at the first zero byte.
bool is_c_text(std::string_view text) noexcept { return text.find('\0') == std::string_view::npos; }

errc check_acl(const acl_list& list) noexcept {
  const bool good = std::all_of(list.begin(), list.end(),
                                [](const acl_entry& entry) { return is_c_text(entry.scheme) && is_c_text(entry.id); });
  return good ? errc::ok : errc::invalid_argument;
}

errc check_node(std::string_view path) { return check_path(path) ? errc::ok : errc::invalid_path; }

/// Whether the library sends a create as the type that was asked for: it derives the type from the flags.
bool has_matching_flags(const wire::create_request& of) noexcept {
  switch (of.type) {
    case wire::opcode::create:
    case wire::opcode::create2: return of.flags >= 0 && of.flags <= 3;
    case wire::opcode::create_container: return of.flags == 4;
    case wire::opcode::create_ttl: return of.flags == 5 || of.flags == 6;
    default: return false;
  }
}

class checker {
 public:
  explicit checker(std::string_view chroot) : chroot_(chroot) {}

  errc operator()(const wire::create_request& of) const {
    if (!has_matching_flags(of)) return errc::unsupported;
    const bool sequential = is_sequential(of.flags);
    if (!check_path(of.path, sequential ? path_kind::sequential_stem : path_kind::node)) return errc::invalid_path;
    // The library makes "/" the chroot itself, and the server would append the number to its name: a sibling of it.
    if (sequential && of.path == "/" && !chroot_.empty()) return errc::invalid_path;
    constexpr std::int64_t longest_ttl = 0xFF'FFFF'FFFF;
    if (of.type == wire::opcode::create_ttl && (of.ttl_ms < 1 || of.ttl_ms > longest_ttl))
      return errc::invalid_argument;
    return check_acl(of.acl);
  }
  errc operator()(const wire::remove_request& of) const { return check_node(of.path); }
  errc operator()(const wire::exists_request& of) const { return check_node(of.path); }
  errc operator()(const wire::get_data_request& of) const { return check_node(of.path); }
  errc operator()(const wire::set_data_request& of) const { return check_node(of.path); }
  errc operator()(const wire::get_acl_request& of) const { return check_node(of.path); }
  errc operator()(const wire::set_acl_request& of) const {
    const auto path = check_node(of.path);
    return path != errc::ok ? path : check_acl(of.acl);
  }
  errc operator()(const wire::get_children_request& of) const {
    if (of.type != wire::opcode::get_children && of.type != wire::opcode::get_children2) return errc::unsupported;
    return check_node(of.path);
  }
  errc operator()(const wire::sync_request& of) const { return check_node(of.path); }
  errc operator()(const wire::remove_watches_request& of) const {
    // The other form (checkWatches) leaves the server's watch in place.
    if (of.type != wire::opcode::remove_watches || of.kind < 1 || of.kind > 3) return errc::unsupported;
    return check_node(of.path);
  }
  errc operator()(const wire::auth_request& of) const {
    return !of.scheme.empty() && is_c_text(of.scheme) ? errc::ok : errc::invalid_argument;
  }
  errc operator()(const wire::multi_request& of) const {
    for (const auto& one : of.operations) {
      if (const auto* create = std::get_if<wire::create_request>(&one);
          create != nullptr && (create->type != wire::opcode::create || !has_matching_flags(*create))) {
        return errc::unsupported;
      }
    }
    for (const auto& one : of.operations) {
      if (const auto code = std::visit(*this, one); code != errc::ok) return code;
    }
    return errc::ok;
  }
  /// Inside a transaction only: the library cannot send it alone.
  errc operator()(const wire::check_request& of) const { return check_node(of.path); }
  template <typename Other>
  errc operator()(const Other&) const {
    return errc::unsupported;
  }

 private:
  std::string_view chroot_;
};

}  // namespace

std::size_t frame_bytes(const wire::request& of, std::size_t chroot_bytes) {
  return header_bytes + std::visit(body_size(), of) + paths_in(of) * chroot_bytes;
}

errc check_request(const wire::request& of, watch_mode watch, std::string_view chroot,
                   std::size_t largest_frame_bytes) {
  if (watch == watch_mode::persistent || watch == watch_mode::recursive) return errc::unsupported;
  if (watch == watch_mode::one_shot && !is_read_with_watch(of)) return errc::invalid_argument;
  if (std::holds_alternative<wire::check_request>(of)) return errc::unsupported;
  if (const auto code = std::visit(checker(chroot), of); code != errc::ok) return code;
  return frame_bytes(of, chroot.size()) <= largest_frame_bytes ? errc::ok : errc::too_large;
}

}  // namespace zkr::transport
