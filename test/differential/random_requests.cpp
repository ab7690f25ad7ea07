#include "differential/random_requests.hpp"

#include <array>

namespace zkr::testing {

void random_requests::begin_round(std::string root) {
  root_ = std::move(root);
  texts_.clear();
}

std::string_view random_requests::odd_path() {
  static constexpr std::array odd{"",         "x",       "/",      "//",  "/a/",        "/a//b",
                                  "/a/./b",   "/a/../b", "/\x01x", "/..", "/zookeeper", "/zookeeper/quota",
                                  "/\xc3\xa9"};
  return one_in(20) ? std::string_view() : std::string_view(odd[below(odd.size())]);
}

std::string_view random_requests::path() {
  static constexpr std::array names{"",     "/a",     "/a",   "/b", "/b",   "/a/x", "/a/x",
                                    "/a/y", "/a/x/1", "/b/z", "/p", "/p/q", "/r",   "/r/q"};
  if (one_in(40)) return odd_path();
  if (one_in(15)) return keep(root_ + names[below(names.size())] + "/s-000000000" + std::to_string(below(3)));
  return keep(root_ + names[below(names.size())]);
}

// A later watch overwrites one of another kind on the same path in 3.8, but not in 3.9, whose way is ours: so they never
// meet on a path. Persistent ones are on p and p/q, recursive ones on r and r/q, one-shot ones elsewhere.
wire::add_watch_request random_requests::add_watch() {
  if (one_in(12)) return {path(), 2};
  const bool recursive = one_in(2);
  const auto* const where = recursive ? (one_in(2) ? "/r" : "/r/q") : (one_in(2) ? "/p" : "/p/q");
  return {keep(root_ + where), recursive ? 1 : 0};
}

bool random_requests::may_watch(std::string_view where) {
  const auto start = where.substr(0, root_.size() + 2);
  return one_in(2) && start != root_ + "/p" && start != root_ + "/r";
}

wire::buffer random_requests::data() {
  if (one_in(10)) return std::nullopt;
  return keep(std::string(below(12), static_cast<char>('a' + below(26))));
}

acl_list random_requests::acl() {
  // bart:simpson and its digest.
  static constexpr auto bart = "bart:u1VA/HrAmBEPGfEgYnJXWKOzuO0=";
  switch (below(24)) {
    case 0: return {{perms::read, "world", "anyone"}};
    case 1: return {{perms::all, "auth", ""}};
    case 2: return {{perms::all, "digest", bart}};
    case 3: return {};
    case 4: return {{perms::all, "none", "such"}};
    case 5: return {{perms::all, "digest", "no-colon"}};
    case 6: return {{perms::all, "ip", "127.0.0.1"}, {perms::read, "world", "anyone"}};
    case 7: return {{perms::all & ~perms::remove, "world", "anyone"}};
    default: return {{perms::all, "world", "anyone"}};
  }
}

std::int32_t random_requests::version() {
  static constexpr std::array all{-1, -1, -1, 0, 0, 1, 2, 7, -2};
  return all[below(all.size())];
}

wire::create_request random_requests::create() {
  using wire::opcode;
  static constexpr std::array types{opcode::create, opcode::create2, opcode::create2, opcode::create_container,
                                    opcode::create_ttl};
  wire::create_request made;
  made.type = types[below(types.size())];
  made.data = data();
  made.acl = acl();
  if (made.type == opcode::create_ttl) {
    made.flags = one_in(2) ? 5 : 6;
    made.ttl_ms = one_in(8) ? static_cast<std::int64_t>(below(3)) - 1 : 100'000'000;
  } else if (made.type == opcode::create_container) {
    made.flags = 4;
  } else {
    made.flags = one_in(30) ? static_cast<std::int32_t>(below(10)) - 1 : static_cast<std::int32_t>(below(4));
  }
  made.path = (made.flags & 2) != 0 && made.flags > 0 ? keep(std::string(path()) + "/s-") : path();
  return made;
}

wire::multi_request random_requests::multi() {
  wire::multi_request all;
  for (auto left = below(5); left > 0; --left) {
    switch (below(5)) {
      case 0:
      case 1: all.operations.emplace_back(create()); break;
      case 2: all.operations.emplace_back(wire::remove_request{path(), version()}); break;
      case 3: all.operations.emplace_back(wire::set_data_request{path(), data(), version()}); break;
      default: all.operations.emplace_back(wire::check_request{path(), version()}); break;
    }
  }
  return all;
}

wire::multi_read_request random_requests::multi_read() {
  wire::multi_read_request all;
  for (auto left = below(4); left > 0; --left) {
    if (one_in(2)) {
      all.operations.emplace_back(wire::get_data_request{path(), false});
    } else {
      all.operations.emplace_back(wire::get_children_request{wire::opcode::get_children, path(), false});
    }
  }
  return all;
}

wire::string_list random_requests::paths(const char* one, const char* other) {
  wire::string_list all;
  for (auto left = below(3); left > 0; --left) all.push_back(keep(root_ + (one_in(2) ? one : other)));
  return all;
}

wire::set_watches_request random_requests::set_watches() {
  wire::set_watches_request made;
  made.type = one_in(2) ? wire::opcode::set_watches : wire::opcode::set_watches2;
  made.data = paths("/a", "/b");
  made.exist = paths("/a", "/b");
  made.child = paths("/a", "/b");
  if (made.type == wire::opcode::set_watches2) {
    made.persistent = paths("/p", "/p/q");
    made.recursive = paths("/r", "/r/q");
  }
  return made;
}

random_request random_requests::next() {
  using wire::opcode;
  const auto kind = below(100);
  if (kind < 26) return {create()};
  if (kind < 36) return {wire::remove_request{path(), version()}};
  if (kind < 44) return {wire::set_data_request{path(), data(), version()}};
  if (kind < 66) {
    const auto where = path();
    const auto watch = may_watch(where);
    if (kind < 51) return {wire::get_data_request{where, watch}};
    if (kind < 58) return {wire::exists_request{where, watch}};
    return {wire::get_children_request{one_in(2) ? opcode::get_children : opcode::get_children2, where, watch}};
  }
  if (kind < 75) return {multi()};
  if (kind < 78) return {multi_read()};
  if (kind < 80) return {wire::get_acl_request{path()}};
  if (kind < 83) {
    const auto where = path();
    // What the root forbade would stay forbidden in all later rounds.
    // Apache's checks of later requests do not see the new list until it is applied, some time after.
    return {wire::set_acl_request{where == "/" ? root_ : where, acl(), version()}, true};
  }
  if (kind < 85) return {wire::sync_request{path()}};
  if (kind < 88) return {add_watch()};
  if (kind < 91) {
    const auto where = path();
    auto watch = static_cast<std::int32_t>(below(5)) + (one_in(20) ? 0 : 1);
    // 3.8 keeps a recursive watch that setWatches2 brought in both of its tables.
    if ((watch == 1 || watch == 2) && where.substr(0, root_.size() + 2) == root_ + "/r") watch = 3;
    // With a path that does not begin with '/', checkWatches fails in 3.8 as long as anybody has a recursive watch.
    const bool check = one_in(4) && where.starts_with('/');
    return {wire::remove_watches_request{check ? opcode::check_watches : opcode::remove_watches, where, watch}};
  }
  if (kind < 93) return {set_watches()};
  if (kind < 95) return {wire::get_ephemerals_request{path()}};
  if (kind < 97) return {wire::get_all_children_number_request{path()}};
  if (kind < 98) return {wire::who_am_i_request{}};
  if (kind < 99 && one_in(3)) return {wire::auth_request{0, "digest", "bart:simpson"}, true};
  return {wire::ping_request{}};
}

}  // namespace zkr::testing
