#include "wire/codec.hpp"

// A multi is a list of {int type, bool done, int err} headers, each followed by a record, ended by {-1, true, -1}.
namespace zkr::wire {

namespace {

struct multi_header {
  opcode type = opcode::error;
  bool done = true;
};

multi_header read_multi_header(reader& from) {
  multi_header header;
  header.type = static_cast<opcode>(from.int32());
  header.done = from.boolean();
  static_cast<void>(from.int32());
  return header;
}

struct result_writer {
  writer& to;

  void operator()(const create_reply& r) const {
    write_multi_header(to, r.stat ? opcode::create2 : opcode::create);
    to.string(r.path);
    if (r.stat) to.stat(*r.stat);
  }
  void operator()(const stat_reply& r) const {
    write_multi_header(to, opcode::set_data);
    to.stat(r.stat);
  }
  void operator()(const empty_reply& r) const { write_multi_header(to, r.type); }
  void operator()(const get_data_reply& r) const {
    write_multi_header(to, opcode::get_data);
    to.buffer(r.data);
    to.stat(r.stat);
  }
  void operator()(const get_children_reply& r) const {
    write_multi_header(to, opcode::get_children);
    to.strings(r.children);
  }
  void operator()(const error_result& r) const { write_multi_error(to, r.code); }
};

bool read_result(reader& from, opcode type, multi_result& into) {
  switch (type) {
    case opcode::create: into = create_reply{from.string(), std::nullopt}; return true;
    case opcode::create2: {
      create_reply& reply = into.emplace<create_reply>();
      reply.path = from.string();
      reply.stat = from.stat();
      return true;
    }
    case opcode::set_data: into = stat_reply{from.stat()}; return true;
    case opcode::remove:
    case opcode::check: into = empty_reply{type}; return true;
    case opcode::get_data: {
      get_data_reply& reply = into.emplace<get_data_reply>();
      reply.data = from.buffer();
      reply.stat = from.stat();
      return true;
    }
    case opcode::get_children: into = get_children_reply{from.strings(), std::nullopt}; return true;
    case opcode::error: into = error_result{static_cast<errc>(from.int32())}; return true;
    default: return false;
  }
}

}  // namespace

void read(reader& from, multi_request& into) {
  while (from.ok()) {
    const multi_header header = read_multi_header(from);
    if (header.done || !from.ok()) return;
    switch (header.type) {
      case opcode::create:
      case opcode::create2:
      case opcode::create_container:
      case opcode::create_ttl:
        read(from, std::get<create_request>(into.operations.emplace_back(create_request())), header.type);
        break;
      case opcode::remove: read(from, std::get<remove_request>(into.operations.emplace_back(remove_request()))); break;
      case opcode::set_data:
        read(from, std::get<set_data_request>(into.operations.emplace_back(set_data_request())));
        break;
      case opcode::check: read(from, std::get<check_request>(into.operations.emplace_back(check_request()))); break;
      default: from.fail();
    }
  }
}

void read(reader& from, multi_read_request& into) {
  while (from.ok()) {
    const multi_header header = read_multi_header(from);
    if (header.done || !from.ok()) return;
    switch (header.type) {
      case opcode::get_data:
        read(from, std::get<get_data_request>(into.operations.emplace_back(get_data_request())));
        break;
      case opcode::get_children:
        read(from, std::get<get_children_request>(into.operations.emplace_back(get_children_request())), header.type);
        break;
      default: from.fail();
    }
  }
}

void write_multi_header(writer& to, opcode type, errc code) {
  to.int32(static_cast<std::int32_t>(type));
  to.boolean(false);
  to.int32(static_cast<std::int32_t>(code));
}

void write_multi_end(writer& to) {
  to.int32(-1);
  to.boolean(true);
  to.int32(-1);
}

void write_multi_error(writer& to, errc code) {
  write_multi_header(to, opcode::error, code);
  to.int32(static_cast<std::int32_t>(code));
}

void write(writer& to, const multi_reply& body) {
  for (const multi_result& result : body.results) std::visit(result_writer{to}, result);
  write_multi_end(to);
}

void read(reader& from, multi_reply& into) {
  while (from.ok()) {
    const multi_header header = read_multi_header(from);
    if (header.done || !from.ok()) return;
    if (!read_result(from, header.type, into.results.emplace_back())) from.fail();
  }
}

}  // namespace zkr::wire
