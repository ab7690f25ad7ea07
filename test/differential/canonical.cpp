#include "differential/canonical.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace zkr::testing {
namespace {

std::string quoted(std::string_view text) {
  if (wire::is_null(text)) return "null";
  std::string out = "'";
  for (const char one : text) {
    if (one >= ' ' && one < 127) {
      out += one;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(one));
    }
  }
  return out + "'";
}

std::string quoted(const wire::buffer& data) { return data ? quoted(std::string_view(*data)) : "none"; }

std::string sorted(wire::string_list list) {
  std::sort(list.begin(), list.end());
  std::string out = "[";
  for (const auto one : list) out += quoted(one) + ' ';
  return out + "]";
}

std::string text(const acl_list& list) {
  std::string out = "[";
  for (const auto& one : list) out += fmt::format("{}:{}:{} ", one.perms, one.scheme, one.id);
  return out + "]";
}

}  // namespace

std::string canonical::zxid(std::int64_t id) {
  if (id <= 0) return std::to_string(id);
  return fmt::format("z{}", zxids_.try_emplace(id, zxids_.size()).first->second);
}

std::string canonical::session(std::int64_t id) {
  // Marks of containers and TTL nodes are the same everywhere.
  const auto top = static_cast<std::uint64_t>(id) >> 56U;
  if (id == 0 || top == 0x80 || top == 0xff) return fmt::format("{:x}", static_cast<std::uint64_t>(id));
  return fmt::format("s{}", sessions_.try_emplace(id, sessions_.size()).first->second);
}

std::string canonical::text(const stat_t& of) {
  return fmt::format("{{c {} m {} p {} times {}{} v {} cv {} av {} owner {} length {} children {}}}", zxid(of.czxid),
                     zxid(of.mzxid), zxid(of.pzxid), of.ctime > 0, of.mtime >= of.ctime, of.version, of.cversion,
                     of.aversion, session(of.ephemeral_owner), of.data_length, of.num_children);
}

std::string canonical::text(const wire::reply& of) {
  struct {
    canonical& self;
    std::string operator()(const wire::empty_reply& one) const {
      return fmt::format("empty {}", static_cast<int>(one.type));
    }
    std::string operator()(const wire::create_reply& one) const {
      return quoted(one.path) + (one.stat ? self.text(*one.stat) : "");
    }
    std::string operator()(const wire::stat_reply& one) const { return self.text(one.stat); }
    std::string operator()(const wire::get_data_reply& one) const { return quoted(one.data) + self.text(one.stat); }
    std::string operator()(const wire::get_acl_reply& one) const {
      return testing::text(one.acl) + self.text(one.stat);
    }
    std::string operator()(const wire::get_children_reply& one) const {
      return sorted(one.children) + (one.stat ? self.text(*one.stat) : "");
    }
    std::string operator()(const wire::sync_reply& one) const { return quoted(one.path); }
    std::string operator()(const wire::sasl_reply& one) const { return quoted(one.token); }
    std::string operator()(const wire::get_ephemerals_reply& one) const { return sorted(one.paths); }
    std::string operator()(const wire::get_all_children_number_reply& one) const { return std::to_string(one.count); }
    std::string operator()(const wire::add_watch_reply& one) const { return std::to_string(one.code); }
    std::string operator()(const wire::who_am_i_reply& one) const {
      std::set<std::string> all;  // a hash set's order, there
      for (const auto& who : one.identities) all.insert(fmt::format("{}:{}", who.scheme, who.user));
      return fmt::format("{}", fmt::join(all, " "));
    }
    std::string operator()(const wire::error_result& one) const {
      return fmt::format("error {}", static_cast<int>(one.code));
    }
    std::string operator()(const wire::multi_reply& one) const {
      std::string out = "multi";
      for (const auto& part : one.results) out += "; " + std::visit(*this, part);
      return out;
    }
  } const visitor{*this};
  return std::visit(visitor, of);
}

