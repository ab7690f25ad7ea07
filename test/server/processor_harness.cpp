#include "server/processor_harness.hpp"

#include <gtest/gtest.h>

#include "wire/codec.hpp"

namespace zkr::testing {

backend::processor_options processor_harness::fast() {
  backend::processor_options options;
  options.tick_time = std::chrono::milliseconds(100);
  return options;
}

processor_harness::processor_harness(backend::processor_options options) : core(std::move(options), now) {}

void processor_harness::advance(duration by) {
  const time_point end = now.now + by;
  const auto move_to = [&](time_point at) {
    now.wall_ms += std::chrono::duration_cast<std::chrono::milliseconds>(at - now.now).count();
    now.now = at;
  };
  for (auto next = core.next_tick(); next && *next <= end; next = core.next_tick()) {
    move_to(std::max(*next, now.now));
    core.tick(now);
  }
  move_to(end);
}

processor_harness::client processor_harness::dial(backend::peer from) {
  return client(*this, core.open(std::move(from), now));
}

processor_harness::client processor_harness::connect(std::int32_t timeout_ms) {
  return connect(wire::connect_request{0, 0, timeout_ms, 0, {}, false});
}

processor_harness::client processor_harness::connect(const wire::connect_request& handshake, backend::peer from) {
  client made = dial(std::move(from));
  std::string frame;
  wire::append_connect_request_frame(frame, handshake);
  core.receive(made.id(), wire::split_frame(frame).frame, now);
  std::string& output = core.output(made.id());
  const auto answer = wire::decode_connect_reply(wire::split_frame(output).frame);
  if (answer) {
    made.session_id = answer->session_id;
    made.timeout_ms = answer->timeout_ms;
    made.password = answer->password;
  }
  output.clear();
  answered(made.id());
  return made;
}

void processor_harness::answered(backend::connection_id which) {
  backend::unanswered all;
  all.add(now.now, core.connections().at(which).outstanding);
  if (all.count != 0) core.answered(which, all, now.now);
}

std::int32_t processor_harness::client::send(const wire::request& request) {
  std::string frame;
  wire::append_request_frame(frame, ++xid_, request);
  send_frame(wire::split_frame(frame).frame);
  return xid_;
}

void processor_harness::client::send_frame(std::string_view payload) {
  server_->core.receive(id_, payload, server_->now);
}

std::vector<incoming> processor_harness::client::receive() {
  std::vector<incoming> messages;
  std::string output;
  std::swap(output, server_->core.output(id_));
  server_->answered(id_);
  std::string_view rest = output;
  while (!rest.empty()) {
    const wire::frame_split split = wire::split_frame(rest, 1U << 30U);
    EXPECT_EQ(split.status, wire::frame_status::complete);
    std::string_view body = split.frame;
    const auto header = wire::decode_reply_header(body);
    EXPECT_TRUE(header);
    messages.push_back({header.value_or(wire::reply_header()), std::string(body)});
    rest.remove_prefix(split.consumed);
  }
  return messages;
}

incoming processor_harness::client::wait_for_reply() {
  incoming reply{{0, 0, errc::connection_loss}, {}};
  for (incoming& message : receive()) {
    if (message.header.xid == wire::xid_notification) {
      const auto event = wire::decode_event(message.body);
      EXPECT_TRUE(event);
      if (event) events_.push_back({event->type, std::string(event->path)});
    } else {
      EXPECT_EQ(reply.header.code, errc::connection_loss) << "two replies to one request";
      reply = std::move(message);
    }
  }
  return reply;
}

incoming processor_harness::client::call(const wire::request& request) {
  send(request);
  return wait_for_reply();
}

incoming processor_harness::client::call_frame(std::string_view payload) {
  send_frame(payload);
  return wait_for_reply();
}

std::vector<seen_event> processor_harness::client::events() {
  const incoming reply = wait_for_reply();
  EXPECT_EQ(reply.header.code, errc::connection_loss) << "a reply that nobody took";
  std::vector<seen_event> taken;
  std::swap(taken, events_);
  return taken;
}

incoming processor_harness::client::create(std::string_view path, std::string_view data, wire::create_flags flags) {
  return call(wire::create_request{wire::opcode::create2, path, data, open_acl(), static_cast<std::int32_t>(flags)});
}

errc processor_harness::client::remove(std::string_view path, std::int32_t version) {
  return call(wire::remove_request{path, version}).code();
}

incoming processor_harness::client::set(std::string_view path, std::string_view data, std::int32_t version) {
  return call(wire::set_data_request{path, data, version});
}

incoming processor_harness::client::get(std::string_view path, bool watch) {
  return call(wire::get_data_request{path, watch});
}

incoming processor_harness::client::exists(std::string_view path, bool watch) {
  return call(wire::exists_request{path, watch});
}

std::vector<std::string> processor_harness::client::children(std::string_view path, bool watch) {
  const incoming reply = call(wire::get_children_request{wire::opcode::get_children, path, watch});
  const wire::reply body = reply.as(wire::opcode::get_children);
  const auto& names = std::get<wire::get_children_reply>(body).children;
  return {names.begin(), names.end()};
}

stat_t processor_harness::client::stat(std::string_view path) { return exists(path).stat(wire::opcode::exists); }

errc processor_harness::client::auth(std::string_view scheme, std::string_view credentials) {
  return call(wire::auth_request{0, scheme, credentials}).code();
}

}  // namespace zkr::testing
