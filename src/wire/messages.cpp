#include "wire/messages.hpp"

namespace zkr::wire {

namespace {

struct type_visitor {
  opcode operator()(const create_request& r) const noexcept { return r.type; }
  opcode operator()(const remove_request&) const noexcept { return opcode::remove; }
  opcode operator()(const exists_request&) const noexcept { return opcode::exists; }
  opcode operator()(const get_data_request&) const noexcept { return opcode::get_data; }
  opcode operator()(const set_data_request&) const noexcept { return opcode::set_data; }
  opcode operator()(const get_acl_request&) const noexcept { return opcode::get_acl; }
  opcode operator()(const set_acl_request&) const noexcept { return opcode::set_acl; }
  opcode operator()(const get_children_request& r) const noexcept { return r.type; }
  opcode operator()(const sync_request&) const noexcept { return opcode::sync; }
  opcode operator()(const ping_request&) const noexcept { return opcode::ping; }
  opcode operator()(const check_request&) const noexcept { return opcode::check; }
  opcode operator()(const multi_request&) const noexcept { return opcode::multi; }
  opcode operator()(const multi_read_request&) const noexcept { return opcode::multi_read; }
  opcode operator()(const reconfig_request&) const noexcept { return opcode::reconfig; }
  opcode operator()(const remove_watches_request& r) const noexcept { return r.type; }
  opcode operator()(const auth_request&) const noexcept { return opcode::auth; }
  opcode operator()(const set_watches_request& r) const noexcept { return r.type; }
  opcode operator()(const sasl_request&) const noexcept { return opcode::sasl; }
  opcode operator()(const get_ephemerals_request&) const noexcept { return opcode::get_ephemerals; }
  opcode operator()(const get_all_children_number_request&) const noexcept { return opcode::get_all_children_number; }
  opcode operator()(const add_watch_request&) const noexcept { return opcode::add_watch; }
  opcode operator()(const who_am_i_request&) const noexcept { return opcode::who_am_i; }
  opcode operator()(const close_session_request&) const noexcept { return opcode::close_session; }
};

}  // namespace

opcode type_of(const request& of) noexcept { return std::visit(type_visitor(), of); }

bool is_read(opcode type) noexcept {
  switch (type) {
    case opcode::exists:
    case opcode::get_data:
    case opcode::get_acl:
    case opcode::get_children:
    case opcode::sync:
    case opcode::ping:
    case opcode::get_children2:
    case opcode::check:
    case opcode::check_watches:
    case opcode::multi_read:
    case opcode::get_ephemerals:
    case opcode::get_all_children_number:
    case opcode::who_am_i: return true;
    default: return false;
  }
}

}  // namespace zkr::wire
