#include "wire/codec.hpp"

namespace zkr::wire {

void write(writer& to, const request_header& header) {
  to.int32(header.xid);
  to.int32(static_cast<std::int32_t>(header.type));
}

request_header read_request_header(reader& from) {
  request_header header;
  header.xid = from.int32();
  header.type = static_cast<opcode>(from.int32());
  return header;
}

// ---- reading --------------------------------------------------------------------------------------------------------

void read(reader& from, create_request& into, opcode type) {
  into.type = type;
  into.path = from.string();
  into.data = from.buffer();
  into.acl = from.acl();
  into.flags = from.int32();
  into.ttl_ms = type == opcode::create_ttl ? from.int64() : -1;
}
void read(reader& from, remove_request& into) {
  into.path = from.string();
  into.version = from.int32();
}
void read(reader& from, exists_request& into) {
  into.path = from.string();
  into.watch = from.boolean();
}
void read(reader& from, get_data_request& into) {
  into.path = from.string();
  into.watch = from.boolean();
}
void read(reader& from, set_data_request& into) {
  into.path = from.string();
  into.data = from.buffer();
  into.version = from.int32();
}
void read(reader& from, get_acl_request& into) { into.path = from.string(); }
void read(reader& from, set_acl_request& into) {
  into.path = from.string();
  into.acl = from.acl();
  into.version = from.int32();
}
void read(reader& from, get_children_request& into, opcode type) {
  into.type = type;
  into.path = from.string();
  into.watch = from.boolean();
}
void read(reader& from, sync_request& into) { into.path = from.string(); }
void read(reader& from, check_request& into) {
  into.path = from.string();
  into.version = from.int32();
}
void read(reader& from, reconfig_request& into) {
  into.joining = from.string();
  into.leaving = from.string();
  into.new_members = from.string();
  into.config_id = from.int64();
}
void read(reader& from, remove_watches_request& into, opcode type) {
  into.type = type;
  into.path = from.string();
  into.kind = from.int32();
}
void read(reader& from, auth_request& into) {
  into.type = from.int32();
  into.scheme = from.string();
  into.credentials = from.string();
}
void read(reader& from, set_watches_request& into, opcode type) {
  into.type = type;
  into.relative_zxid = from.int64();
  into.data = from.strings();
  into.exist = from.strings();
  into.child = from.strings();
  if (type == opcode::set_watches2) {
    into.persistent = from.strings();
    into.recursive = from.strings();
  }
}
void read(reader& from, sasl_request& into) { into.token = from.string(); }
void read(reader& from, get_ephemerals_request& into) { into.prefix = from.string(); }
void read(reader& from, get_all_children_number_request& into) { into.path = from.string(); }
void read(reader& from, add_watch_request& into) {
  into.path = from.string();
  into.mode = from.int32();
}

namespace {

template <typename Request>
void read_into(decoded_request& decoded, reader& from) {
  read(from, decoded.body.emplace<Request>());
}
template <typename Request>
void read_typed(decoded_request& decoded, reader& from) {
  read(from, decoded.body.emplace<Request>(), decoded.header.type);
}

bool read_body(decoded_request& decoded, reader& from) {
  switch (decoded.header.type) {
    case opcode::create:
    case opcode::create2:
    case opcode::create_container:
    case opcode::create_ttl: return read_typed<create_request>(decoded, from), true;
    case opcode::remove: return read_into<remove_request>(decoded, from), true;
    case opcode::exists: return read_into<exists_request>(decoded, from), true;
    case opcode::get_data: return read_into<get_data_request>(decoded, from), true;
    case opcode::set_data: return read_into<set_data_request>(decoded, from), true;
    case opcode::get_acl: return read_into<get_acl_request>(decoded, from), true;
    case opcode::set_acl: return read_into<set_acl_request>(decoded, from), true;
    case opcode::get_children:
    case opcode::get_children2: return read_typed<get_children_request>(decoded, from), true;
    case opcode::sync: return read_into<sync_request>(decoded, from), true;
    case opcode::ping: return decoded.body.emplace<ping_request>(), true;
    case opcode::check: return read_into<check_request>(decoded, from), true;
    case opcode::multi: return read_into<multi_request>(decoded, from), true;
    case opcode::multi_read: return read_into<multi_read_request>(decoded, from), true;
    case opcode::reconfig: return read_into<reconfig_request>(decoded, from), true;
    case opcode::check_watches:
    case opcode::remove_watches: return read_typed<remove_watches_request>(decoded, from), true;
    case opcode::auth: return read_into<auth_request>(decoded, from), true;
    case opcode::set_watches:
    case opcode::set_watches2: return read_typed<set_watches_request>(decoded, from), true;
    case opcode::sasl: return read_into<sasl_request>(decoded, from), true;
    case opcode::get_ephemerals: return read_into<get_ephemerals_request>(decoded, from), true;
    case opcode::get_all_children_number: return read_into<get_all_children_number_request>(decoded, from), true;
    case opcode::add_watch: return read_into<add_watch_request>(decoded, from), true;
    case opcode::who_am_i: return decoded.body.emplace<who_am_i_request>(), true;
    case opcode::close_session: return decoded.body.emplace<close_session_request>(), true;
    case opcode::notification:
    case opcode::delete_container:
    case opcode::create_session:
    case opcode::error: break;
  }
  return false;
}

}  // namespace

decoded_request decode_request(std::string_view frame) {
  decoded_request decoded;
  reader from(frame);
  decoded.header = read_request_header(from);
  if (!from.ok()) {
    decoded.header = {};
    decoded.code = errc::marshalling_error;
  } else if (!read_body(decoded, from)) {
    decoded.code = errc::unimplemented;
  } else if (!from.ok()) {
    decoded.code = errc::marshalling_error;
  }
  return decoded;
}

// ---- writing --------------------------------------------------------------------------------------------------------

namespace {

struct request_writer {
  writer& to;

