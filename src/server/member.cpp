#include "server/processor.hpp"
#include "server/replies.hpp"

// What a processor does as a member of an ensemble: another decides, it applies. (Used by the simulation; this server
// has no quorum protocol.)
namespace zkr::backend {

void processor::begin_epoch(std::int64_t zxid) noexcept { state_.restore_zxid(zxid); }

bool processor::touch(session_id which, duration timeout, instant at) {
  session* found = sessions_.find(which);
  if (found == nullptr) return false;
  sessions_.set_timeout(*found, timeout, at.now);
  return true;
}

void processor::replay(const transaction& what, std::string_view reply, connection_id to, instant at) {
  const session_id of = what.header.session;
  const bool ends = std::holds_alternative<close_session_record>(what.record);
  if (const auto* made = std::get_if<create_session_record>(&what.record)) {
    sessions_.add(of, std::chrono::milliseconds(made->timeout_ms), at.now);
  }
  if (ends) {
    if (connection* asks = find(to)) answer(*asks, reply);
    const session* found = sessions_.find(of);
    if (connection* carrier = found != nullptr ? find(found->connection) : nullptr) close(*carrier);
  }
  event_sender events(*this, current_, what.header.zxid);
  state_.apply(what, events);
  if (ends) {
    sessions_.remove(of);
  } else if (connection* asks = find(to)) {
    answer(*asks, reply);
  }
}

void processor::answer(connection_id to, std::string_view reply) {
  if (connection* asks = find(to)) answer(*asks, reply);
}

void processor::answer(connection& to, std::string_view reply) {
  if (to.closing || reply.empty()) return;
  to.output.append(reply);
  ++to.sent;
  ++statistics_.sent;
  make_ready(to);
}

void processor::admit(connection_id which, std::string_view handshake, session_id granted, instant at) {
  connection* who = find(which);
  const auto asked = wire::decode_connect_request(handshake);
  if (who == nullptr || who->closing || !asked) return;
  const duration timeout = negotiated(asked->timeout_ms);
  session* to = granted == 0 ? nullptr : sessions_.find(granted);
  // It may be known here later than to whoever has granted it.
  if (granted != 0 && to == nullptr) to = &sessions_.add(granted, timeout, at.now);
  welcome(*who, *asked, to, timeout, at);
}

}  // namespace zkr::backend
