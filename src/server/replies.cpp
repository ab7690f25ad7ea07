#include "server/replies.hpp"

namespace zkr::backend {

void processor::reply_empty(const call& of, errc code) { reply_frame(*this, of, code); }

void processor::reply_empty(const call& of, errc code, std::int64_t zxid) {
  reply_frame(*this, of, of.header.xid, code, zxid);
}

void processor::event_sender::tell(const watch_table::receivers& who, wire::event_type type, std::string_view path,
                                   acl_id acl) {
  for (const connection_id id : who) {
    connection* to = server_.find(id);
    if (to == nullptr || to->closing) continue;
    if (acl != open_acl_id && !permits(seen_.state.acls().list(acl), perms::read, to->who)) continue;
    // Clients ignore the zxid; 3.9 fills it in (ZOOKEEPER-4655).
    wire::append_event_frame(to->output, {type, 3, path}, server_.options_.compat == compatibility::v3_9 ? zxid_ : -1);
    ++to->sent;
    ++server_.statistics_.sent;
    server_.make_ready(*to);
    server_.close_if_over(*to);
  }
}

void processor::event_sender::created(std::string_view path, acl_id acl, std::string_view parent, acl_id parent_acl) {
  const watches::fired fired = seen_.watched.created(path, parent);
  tell(fired.of_node, wire::event_type::created, path, acl);
  tell(fired.of_parent, wire::event_type::children_changed, parent, parent_acl);
}

void processor::event_sender::removed(std::string_view path, acl_id acl, std::string_view parent, acl_id parent_acl) {
  const watches::fired fired = seen_.watched.removed(path, parent);
  tell(fired.of_node, wire::event_type::removed, path, acl);
  tell(fired.of_self, wire::event_type::removed, path, acl);
  tell(fired.of_parent, wire::event_type::children_changed, parent, parent_acl);
}

void processor::event_sender::data_changed(std::string_view path, acl_id acl) {
  tell(seen_.watched.data_changed(path).of_node, wire::event_type::data_changed, path, acl);
}

}  // namespace zkr::backend
