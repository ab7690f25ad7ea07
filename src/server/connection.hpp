#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/access.hpp"
#include "server/digest_md5.hpp"
#include "server/member_view.hpp"
#include "server/session_tracker.hpp"
#include "server/timing.hpp"
#include "wire/messages.hpp"

namespace zkr::backend {

/// Where a connection comes from.
struct peer {
  std::string address = "127.0.0.1";  ///< Also its identity of scheme "ip".
  std::uint16_t port = 0;
};

/// "127.0.0.1:41234", "[::1]:41234".
[[nodiscard]] inline std::string client_of(const peer& from) {
  const bool six = from.address.find(':') != std::string::npos;
  return (six ? "[" + from.address + "]" : from.address) + ":" + std::to_string(from.port);
}

/// A connection as the processor sees it: whose session it carries, who its client is, and what is to be sent to it.
struct connection {
  connection_id id = 0;
  backend::peer peer;
  backend::session* session = nullptr;  ///< Set from the handshake to the end.
  session_id last_session = 0;          ///< The same as a number, which stays when the session is gone.
  principals who;
  member_view* sees = nullptr;       ///< Set from the beginning to the end.
  std::unique_ptr<digest_md5> sasl;  ///< A negotiation, from its first request on.
  std::string output;
  bool closing = false;  ///< Nothing is read any more; closed once the output is sent.
  bool ready = false;    ///< Stands in the processor's list of connections that the caller must look at.

  // For the four-letter words.
  std::int64_t established_ms = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  wire::opcode last_operation = wire::opcode::notification;
  std::int32_t last_cxid = 0;
  std::int64_t last_zxid = 0;
  std::int64_t last_response_ms = 0;
  std::uint32_t outstanding = 0;  ///< Requests whose replies have not left.
  timing latency;
};

}  // namespace zkr::backend
