#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/faults.hpp"
#include "zkrecipes/log_level.hpp"
#include "zkrecipes/result.hpp"

namespace zkr {

/// Whose way a server goes where Apache's versions differ on the wire: create2's result in a multi, zxids of events,
/// whether exists needs READ, kinds of watches. docs/server-fidelity.md has the list.
enum class server_compatibility { apache_3_8, apache_3_9 };

/// How a bundled server behaves. The defaults are Apache ZooKeeper's, but for `port` and `address`.
struct server_options {
  /// Numeric address to listen on. "0.0.0.0" or "::" for all: there is no encryption, and ACLs are the only protection.
  std::string address = "127.0.0.1";
  /// 0: a free one, see `server::port`.
  std::uint16_t port = 0;

  /// Unit of session time-outs: a session ends at its time-out or at most one tick later. > 0. Tests use 50 ms or less.
  std::chrono::milliseconds tick_time{2000};
  /// Bounds of what clients may ask for; what lies outside is moved to the bound. Unset: 2 and 20 ticks.
  std::optional<std::chrono::milliseconds> min_session_timeout = std::nullopt;
  std::optional<std::chrono::milliseconds> max_session_timeout = std::nullopt;
  /// How often containers and TTL nodes that are due are removed (Apache's znode.container.checkIntervalMs). > 0.
  std::chrono::milliseconds reap_interval{60'000};

  /// Connections from one address (Apache's maxClientCnxns); one more is closed at once. 0: no limit.
  std::size_t max_connections_per_address = 60;
  /// Connections altogether. 0: no limit but the process's descriptors.
  std::size_t max_connections = 0;
  /// Largest request, in bytes (Apache's jute.maxbuffer), 64 to 2^31 - 1; a larger one closes its connection.
  std::size_t max_frame_bytes = 1'048'575;
  /// Connections that have not said hello by then are closed.
  std::chrono::milliseconds handshake_timeout{10'000};
  /// Which four-letter words are answered; "*": all that are known. (Apache's default is "srvr" alone.)
  std::vector<std::string> four_letter_words = {"*"};

  /// Whether TTL nodes may be created. Apache's default is not to: such requests then fail with unimplemented.
  bool allow_ttl_nodes = true;
  /// Whether a create or set that exceeds a hard limit of a quota (`byteHardLimit`, `countHardLimit` below
  /// /zookeeper/quota) fails with quota_exceeded. Apache's default is not to look at limits; usage is counted always.
  bool enforce_quota = false;
  /// Digest id of the super user, who passes every ACL: `digest_id("super", password)`. Empty: there is none. Anything
  /// without a colon is an invalid_argument.
  std::string super_digest = {};
  /// Where counters start, for tests of what happens far from the beginning. Id of the first session, 0 to 2^62; 0: made
  /// from the clock, as Apache makes it.
  std::int64_t first_session_id = 0;
  /// The zxid before the first transaction's, 0 to 2^62; not with `data_dir`, whose files say it. See also
  /// `server::set_next_sequence`.
  std::int64_t last_zxid = 0;
  /// File of users and passwords for SASL DIGEST-MD5, as Apache's jaas.conf has them in its section Server: lines
  /// `user_NAME="PASSWORD"`, with a ';' at the end or without; '#' begins a comment. It should be readable by its owner
  /// only (mode 0600). Read at the start. ACLs of scheme "sasl" are then accepted. Empty: there is no SASL. A file that
  /// cannot be read is an io_error, one that holds something else an invalid_argument.
  std::string sasl_users_file = {};
  /// Whether a client must prove with SASL who it is before anything else (Apache's sessionRequireClientSASLAuth); else
  /// its connection ends with session_closed_require_auth. Needs `sasl_users_file`. Clients of this library do not speak
  /// SASL yet.
  bool require_sasl = false;
  server_compatibility compatibility = server_compatibility::apache_3_8;
  /// Folder in which everything is kept, in Apache ZooKeeper's formats (its dataDir); made where it is not there. Empty:
  /// nothing survives the process. One server at a time; Apache's takes no lock, so never run one on the same folder.
  std::string data_dir = {};
  /// Folder for the transaction logs (Apache's dataLogDir). Empty: the same.
  std::string data_log_dir = {};
  /// A snapshot is made after so many transactions, and at the start where the logs hold more. > 0. It needs the memory
  /// of one more copy of all nodes while it is being made, and then nothing for four times as long as it took.
  std::uint64_t snap_count = 100'000;
  /// Snapshots that are kept, with the logs that they need; older ones are removed. > 0.
  std::size_t snapshots_kept = 3;
  /// Where a sync of the disk takes longer, the log says so, and it is counted (Apache's fsync.warningthresholdms).
  std::chrono::milliseconds slow_fsync{1000};
  /// Called on the server's thread when the data could not be written, or not be read for a snapshot: the server has
  /// closed its port and all connections, and nobody was told anything that might be lost. It must not call the server.
  std::function<void(const error&)> on_failure = {};
  /// Called with what an operator should know: one line, "event=NAME key=value ...", printable ASCII, whatever clients
  /// send. docs/server.md lists the events. On the server's thread; in `start` and `stop`, on their caller's. It must not
  /// call the server, and the server waits for it.
  std::function<void(log_level, const std::string&)> log = {};
  /// Less important than this is not told.
  log_level log_from = log_level::info;
  /// Name of the server's thread, at most 15 characters.
  std::string thread_name = "zkr-server";
};

/// What a server found in its folder when it started.
struct recovery_report {
  std::string snapshot = {};            ///< The file that was loaded; empty where there was none.
  std::uint64_t transactions = 0;       ///< From the logs, on top of the snapshot.
  std::vector<std::string> notes = {};  ///< What an operator should know: snapshots skipped, ends of logs cut off.
};

/// What a server has done so far, and what it holds.
struct server_statistics {
  std::map<std::int32_t, std::uint64_t>
      requests;                        ///< Answered or not, by ZooKeeper's opcode (ZooDefs.OpCode); 4 is getData.
  std::uint64_t packets_received = 0;  ///< Requests, handshakes included.
  std::uint64_t packets_sent = 0;      ///< Replies and events.
  std::uint64_t expired_sessions = 0;
  std::size_t connections = 0;
  std::size_t sessions = 0;
  std::size_t nodes = 0;  ///< With the four that are always there.
  std::size_t watches = 0;
  std::int64_t last_zxid = 0;
};

/// A ZooKeeper server in this process: one node, a thread of its own. It answers as Apache ZooKeeper 3.8 does
/// in standalone mode, to every client that speaks the protocol; where the two differ, docs/server-fidelity.md says so.
///
/// ```
/// auto server = zkr::server::start({.tick_time = std::chrono::milliseconds(50)}).value();
/// auto client = zkr::client::connect({.hosts = server.connect_string()}).value();
/// ```
///
/// Nothing survives the process, unless `server_options::data_dir` names a folder. Then nothing that anybody was told is
/// ever lost: no reply, event or result of a read leaves before the transactions behind it are on the disk.
///
/// @par Threads  all functions may be called from any thread, at once. A call waits for the request that the server is
///               working on.
class server {
 public:
  /// Listens and serves; when it returns, clients can connect. Takes about a millisecond, and the time to load the data
  /// where there are any.
  ///
  /// @par Errors  invalid_argument: an option is out of its range. resolve_failed: `address` is not numeric. io_error:
  ///              the address cannot be listened on (in use, not ours), or the data cannot be read, written or locked,
  ///              or is damaged; the message names the file and the place.
  [[nodiscard]] static result<server> start(const server_options& options = {});

  server(server&& other) noexcept;
  server& operator=(server&& other) noexcept;
  /// Stops.
  ~server();

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// "127.0.0.1:2181", as clients take it. For a server on all addresses, the loopback one.
  [[nodiscard]] std::string connect_string() const;

  /// Closes all connections and the port, and ends the thread. Sessions and nodes are gone but for what `data_dir`
  /// holds: there all of them live on, sessions for one time-out from the next start. Waits for the disk. A second call
  /// does nothing. A new server may listen on the same port at once.
  void stop() noexcept;

  /// What was found in `data_dir` at the start.
  [[nodiscard]] recovery_report recovery() const;
  /// Why it has stopped by itself; see `server_options::on_failure`.
  [[nodiscard]] std::optional<error> failure() const;

  // ---- faults and observation, for tests ----

  /// Freezes the server, as SIGSTOP would: it neither reads, nor writes, nor counts time, while connections stay open and
  /// the system goes on accepting new ones. Statistics and the functions below still work.
  void pause();
  /// Goes on. Sessions whose time-out has passed meanwhile end before any request that has waited is read.
  void resume();
  /// Closes all connections, without a word. Sessions live on until they time out or their clients come back.
  void drop_connections();
  /// Stale reads: from now on there is a second member, which has all that there is now and applies nothing that comes.
  /// Connections that come in are its: they read old data and hear of nothing, until they write or sync; that brings the
  /// member up to date as of then, and tells them what they missed, before they are answered. One whose client has seen
  /// more than the member is closed, as ZooKeeper does it. Connections that are there already stay with the first member
  /// (`drop_connections` moves them). While it lags, a write of more than 2 MB fails with marshalling_error.
  void begin_lag();
  /// The second member applies everything, and from now on at once. New connections are the first member's.
  void end_lag();
  /// Ends a session as if its time were over: its ephemeral nodes go, its connection is closed.
  /// @return true where there was one.
  bool expire_session(std::int64_t session_id);
  /// Faults of single requests, handshakes and connections, by rules; see fault_injector.
  [[nodiscard]] fault_injector faults() const;
  /// Moves the server's clocks on, as if that much time had passed in silence: sessions whose time-out is over end at
  /// once, delays too, and what is reaped is. What clients have sent and the server has not read counts as later.
  ///
  /// @param by  0 to 10 years; beyond that it is moved to the bound.
  void step_clock(std::chrono::milliseconds by);
  /// The number that the next sequential child of a node gets. Its cversion follows. As with Apache, whose way this
  /// server goes, names do not run over: after 2147483647 comes the same number again, and so node_exists. To test
  /// names behind the overflow, set -2147483648 then.
  /// @return false where there is no such node.
  bool set_next_sequence(const std::string& path, std::int32_t number);
  /// The sessions that live now, smallest id first.
  [[nodiscard]] std::vector<std::int64_t> sessions() const;
  [[nodiscard]] server_statistics statistics() const;

  // ---- administration: what `zkr server --admin` serves by HTTP ----

  /// The answer of Apache's AdminServer to a command, by any of its names ("stats", "mntr", ...), as a JSON object: with
  /// Apache's members where this server has what they mean, "command", and "error", which is null or says why there is
  /// nothing else. Unknown commands are such an error. "stat_reset" and "connection_stat_reset" reset counters.
  ///
  /// @param parameters  those of the query; only "set_trace_mask" has one, "traceMask".
  [[nodiscard]] std::string admin(std::string_view command, const std::map<std::string, std::string>& parameters = {});
  /// The commands' long names, sorted.
  [[nodiscard]] static std::vector<std::string> admin_commands();
  /// All that is counted and measured, in Prometheus' text format, with Apache's names where it has them.
  [[nodiscard]] std::string metrics() const;

 private:
  struct impl;
  explicit server(std::unique_ptr<impl> state) noexcept;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr
