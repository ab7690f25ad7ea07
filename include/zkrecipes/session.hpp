#pragma once

#include <cstdint>
#include <string_view>

#include "zkrecipes/clock.hpp"
#include "zkrecipes/errc.hpp"

namespace zkr {

enum class session_state {
  connecting,  ///< A new session is being asked for.
  connected,
  suspended,  ///< The connection is lost; the session may live on the server, and a reconnect resumes it.
  lost,       ///< The session is over, on the server's word or by the client's own clock. A new one follows, or none.
  closed,     ///< The client is closed, for good.
};

[[nodiscard]] std::string_view to_string(session_state state) noexcept;

/// A client's session at one moment.
struct session_info {
  session_state state = session_state::connecting;
  std::uint64_t generation = 0;  ///< Sessions that this client has begun, this one included.
  std::int64_t id = 0;           ///< As the server numbers it; 0 before the first handshake.
  duration timeout{};            ///< Negotiated; the smallest that any handshake of this session returned.
  std::uint64_t connection = 0;  ///< Connections that this session has had, as far as this client knows.
  bool resumed = false;          ///< It was begun by an earlier process: `client_options::resume`.
  /// Why it is suspended (connection_loss), lost (session_lost: the server says so; timed_out: no server answered for too
  /// long; auth_failed) or closed (closed); ok in the other states.
  errc cause = errc::ok;
};

}  // namespace zkr
