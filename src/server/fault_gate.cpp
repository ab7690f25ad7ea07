#include "server/fault_gate.hpp"

#include <algorithm>
#include <utility>

#include "server/fault_subject.hpp"
#include "wire/big_endian.hpp"

namespace zkr::backend {

std::size_t output_hold::open(std::size_t size, time_point now) {
  while (!holds_.empty() && holds_.front().second <= now) holds_.pop_front();
  return holds_.empty() ? size : std::min(size, holds_.front().first);
}

void output_hold::taken(std::size_t bytes) {
  for (auto& [from, until] : holds_) from -= std::min(from, bytes);
}

bool fault_gate::refuses_connection() {
  if (rules_ == nullptr || !rules_->active()) return false;
  const auto what = rules_->match({fault_point::connection});
  if (what) rules_->done(what->id);
  return what.has_value();
}

fault_gate::outcome fault_gate::receive(connection_id from, connection_faults& state, std::string_view frame,
                                        instant at) {
  if (state.deaf) return outcome::taken;
  if (state.held(at.now)) return outcome::held;
  if (std::exchange(state.input_held_until, std::nullopt)) return pass(from, frame, at);
  if (rules_ == nullptr || !rules_->active()) return pass(from, frame, at);
  if (server_.is_closing(from)) return outcome::closing;
  const std::optional<fault_rules::decision> what = judge(from, frame);
  if (!what) return pass(from, frame, at);
  const outcome result = carry_out(*what, from, state, frame, at);
  rules_->done(what->id);
  return result;
}

std::optional<fault_rules::decision> fault_gate::judge(connection_id from, std::string_view frame) {
  const session* of = server_.connections().at(from).session;
  return rules_->match(of == nullptr ? handshake_subject(frame) : request_subject(frame, of->id));
}

fault_gate::outcome fault_gate::carry_out(const fault_rules::decision& what, connection_id from,
                                          connection_faults& state, std::string_view frame, instant at) {
  const session* of = server_.connections().at(from).session;
  const bool handshake = of == nullptr;
  const std::size_t start = server_.output(from).size();
  const time_point later = at.now + what.delay;
  switch (what.action) {
    case fault_action::drop_request: state.deaf = handshake; return outcome::taken;
    case fault_action::drop_reply: {
      const outcome result = pass(from, frame, at);
      drop_reply(start, from, handshake);
      return result;
    }
    case fault_action::delay_request: state.input_held_until = state.wake_at = later; return outcome::held;
    case fault_action::delay_reply: {
      const outcome result = pass(from, frame, at);
      state.output.add(reply_behind(start, from, handshake), later);
      state.wake_at = later;
      return result;
    }
    case fault_action::close_before: return close(from);
    case fault_action::close_after:
      pass(from, frame, at);
      drop_reply(start, from, handshake);
      return close(from);
    case fault_action::expire_session:
      // Its connection, which may be this one, is closed with it; a handshake is then answered as any other is.
      server_.expire(handshake ? handshake_subject(frame).session_id : of->id, at);
      return pass(from, frame, at);
    case fault_action::refuse_session: refuse(from, frame, at); return outcome::closing;
  }
  return pass(from, frame, at);
}

fault_gate::outcome fault_gate::pass(connection_id from, std::string_view frame, instant at) {
  return server_.receive(from, frame, at) ? outcome::taken : outcome::closing;
}

fault_gate::outcome fault_gate::close(connection_id which) {
  server_.close(which);
  return outcome::closing;
}

// Where the reply stands in an output that held `start` bytes before: behind the events that came with it. The end of the
// output where there is none.
std::size_t fault_gate::reply_behind(std::size_t start, connection_id of, bool handshake) {
  const std::string& output = server_.output(of);
  std::size_t at = std::min(start, output.size());
  while (!handshake && at < output.size()) {
    if (static_cast<std::int32_t>(wire::load_big_endian<std::uint32_t>(&output[at + wire::frame_length_bytes])) !=
        wire::xid_notification) {
      break;
    }
    at += wire::frame_length_bytes + wire::load_big_endian<std::uint32_t>(&output[at]);
  }
  return at;
}

void fault_gate::drop_reply(std::size_t start, connection_id of, bool handshake) {
  std::string& output = server_.output(of);
  const std::size_t at = reply_behind(start, of, handshake);
  if (at == output.size()) return;
  output.erase(at, wire::frame_length_bytes + wire::load_big_endian<std::uint32_t>(&output[at]));
}

// A wrong password gets the answer that a session that is over gets, and does the session no harm.
void fault_gate::refuse(connection_id from, std::string_view handshake, instant at) {
  std::optional<wire::connect_request> asked = wire::decode_connect_request(handshake);
  if (asked) asked->password = {};
  std::string changed;
  if (asked) wire::append_connect_request_frame(changed, *asked);
  pass(from, asked ? std::string_view(changed).substr(wire::frame_length_bytes) : handshake, at);
}

}  // namespace zkr::backend
