#include "conformance/wire_client.hpp"

namespace zkr::testing {

std::uint16_t port_under_test() {
  const std::string& address = server_under_test();
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

wire_client::wire_client(std::int32_t timeout) : bytes(port_under_test()) {
  greet({0, 0, timeout, 0, std::string_view("", 0), false});
}

wire_client::wire_client(const wire::connect_request& handshake) : bytes(port_under_test()) { greet(handshake); }

wire_client::wire_client(server_port of) : bytes(of.number) {
  greet({0, 0, usual_timeout_ms, 0, std::string_view("", 0), false});
}

void wire_client::greet(const wire::connect_request& handshake) {
  session_id = bytes.greet(handshake);
  timeout_ms = bytes.timeout_ms;
  password = bytes.password;
}

std::int32_t wire_client::send(const wire::request& request) {
  bytes.send(request, ++xid_);
  return xid_;
}

void wire_client::send_frame(std::string_view payload) {
  std::string frame;
  wire::writer(frame).int32(static_cast<std::int32_t>(payload.size()));
  bytes.send(frame.append(payload));
}

incoming wire_client::next() {
  const std::string frame = bytes.receive_frame();
  std::string_view body = frame;
  const auto header = wire::decode_reply_header(body);
  return {header.value_or(wire::reply_header{0, 0, errc::connection_loss}), std::string(body)};
}

incoming wire_client::wait_for_reply() {
  while (true) {
    last = next();
    if (last.header.xid != wire::xid_notification) return last;
    const auto event = wire::decode_event(last.body);
    EXPECT_TRUE(event);
    if (event) events_.push_back({event->type, std::string(event->path)});
  }
}

incoming wire_client::call(const wire::request& request) {
  send(request);
  return wait_for_reply();
}

incoming wire_client::call_frame(std::string_view payload) {
  send_frame(payload);
  return wait_for_reply();
}

std::vector<seen_event> wire_client::events() {
  // Whatever was sent before this reply has come with it.
  EXPECT_EQ(exists("/").code(), errc::ok);
  std::vector<seen_event> taken;
  std::swap(taken, events_);
  return taken;
}

incoming wire_client::create(std::string_view path, std::string_view data, wire::create_flags flags) {
  const auto type = flags == wire::create_flags::container ? wire::opcode::create_container : wire::opcode::create2;
  return call(wire::create_request{type, path, data, open_acl(), static_cast<std::int32_t>(flags)});
}

errc wire_client::remove(std::string_view path, std::int32_t version) {
  return call(wire::remove_request{path, version}).code();
}

incoming wire_client::set(std::string_view path, std::string_view data, std::int32_t version) {
  return call(wire::set_data_request{path, data, version});
}

incoming wire_client::get(std::string_view path, bool watch) { return call(wire::get_data_request{path, watch}); }

incoming wire_client::exists(std::string_view path, bool watch) { return call(wire::exists_request{path, watch}); }

incoming wire_client::children(std::string_view path, bool watch) {
  return call(wire::get_children_request{wire::opcode::get_children2, path, watch});
}

stat_t wire_client::stat(std::string_view path) { return exists(path).stat(wire::opcode::exists); }

errc wire_client::auth(std::string_view scheme, std::string_view credentials) {
  return call(wire::auth_request{0, scheme, credentials}).code();
}

std::vector<wire::multi_result> wire_client::multi(std::vector<wire::multi_operation> operations) {
  call(wire::multi_request{std::move(operations)});
  if (last.code() != errc::ok) {
    ADD_FAILURE() << "the multi as a whole failed: " << static_cast<int>(last.code());
    return {};
  }
  // Not `as`: what is returned must point into `last`.
  const wire::decoded_reply decoded = wire::decode_reply(last.body, wire::opcode::multi);
  EXPECT_EQ(decoded.code, errc::ok);
  const auto* reply = std::get_if<wire::multi_reply>(&decoded.body);
  return reply != nullptr ? reply->results : std::vector<wire::multi_result>();
}

wire_conformance::wire_conformance() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  folder = "/" + std::string(test->test_suite_name()) + "." + test->name();
  EXPECT_EQ(zk.create(folder).code(), errc::ok);
}

}  // namespace zkr::testing
