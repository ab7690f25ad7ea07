#include "server/replies.hpp"

// addWatch, checkWatches, removeWatches, and setWatches, with which a client takes its watches to a new connection.
namespace zkr::backend {

// Memory that a client can make the server use has a bound: who goes beyond loses the connection.
void processor::check_watch_limit(connection& of) {
  if (of.sees->watched.watches_of(of.id) > options_.max_watches_per_connection) give_up(of, "too many watches");
}

void processor::add_watch(call& of) {
  wire::add_watch_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return reply_empty(of, errc::marshalling_error);
  switch (static_cast<wire::add_watch_mode>(asked.mode)) {
    case wire::add_watch_mode::persistent: of.from.sees->watched.add_persistent(asked.path, of.from.id); break;
    case wire::add_watch_mode::persistent_recursive: of.from.sees->watched.add_recursive(asked.path, of.from.id); break;
    default: return reply_empty(of, errc::marshalling_error);
  }
  reply_frame(*this, of).body().int32(0);
  check_watch_limit(of.from);
}

void processor::change_watches(call& of) {
  wire::remove_watches_request asked;
  wire::read(of.body, asked, of.header.type);
  const bool as_3_9 = options_.compat == compatibility::v3_9;
  if (!of.body.ok() || asked.kind < 1 || asked.kind > (as_3_9 ? 5 : 3)) return reply_empty(of, errc::marshalling_error);
  const auto kind = static_cast<watches::kind>(asked.kind);
  bool found = false;
  if (wire::is_null(asked.path)) {
    // Is not the empty path, which is the root's second name.
  } else if (asked.type == wire::opcode::remove_watches) {
    found = as_3_9 ? of.from.sees->watched.remove(asked.path, of.from.id, kind)
                   : of.from.sees->watched.remove_all(asked.path, of.from.id, kind);
  } else {
    // 3.8 forgets to ask whose watch it is.
    found = as_3_9 ? of.from.sees->watched.contains(asked.path, of.from.id, kind)
                   : of.from.sees->watched.contains_any(asked.path, kind);
  }
  reply_empty(of, found ? errc::ok : errc::no_watcher);
}

// Tells what the client missed between `relative_zxid` and now, and registers the rest. No permission is asked for.
void processor::set_watches(call& of) {
  wire::set_watches_request asked;
  wire::read(of.body, asked, of.header.type);
  if (!of.body.ok()) return reply_empty(of, errc::marshalling_error);
  const connection_id who = of.from.id;
  const auto tell = [&](wire::event_type type, std::string_view path) {
    wire::append_event_frame(of.from.output, {type, 3, path});
    ++of.from.sent;
    ++statistics_.sent;
  };
  for (const std::string_view path : asked.data) {
    const node* found = of.from.sees->state.nodes().find(path);
    if (found == nullptr) {
      tell(wire::event_type::removed, path);
    } else if (found->mzxid > asked.relative_zxid) {
      tell(wire::event_type::data_changed, path);
    } else {
      of.from.sees->watched.add_data(path, who);
    }
  }
  for (const std::string_view path : asked.exist) {
    if (of.from.sees->state.nodes().find(path) != nullptr) {
      tell(wire::event_type::created, path);
    } else {
      of.from.sees->watched.add_data(path, who);
    }
  }
  for (const std::string_view path : asked.child) {
    const node* found = of.from.sees->state.nodes().find(path);
    if (found == nullptr) {
      tell(wire::event_type::removed, path);
    } else if (found->pzxid > asked.relative_zxid) {
      tell(wire::event_type::children_changed, path);
    } else {
      of.from.sees->watched.add_children(path, who);
    }
  }
  for (const std::string_view path : asked.persistent) of.from.sees->watched.add_persistent(path, who);
  for (const std::string_view path : asked.recursive) of.from.sees->watched.add_recursive(path, who);
  reply_empty(of);
  check_watch_limit(of.from);
}

}  // namespace zkr::backend
