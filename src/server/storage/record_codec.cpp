#include "server/storage/record_codec.hpp"

#include "server/storage/checksum.hpp"
#include "wire/reader.hpp"
#include "wire/writer.hpp"

namespace zkr::backend {

namespace {

using wire::opcode;

// ---- encoding -------------------------------------------------------------------------------------------------------

opcode type_of(const error_record&) { return opcode::error; }
opcode type_of(const create_record& record) { return record.type; }
opcode type_of(const remove_record& record) { return record.reaped ? opcode::delete_container : opcode::remove; }
opcode type_of(const set_data_record&) { return opcode::set_data; }
opcode type_of(const set_acl_record&) { return opcode::set_acl; }
opcode type_of(const check_record&) { return opcode::check; }
opcode type_of(const create_session_record&) { return opcode::create_session; }
opcode type_of(const close_session_record&) { return opcode::close_session; }
opcode type_of(const multi_record&) { return opcode::multi; }

void write(wire::writer& to, const error_record& record) { to.int32(static_cast<std::int32_t>(record.code)); }

void write(wire::writer& to, const create_record& record) {
  to.string(record.path);
  to.buffer(record.data);
  to.acl(record.acl);
  if (record.type == opcode::create || record.type == opcode::create2) {
    to.boolean(record.kind == node_kind::ephemeral);
  }
  to.int32(record.parent_creations);
  if (record.type == opcode::create_ttl) to.int64(record.ttl_ms);
}

void write(wire::writer& to, const remove_record& record) { to.string(record.path); }

void write(wire::writer& to, const set_data_record& record) {
  to.string(record.path);
  to.buffer(record.data);
  to.int32(record.version);
}

void write(wire::writer& to, const set_acl_record& record) {
  to.string(record.path);
  to.acl(record.acl);
  to.int32(record.version);
}

void write(wire::writer& to, const check_record& record) {
  to.string(record.path);
  to.int32(record.version);
}

void write(wire::writer& to, const create_session_record& record) { to.int32(record.timeout_ms); }

void write(wire::writer& to, const close_session_record& record) {
  to.int32(static_cast<std::int32_t>(record.paths.size()));
  for (const std::string& path : record.paths) to.string(path);
}

void write(wire::writer& to, const multi_record& record) {
  to.int32(static_cast<std::int32_t>(record.operations.size()));
  for (const operation_record& operation : record.operations) {
    std::visit(
        [&](const auto& one) {
          to.int32(static_cast<std::int32_t>(type_of(one)));
          const std::size_t start = to.begin_frame();  // the length of a buffer is that of a frame
          write(to, one);
          to.end_frame(start);
        },
        operation);
  }
}

// ---- decoding -------------------------------------------------------------------------------------------------------

create_record read_create(wire::reader& from, opcode type) {
  create_record record;
  record.type = type;
  record.path = from.string();
  record.data = from.buffer();
  record.acl = from.acl();
  switch (type) {
    case opcode::create_container: record.kind = node_kind::container; break;
    case opcode::create_ttl: record.kind = node_kind::ttl; break;
    default: record.kind = from.boolean() ? node_kind::ephemeral : node_kind::persistent; break;
  }
  // The first form of this record ended here.
  record.parent_creations = type == opcode::create && from.remaining() == 0 ? -1 : from.int32();
  if (type == opcode::create_ttl) record.ttl_ms = from.int64() & largest_ttl_ms;
  return record;
}

set_data_record read_set_data(wire::reader& from) {
  const std::string_view path = from.string();
  const wire::buffer data = from.buffer();
  return {path, data, from.int32()};
}

check_record read_check(wire::reader& from) {
  const std::string_view path = from.string();
  return {path, from.int32()};
}

std::optional<operation_record> read_operation(wire::reader& from, opcode type) {
  switch (type) {
    case opcode::create:
    case opcode::create2:  // written by 3.9
    case opcode::create_container:
    case opcode::create_ttl: return read_create(from, type);
    case opcode::remove:
    case opcode::delete_container: return remove_record{from.string(), type == opcode::delete_container};
    case opcode::set_data:
    case opcode::reconfig: return read_set_data(from);
    case opcode::check: return read_check(from);
    case opcode::error: return error_record{static_cast<errc>(from.int32())};
    default: return std::nullopt;
  }
}

std::optional<multi_record> read_multi(wire::reader& from) {
  multi_record multi;
  for (std::int32_t left = from.count(); left > 0; --left) {
    const auto type = static_cast<opcode>(from.int32());
    wire::reader body(from.string());
    std::optional<operation_record> one = read_operation(body, type);
    if (!one || !body.ok() || !from.ok()) return std::nullopt;
    multi.operations.push_back(*std::move(one));
  }
  return multi;
}

std::optional<transaction_record> read_record(wire::reader& from, opcode type) {
  switch (type) {
    case opcode::set_acl: {
      set_acl_record record;
      record.path = from.string();
      record.acl = from.acl();
      record.version = from.int32();
      return record;
    }
    case opcode::create_session: return create_session_record{from.int32()};
    case opcode::close_session: {
      close_session_record record;
      // Before 3.6 there was none: whatever the session owns goes.
      if (from.remaining() == 0) return record;
      for (std::int32_t left = from.count(); left > 0 && from.ok(); --left) record.paths.emplace_back(from.string());
      return record;
    }
    case opcode::multi: {
      std::optional<multi_record> multi = read_multi(from);
      if (!multi) return std::nullopt;
      return *std::move(multi);
    }
    case opcode::check: static_cast<void>(read_check(from)); return error_record{};
    default: break;
  }
  std::optional<operation_record> one = read_operation(from, type);
  if (!one) return std::nullopt;
  return std::visit(
      [](auto& record) -> std::optional<transaction_record> {
        using record_type = std::decay_t<decltype(record)>;
        if constexpr (std::is_same_v<record_type, check_record>) {
          return std::nullopt;
        } else {
          return transaction_record(std::move(record));
        }
      },
      *one);
}

}  // namespace

void append_payload(std::string& to, const transaction& what, std::optional<std::uint64_t> digest) {
  wire::writer out(to);
  out.int64(what.header.session);
  out.int32(what.header.cxid);
  out.int64(what.header.zxid);
  out.int64(what.header.time_ms);
  std::visit(
      [&](const auto& record) {
        out.int32(static_cast<std::int32_t>(type_of(record)));
        write(out, record);
      },
      what.record);
  if (!digest) return;
  out.int32(digest_version);
  out.int64(static_cast<std::int64_t>(*digest));
}

std::optional<decoded_payload> decode_payload(std::string_view payload) {
  wire::reader from(payload);
  decoded_payload decoded;
  decoded.what.header.session = from.int64();
  decoded.what.header.cxid = from.int32();
  decoded.what.header.zxid = from.int64();
  decoded.what.header.time_ms = from.int64();
  const auto type = static_cast<opcode>(from.int32());
  if (!from.ok()) return std::nullopt;
  std::optional<transaction_record> record = read_record(from, type);
  if (!record || !from.ok()) return std::nullopt;
  decoded.what.record = *std::move(record);
  // What is shorter than a digest is none.
  if (from.remaining() >= 12 && from.int32() == digest_version) {
    decoded.digest = static_cast<std::uint64_t>(from.int64());
  }
  return decoded;
}

}  // namespace zkr::backend
