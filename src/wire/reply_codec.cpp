#include "wire/codec.hpp"

namespace zkr::wire {

void write(writer& to, const reply_header& header) { to.header(header); }

reply_header read_reply_header(reader& from) {
  reply_header header;
  header.xid = from.int32();
  header.zxid = from.int64();
  header.code = static_cast<errc>(from.int32());
  return header;
}

std::optional<reply_header> decode_reply_header(std::string_view& frame) {
  reader from(frame);
  const reply_header header = read_reply_header(from);
  if (!from.ok()) return std::nullopt;
  frame = from.rest();
  return header;
}

namespace {

bool read_body(reader& from, opcode of, reply& into) {
  switch (of) {
    case opcode::create: into = create_reply{from.string(), std::nullopt}; return true;
    case opcode::create2:
    case opcode::create_container:
    case opcode::create_ttl: {
      create_reply& body = into.emplace<create_reply>();
      body.path = from.string();
      body.stat = from.stat();
      return true;
    }
    case opcode::exists:
    case opcode::set_data:
    case opcode::set_acl: into = stat_reply{from.stat()}; return true;
    case opcode::get_data: {
      get_data_reply& body = into.emplace<get_data_reply>();
      body.data = from.buffer();
      body.stat = from.stat();
      return true;
    }
    case opcode::get_acl: {
      get_acl_reply& body = into.emplace<get_acl_reply>();
      body.acl = from.acl();
      body.stat = from.stat();
      return true;
    }
    case opcode::get_children: into = get_children_reply{from.strings(), std::nullopt}; return true;
    case opcode::get_children2: {
      get_children_reply& body = into.emplace<get_children_reply>();
      body.children = from.strings();
      body.stat = from.stat();
      return true;
    }
    case opcode::sync: into = sync_reply{from.string()}; return true;
    case opcode::sasl: into = sasl_reply{from.buffer()}; return true;
    case opcode::get_ephemerals: into = get_ephemerals_reply{from.strings()}; return true;
    case opcode::get_all_children_number: into = get_all_children_number_reply{from.int32()}; return true;
    case opcode::add_watch: into = add_watch_reply{from.int32()}; return true;
    case opcode::who_am_i: {
      who_am_i_reply& body = into.emplace<who_am_i_reply>();
      const std::int32_t items = from.count();
      for (std::int32_t i = 0; i < items && from.ok(); ++i) {
        identity& who = body.identities.emplace_back();
        who.scheme = from.string();
        who.user = from.string();
      }
      return true;
    }
    case opcode::multi:
    case opcode::multi_read: read(from, into.emplace<multi_reply>()); return true;
    case opcode::remove:
    case opcode::ping:
    case opcode::check:
    case opcode::reconfig:
    case opcode::check_watches:
    case opcode::remove_watches:
    case opcode::auth:
    case opcode::set_watches:
    case opcode::set_watches2:
    case opcode::close_session: into = empty_reply{of}; return true;
    case opcode::notification:
    case opcode::delete_container:
    case opcode::create_session:
    case opcode::error: break;
  }
  return false;
}

struct reply_writer {
  writer& to;

  void operator()(const empty_reply&) const {}
  void operator()(const create_reply& r) const {
    to.string(r.path);
    if (r.stat) to.stat(*r.stat);
  }
  void operator()(const stat_reply& r) const { to.stat(r.stat); }
  void operator()(const get_data_reply& r) const {
    to.buffer(r.data);
    to.stat(r.stat);
  }
  void operator()(const get_acl_reply& r) const {
    to.acl(r.acl);
    to.stat(r.stat);
  }
  void operator()(const get_children_reply& r) const {
    to.strings(r.children);
    if (r.stat) to.stat(*r.stat);
  }
  void operator()(const sync_reply& r) const { to.string(r.path); }
  void operator()(const sasl_reply& r) const { to.buffer(r.token); }
  void operator()(const get_ephemerals_reply& r) const { to.strings(r.paths); }
  void operator()(const get_all_children_number_reply& r) const { to.int32(r.count); }
  void operator()(const add_watch_reply& r) const { to.int32(r.code); }
  void operator()(const who_am_i_reply& r) const {
    to.int32(static_cast<std::int32_t>(r.identities.size()));
    for (const identity& who : r.identities) {
      to.string(who.scheme);
      to.string(who.user);
    }
  }
  void operator()(const multi_reply& r) const { write(to, r); }
};

}  // namespace

decoded_reply decode_reply(std::string_view body, opcode of) {
  decoded_reply decoded;
  reader from(body);
  if (!read_body(from, of, decoded.body) || !from.ok()) decoded.code = errc::marshalling_error;
  return decoded;
}

std::optional<watcher_event> decode_event(std::string_view body) {
  reader from(body);
  watcher_event event;
  event.type = static_cast<event_type>(from.int32());
  event.state = from.int32();
  event.path = from.string();
  if (!from.ok()) return std::nullopt;
  return event;
}

void append_reply_frame(std::string& out, const reply_header& header, const reply& body) {
  writer to(out);
  const std::size_t frame = to.begin_frame();
  write(to, header);
  if (header.code == errc::ok) std::visit(reply_writer{to}, body);
  to.end_frame(frame);
}

void append_event_frame(std::string& out, const watcher_event& event, std::int64_t zxid) {
  writer to(out);
  const std::size_t frame = to.begin_frame();
  write(to, reply_header{xid_notification, zxid, errc::ok});
  to.int32(static_cast<std::int32_t>(event.type));
  to.int32(event.state);
  to.string(event.path);
  to.end_frame(frame);
}

// ---- the handshake --------------------------------------------------------------------------------------------------

namespace {

// Old clients leave the last byte out (go-zookeeper); a server mirrors what it got.
std::optional<bool> read_read_only(reader& from) {
  if (from.remaining() == 0) return std::nullopt;
  return from.boolean();
}

}  // namespace

std::optional<connect_request> decode_connect_request(std::string_view frame) {
  reader from(frame);
  connect_request body;
  body.protocol_version = from.int32();
  body.last_zxid_seen = from.int64();
  body.timeout_ms = from.int32();
  body.session_id = from.int64();
  body.password = from.string();
  body.read_only = read_read_only(from);
  if (!from.ok()) return std::nullopt;
  return body;
}

std::optional<connect_reply> decode_connect_reply(std::string_view frame) {
  reader from(frame);
  connect_reply body;
  body.protocol_version = from.int32();
  body.timeout_ms = from.int32();
  body.session_id = from.int64();
  body.password = from.string();
  body.read_only = read_read_only(from);
  if (!from.ok()) return std::nullopt;
  return body;
}

void append_connect_request_frame(std::string& out, const connect_request& body) {
  writer to(out);
  const std::size_t frame = to.begin_frame();
  to.int32(body.protocol_version);
  to.int64(body.last_zxid_seen);
  to.int32(body.timeout_ms);
  to.int64(body.session_id);
  to.string(body.password);
  if (body.read_only) to.boolean(*body.read_only);
  to.end_frame(frame);
}

void append_connect_reply_frame(std::string& out, const connect_reply& body) {
  writer to(out);
  const std::size_t frame = to.begin_frame();
  to.int32(body.protocol_version);
  to.int32(body.timeout_ms);
  to.int64(body.session_id);
  to.string(body.password);
  if (body.read_only) to.boolean(*body.read_only);
  to.end_frame(frame);
}

}  // namespace zkr::wire
