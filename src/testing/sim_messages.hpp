#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/connection.hpp"
#include "server/transaction.hpp"

namespace zkr::testing {

/// A transaction as a leader has proposed it, with what its client is to be told once it is applied.
struct sim_entry {
  std::string payload;        ///< As a log has it: owns what the transaction is made of.
  backend::transaction what;  ///< Its views point into the payload.

  // Whose client has asked for it; connection 0: nobody's.
  std::size_t member = 0;
  backend::connection_id connection = 0;
  std::string reply = {};        ///< A whole frame.
  std::string handshake = {};    ///< Of a new session: the client's frame.
  bool ends_connection = false;  ///< The session has moved: whoever asks here does so on an abandoned connection.

  [[nodiscard]] std::int64_t zxid() const noexcept { return what.header.zxid; }
};

using sim_log = std::vector<std::shared_ptr<const sim_entry>>;

/// What members tell each other. A stream is one connection between a follower and its leader.
struct sim_message {
  enum class kind : std::uint8_t {
    hangup,  ///< The stream ends.
    // From the follower.
    follow,      ///< The stream begins.
    ack,         ///< Everything up to `zxid` is in the log.
    ping_reply,  ///< `touches`.
    handshake,   ///< Of `connection`: `frame`.
    request,     ///< Of `connection`: `frame`.
    // From the leader.
    history,     ///< `log`, in `epoch`.
    proposal,    ///< `entry`.
    commit,      ///< Everything up to `zxid` is committed.
    up_to_date,  ///< The same, and the follower may serve.
    ping,
    answer,    ///< The oldest request of `connection` is answered: with `frame`, or by the follower itself.
    admitted,  ///< `connection` carries `session` now; 0: refused.
    rejected,  ///< `connection` is to be closed.
  };

  kind what = kind::hangup;
  std::uint64_t stream = 0;
  std::int64_t zxid = 0;
  std::int64_t epoch = 0;
  backend::connection_id connection = 0;
  backend::session_id session = 0;
  std::string frame = {};
  std::shared_ptr<const sim_entry> entry = {};
  sim_log log = {};
  std::map<backend::session_id, duration> touches = {};
};

}  // namespace zkr::testing
