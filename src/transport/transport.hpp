#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "wire/messages.hpp"
#include "zkrecipes/result.hpp"
#include "zkrecipes/scheduler.hpp"

// The seam between the client and whatever speaks ZooKeeper's protocol for it. One transport is one session: it is
// opened once, loses and finds its connection as often as it must, and ends for good when the session expires, its
// authentication fails or it is closed. The transaction ids (xid) of a session never restart.
namespace zkr::transport {

/// What a transport can do by itself. What is false is the client's work, or `unsupported`.
struct capabilities {
  bool rearms_watches = false;      ///< Registers one-shot watches again after a reconnect, with the last zxid seen.
  bool resends_auth = false;        ///< Repeats `auth` requests after a reconnect.
  bool persistent_watches = false;  ///< addWatch.
  bool tls = false;
  bool sasl = false;
  bool extended_multi = false;  ///< create2, container and TTL creates inside a transaction.
  bool multi_read = false;
  bool exact_zxid = false;       ///< reply_info::zxid is the reply header's; else what its stat proves, or 0.
  bool times_handshake = false;  ///< session_event::handshake_submitted is exact; else an earlier moment stands for it.
  bool can_leave_server = false;  ///< leave_server() does something.
  std::size_t largest_frame_bytes = 1'048'575;
};

/// The watch that a read leaves behind.
enum class watch_mode : std::uint8_t { none, one_shot, persistent, recursive };

using session_password = std::array<char, 16>;

/// When a reply was asked for and had, and on which connection of the session.
struct reply_info {
  std::uint64_t connection = 0;  ///< Number of the connection that carried the reply, from 1; 0 where there was none.
  time_point submitted;          ///< Not later than the moment when the request left.
  time_point received;           ///< Not earlier than the moment when the reply came.
  std::int64_t zxid = 0;         ///< See capabilities::exact_zxid.
};

struct session_event {
  enum class kind : std::uint8_t { connected, disconnected, expired, auth_failed };
  kind what = kind::disconnected;
  std::uint64_t connection = 0;  ///< `connected`: the new connection's number; `disconnected`: the lost one's.
  time_point at = {};            ///< When it was noticed.
  // Of `connected` only:
  std::int64_t session_id = 0;
  session_password password{};
  duration session_timeout{};           ///< As this handshake has negotiated it.
  bool resumed = false;                 ///< False for the handshake that created the session.
  time_point handshake_submitted = {};  ///< Not later than the moment when the handshake left.
};

struct watch_event {
  wire::event_type type = wire::event_type::none;
  std::string_view path;  ///< Valid during the call. The chroot is stripped.
  std::uint64_t connection = 0;
  time_point received;
};

/// Where a transport reports to. Calls come one at a time, in the order of the wire, on a thread of the transport or of
/// its scheduler; none comes before open() was called, or after the function passed to close() has run. An
/// implementation must neither wait nor run user code in them. It may submit().
class sink {
 public:
  virtual ~sink() = default;
  virtual void on_session_event(const session_event& event) = 0;
  virtual void on_watch_event(const watch_event& event) = 0;
  /// Exactly once for each accepted submit(). `body` is valid during the call, and meaningful where code is ok; of a
  /// failed transaction too: then it is a multi_reply.
  virtual void on_reply(std::uint64_t id, errc code, const wire::reply& body, const reply_info& info) = 0;
  /// A line of diagnosis; `level` as in syslog (3 error, 4 warning, 6 info, 7 debug).
  virtual void on_log(int level, std::string_view line) = 0;
};

struct transport_options {
  std::string hosts;             ///< "h1:2181,h2,[::1]:2181", without chroot.
  std::string chroot;            ///< "" or "/app/x".
  duration session_timeout{};    ///< Asked for at every handshake.
  duration handshake_timeout{};  ///< A first connection that has no answer by then is replaced by a fresh one.
  std::int64_t session_id = 0;   ///< A session to resume, or 0.
  session_password password{};
};

class transport {
 public:
  virtual ~transport() = default;

  [[nodiscard]] virtual capabilities what_it_can() const noexcept = 0;

  /// Begins to connect. Called once.
  virtual result<void> open() = 0;

  /// Sends a request, after those submitted before. What `of` refers to need not outlive the call. The reply comes to
  /// the sink under `id`, never inside this call.
  ///
  /// @param watch  what a read leaves behind where it succeeds (exists: also where there is no node).
  /// @return       ok: on_reply will come. Anything else: it was refused and nothing was sent.
  /// @par Threads  any; never called with a lock held that a sink function takes.
  virtual errc submit(std::uint64_t id, const wire::request& of, watch_mode watch) = 0;

  /// Drops the connection and tries another server, where it can (capability).
  virtual void leave_server() {}

  /// Goes to other servers from now on; `hosts` as in transport_options. The session stays. The connection stays where
  /// its server is among them; else it is left as soon as nothing is outstanding on it. Blocks as lookups of names do.
  ///
  /// @par Errors  invalid_argument, resolve_failed, closed: nothing has changed.
  virtual result<void> set_servers(const std::string& hosts) = 0;

  /// Ends the session where it is connected, and calls `done` once, last of all. Requests without a reply get `closing`
  /// first. May block for as long as the library below does: called on the runtime's reaper thread only.
  virtual void close(unique_function<void()> done) = 0;

 protected:
  transport() = default;
  transport(const transport&) = default;
  transport& operator=(const transport&) = default;
};

/// Makes a transport for a new session. `reports_to` outlives the transport's last report.
using factory = std::function<std::unique_ptr<transport>(const transport_options&, sink& reports_to, scheduler& clock)>;

}  // namespace zkr::transport
