#include "server/fault_subject.hpp"

#include "wire/codec.hpp"

namespace zkr::backend {

namespace {

fault_point point_of(wire::opcode type) noexcept {
  using wire::opcode;
  switch (type) {
    case opcode::create:
    case opcode::create2:
    case opcode::create_container:
    case opcode::create_ttl: return fault_point::create;
    case opcode::remove: return fault_point::remove;
    case opcode::exists: return fault_point::exists;
    case opcode::get_data: return fault_point::get;
    case opcode::set_data: return fault_point::set;
    case opcode::get_acl: return fault_point::get_acl;
    case opcode::set_acl: return fault_point::set_acl;
    case opcode::get_children:
    case opcode::get_children2: return fault_point::children;
    case opcode::sync: return fault_point::sync;
    case opcode::multi: return fault_point::multi;
    case opcode::multi_read: return fault_point::multi_read;
    case opcode::ping: return fault_point::ping;
    case opcode::auth: return fault_point::auth;
    case opcode::set_watches:
    case opcode::set_watches2: return fault_point::set_watches;
    case opcode::add_watch: return fault_point::add_watch;
    case opcode::check_watches:
    case opcode::remove_watches: return fault_point::remove_watches;
    case opcode::close_session: return fault_point::close_session;
    default: return fault_point::any_request;
  }
}

struct path_collector {
  std::vector<std::string_view>& into;

  void operator()(const wire::multi_request& of) const { all(of.operations); }
  void operator()(const wire::multi_read_request& of) const { all(of.operations); }
  void operator()(const wire::set_watches_request& of) const {
    for (const auto* list : {&of.data, &of.exist, &of.child, &of.persistent, &of.recursive}) {
      into.insert(into.end(), list->begin(), list->end());
    }
  }
  template <typename Request>
  void operator()(const Request& of) const {
    if constexpr (requires { of.path; }) into.push_back(of.path);
  }

 private:
  template <typename Operations>
  void all(const Operations& operations) const {
    for (const auto& one : operations) std::visit(*this, one);
  }
};

}  // namespace

fault_subject request_subject(std::string_view frame, std::int64_t session) {
  const wire::decoded_request request = wire::decode_request(frame);
  fault_subject subject{point_of(request.header.type), session};
  if (request.code == errc::ok) std::visit(path_collector{subject.paths}, request.body);
  return subject;
}

fault_subject handshake_subject(std::string_view frame) {
  const std::optional<wire::connect_request> asked = wire::decode_connect_request(frame);
  if (!asked || asked->session_id == 0) return {fault_point::new_session};
  return {fault_point::resumed_session, asked->session_id};
}

}  // namespace zkr::backend
