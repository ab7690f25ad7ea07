#include "unit/wire/message_source.hpp"

namespace zkr::testing {

using namespace wire;

std::string_view message_source::string() {
  const std::uint32_t length = below(9);
  if (length == 8) return {};
  std::string& text = strings_.emplace_back();
  for (std::uint32_t i = 0; i < length; ++i) text.push_back(static_cast<char>(below(256)));
  return text;
}

wire::buffer message_source::buffer() {
  const std::string_view bytes = string();
  return is_null(bytes) ? wire::buffer() : wire::buffer(bytes);
}

string_list message_source::strings() {
  string_list list(below(4));
  for (std::string_view& text : list) text = string();
  return list;
}

acl_list message_source::acl() {
  acl_list list(below(3));
  for (acl_entry& entry : list) entry = {int32(), std::string(string()), std::string(string())};
  return list;
}

stat_t message_source::stat() {
  return {.czxid = int64(),
          .mzxid = int64(),
          .ctime = int64(),
          .mtime = int64(),
          .version = int32(),
          .cversion = int32(),
          .aversion = int32(),
          .ephemeral_owner = int64(),
          .data_length = int32(),
          .num_children = int32(),
          .pzxid = int64()};
}

create_request message_source::create() {
  constexpr opcode types[] = {opcode::create, opcode::create2, opcode::create_container, opcode::create_ttl};
  create_request r{types[below(4)], string(), buffer(), acl(), int32()};
  if (r.type == opcode::create_ttl) r.ttl_ms = int64();
  return r;
}

multi_operation message_source::operation() {
  switch (below(4)) {
    case 0: return create();
    case 1: return remove_request{string(), int32()};
    case 2: return set_data_request{string(), buffer(), int32()};
    default: return check_request{string(), int32()};
  }
}

wire::request message_source::request() {
  switch (below(23)) {
    case 0: return create();
    case 1: return remove_request{string(), int32()};
    case 2: return exists_request{string(), flag()};
    case 3: return get_data_request{string(), flag()};
    case 4: return set_data_request{string(), buffer(), int32()};
    case 5: return get_acl_request{string()};
    case 6: return set_acl_request{string(), acl(), int32()};
    case 7: return get_children_request{flag() ? opcode::get_children : opcode::get_children2, string(), flag()};
    case 8: return sync_request{string()};
    case 9: return ping_request{};
    case 10: return check_request{string(), int32()};
    case 11: {
      multi_request r;
      for (std::uint32_t i = below(4); i > 0; --i) r.operations.push_back(operation());
      return r;
    }
    case 12: {
      multi_read_request r;
      for (std::uint32_t i = below(4); i > 0; --i) {
        if (flag())
          r.operations.emplace_back(get_data_request{string(), flag()});
        else
          r.operations.emplace_back(get_children_request{opcode::get_children, string(), flag()});
      }
      return r;
    }
    case 13: return reconfig_request{string(), string(), string(), int64()};
    case 14: return remove_watches_request{flag() ? opcode::check_watches : opcode::remove_watches, string(), int32()};
    case 15: return auth_request{int32(), string(), string()};
    case 16: return set_watches_request{opcode::set_watches, int64(), strings(), strings(), strings(), {}, {}};
    case 17:
      return set_watches_request{opcode::set_watches2, int64(), strings(), strings(), strings(), strings(), strings()};
    case 18: return sasl_request{string()};
    case 19: return get_ephemerals_request{string()};
    case 20: return get_all_children_number_request{string()};
    case 21: return add_watch_request{string(), int32()};
    default: return flag() ? wire::request(who_am_i_request{}) : wire::request(close_session_request{});
  }
}

multi_result message_source::result() {
  switch (below(7)) {
    case 0: return create_reply{string(), std::nullopt};
    case 1: return create_reply{string(), stat()};
    case 2: return stat_reply{stat()};
    case 3: return empty_reply{flag() ? opcode::remove : opcode::check};
    case 4: return get_data_reply{buffer(), stat()};
    case 5: return get_children_reply{strings(), std::nullopt};
    default: return error_result{static_cast<errc>(int32())};
  }
}

std::pair<wire::reply, opcode> message_source::reply() {
  switch (below(15)) {
    case 0: return {create_reply{string(), std::nullopt}, opcode::create};
    case 1: return {create_reply{string(), stat()}, flag() ? opcode::create2 : opcode::create_container};
    case 2: return {stat_reply{stat()}, flag() ? opcode::exists : opcode::set_data};
    case 3: return {get_data_reply{buffer(), stat()}, opcode::get_data};
    case 4: return {get_acl_reply{acl(), stat()}, opcode::get_acl};
    case 5: return {get_children_reply{strings(), std::nullopt}, opcode::get_children};
    case 6: return {get_children_reply{strings(), stat()}, opcode::get_children2};
    case 7: return {sync_reply{string()}, opcode::sync};
    case 8: return {sasl_reply{buffer()}, opcode::sasl};
    case 9: return {get_ephemerals_reply{strings()}, opcode::get_ephemerals};
    case 10: return {get_all_children_number_reply{int32()}, opcode::get_all_children_number};
    case 11: return {add_watch_reply{int32()}, opcode::add_watch};
    case 12: {
      who_am_i_reply r;
      for (std::uint32_t i = below(3); i > 0; --i) r.identities.push_back({string(), string()});
      return {r, opcode::who_am_i};
    }
    case 13: {
      multi_reply r;
      for (std::uint32_t i = below(4); i > 0; --i) r.results.push_back(result());
      return {r, flag() ? opcode::multi : opcode::multi_read};
    }
    default: return {empty_reply{}, opcode::remove};
  }
}

}  // namespace zkr::testing