std::string canonical::event(std::string_view body, std::int64_t at) {
  const auto event = wire::decode_event(body);
  if (!event) return "an event that cannot be read";
  return fmt::format("event {} state {} {} zxid {}", static_cast<int>(event->type), event->state, quoted(event->path),
                     zxid(at));
}

std::string canonical::reply(const wire::reply_header& header, std::string_view body, wire::opcode of) {
  auto out = fmt::format("zxid {} code {} bytes {}", zxid(header.zxid), static_cast<int>(header.code), body.size());
  if (body.empty()) return out;
  const auto decoded = wire::decode_reply(body, of);
  if (decoded.code != errc::ok) return out + " cannot be read";
  return out + " " + text(decoded.body);
}

namespace {

struct request_text {
  std::string operator()(const wire::create_request& one) const {
    return fmt::format("create type {} {} {} flags {} ttl {} acl {}", static_cast<int>(one.type), quoted(one.path),
                       quoted(one.data), one.flags, one.ttl_ms, text(one.acl));
  }
  std::string operator()(const wire::remove_request& one) const {
    return fmt::format("remove {} version {}", quoted(one.path), one.version);
  }
  std::string operator()(const wire::exists_request& one) const {
    return fmt::format("exists {} watch {}", quoted(one.path), one.watch);
  }
  std::string operator()(const wire::get_data_request& one) const {
    return fmt::format("get {} watch {}", quoted(one.path), one.watch);
  }
  std::string operator()(const wire::set_data_request& one) const {
    return fmt::format("set {} {} version {}", quoted(one.path), quoted(one.data), one.version);
  }
  std::string operator()(const wire::get_acl_request& one) const { return "get_acl " + quoted(one.path); }
  std::string operator()(const wire::set_acl_request& one) const {
    return fmt::format("set_acl {} {} version {}", quoted(one.path), text(one.acl), one.version);
  }
  std::string operator()(const wire::get_children_request& one) const {
    return fmt::format("children type {} {} watch {}", static_cast<int>(one.type), quoted(one.path), one.watch);
  }
  std::string operator()(const wire::sync_request& one) const { return "sync " + quoted(one.path); }
  std::string operator()(const wire::check_request& one) const {
    return fmt::format("check {} version {}", quoted(one.path), one.version);
  }
  std::string operator()(const wire::multi_request& all) const {
    std::string out = "multi";
    for (const auto& one : all.operations) out += "; " + std::visit(*this, one);
    return out;
  }
  std::string operator()(const wire::multi_read_request& all) const {
    std::string out = "multi_read";
    for (const auto& one : all.operations) out += "; " + std::visit(*this, one);
    return out;
  }
  std::string operator()(const wire::remove_watches_request& one) const {
    return fmt::format("watches type {} {} kind {}", static_cast<int>(one.type), quoted(one.path), one.kind);
  }
  std::string operator()(const wire::add_watch_request& one) const {
    return fmt::format("add_watch {} mode {}", quoted(one.path), one.mode);
  }
  std::string operator()(const wire::set_watches_request& one) const {
    return fmt::format("set_watches type {} since {} {} {} {} {} {}", static_cast<int>(one.type), one.relative_zxid,
                       sorted(one.data), sorted(one.exist), sorted(one.child), sorted(one.persistent),
                       sorted(one.recursive));
  }
  std::string operator()(const wire::get_ephemerals_request& one) const { return "ephemerals " + quoted(one.prefix); }
  std::string operator()(const wire::get_all_children_number_request& one) const {
    return "all_children_number " + quoted(one.path);
  }
  template <typename Other>
  std::string operator()(const Other& one) const {
    return fmt::format("type {}", static_cast<int>(wire::type_of(one)));
  }
};

}  // namespace

std::string text_of(const wire::request& what) { return std::visit(request_text{}, what); }

}  // namespace zkr::testing