  void operator()(const create_request& r) const {
    to.string(r.path);
    to.buffer(r.data);
    to.acl(r.acl);
    to.int32(r.flags);
    if (r.type == opcode::create_ttl) to.int64(r.ttl_ms);
  }
  void operator()(const remove_request& r) const { path_and_int(r.path, r.version); }
  void operator()(const exists_request& r) const { path_and_bool(r.path, r.watch); }
  void operator()(const get_data_request& r) const { path_and_bool(r.path, r.watch); }
  void operator()(const set_data_request& r) const {
    to.string(r.path);
    to.buffer(r.data);
    to.int32(r.version);
  }
  void operator()(const get_acl_request& r) const { to.string(r.path); }
  void operator()(const set_acl_request& r) const {
    to.string(r.path);
    to.acl(r.acl);
    to.int32(r.version);
  }
  void operator()(const get_children_request& r) const { path_and_bool(r.path, r.watch); }
  void operator()(const sync_request& r) const { to.string(r.path); }
  void operator()(const ping_request&) const {}
  void operator()(const check_request& r) const { path_and_int(r.path, r.version); }
  void operator()(const multi_request& r) const { operations(r.operations); }
  void operator()(const multi_read_request& r) const { operations(r.operations); }
  void operator()(const reconfig_request& r) const {
    to.string(r.joining);
    to.string(r.leaving);
    to.string(r.new_members);
    to.int64(r.config_id);
  }
  void operator()(const remove_watches_request& r) const { path_and_int(r.path, r.kind); }
  void operator()(const auth_request& r) const {
    to.int32(r.type);
    to.string(r.scheme);
    to.string(r.credentials);
  }
  void operator()(const set_watches_request& r) const {
    to.int64(r.relative_zxid);
    to.strings(r.data);
    to.strings(r.exist);
    to.strings(r.child);
    if (r.type == opcode::set_watches2) {
      to.strings(r.persistent);
      to.strings(r.recursive);
    }
  }
  void operator()(const sasl_request& r) const { to.string(r.token); }
  void operator()(const get_ephemerals_request& r) const { to.string(r.prefix); }
  void operator()(const get_all_children_number_request& r) const { to.string(r.path); }
  void operator()(const add_watch_request& r) const { path_and_int(r.path, r.mode); }
  void operator()(const who_am_i_request&) const {}
  void operator()(const close_session_request&) const {}

 private:
  void path_and_int(std::string_view path, std::int32_t value) const {
    to.string(path);
    to.int32(value);
  }
  void path_and_bool(std::string_view path, bool value) const {
    to.string(path);
    to.boolean(value);
  }
  template <typename Operation>
  void operations(const std::vector<Operation>& list) const {
    for (const Operation& operation : list) {
      const opcode type = std::visit([](const auto& one) { return type_of(request(one)); }, operation);
      write_multi_header(to, type, errc::system_error);
      std::visit(*this, operation);
    }
    write_multi_end(to);
  }
};

}  // namespace

void write(writer& to, const request& body) { std::visit(request_writer{to}, body); }

void append_request_frame(std::string& out, std::int32_t xid, const request& body) {
  writer to(out);
  const std::size_t frame = to.begin_frame();
  write(to, request_header{xid, type_of(body)});
  write(to, body);
  to.end_frame(frame);
}

}  // namespace zkr::wire
