#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/connection.hpp"
#include "server/database.hpp"
#include "server/event_log.hpp"
#include "server/instant.hpp"
#include "server/journal.hpp"
#include "server/lagging_member.hpp"
#include "server/planner.hpp"
#include "server/session_tracker.hpp"
#include "server/timing.hpp"
#include "server/watches.hpp"
#include "wire/codec.hpp"

namespace zkr::backend {

/// Where Apache's versions differ on the wire, whose way to go.
enum class compatibility { v3_8, v3_9 };

/// What counts as a sign of life of a session: its client's requests, or only what `processor::touch` reports.
enum class session_touches { by_requests, by_caller };

struct processor_options {
  std::chrono::milliseconds tick_time{2000};          ///< Sessions end at most this long after their time-out. > 0.
  std::chrono::milliseconds min_session_timeout{-1};  ///< Negative: 2 ticks, as Apache's.
  std::chrono::milliseconds max_session_timeout{-1};  ///< Negative: 20 ticks.
  std::chrono::milliseconds reap_interval{60'000};    ///< How often containers and TTL nodes are looked at. > 0.
  std::int64_t server_number = 1;                     ///< Top byte of session ids, 0 to 254.
  std::int64_t first_session_id = 0;                  ///< 0: from `server_number` and the clock.
  ttl_nodes ttl = ttl_nodes::enabled;
  quota_limits quota = quota_limits::ignored;
  compatibility compat = compatibility::v3_8;
  std::string super_digest;  ///< "user:base64(sha1(user:password))" of the super user; "": none.
  sasl_secrets sasl_users;   ///< Who may prove to be who with SASL; empty: there is no SASL.
  session_touches touches = session_touches::by_requests;
  bool require_sasl = false;                              ///< Whether clients must do so before anything else.
  std::size_t max_watches_per_connection = 1'000'000;     ///< A connection that sets more is closed.
  std::size_t max_output_bytes = std::size_t{64} << 20U;  ///< A connection for which more is waiting is closed.
};

/// What has happened since the start (or the last reset).
struct processor_statistics {
  static constexpr std::size_t opcode_offset = 16;
  /// By opcode + opcode_offset; unknown types count in the first slot.
  std::array<std::uint64_t, 128> requests{};
  std::uint64_t received = 0;  ///< Frames, handshakes included.
  std::uint64_t sent = 0;      ///< Replies and events.
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t created_sessions = 0;
  std::uint64_t expired_sessions = 0;
  std::uint64_t rejected_connections = 0;
  std::uint64_t failed_auths = 0;
  timing latency;  ///< From the receipt of a request until its reply left.
  histogram latencies;

  [[nodiscard]] static std::size_t slot(wire::opcode type) noexcept {
    const auto at = static_cast<std::int64_t>(type) + static_cast<std::int64_t>(opcode_offset);
    return at > 0 && at < 128 ? static_cast<std::size_t>(at) : 0;
  }
};

/// The server without its sockets and clocks: frames in, frames out, one at a time.
///
/// Each call does all of its work before it returns: the request is applied, then the events that it caused stand in
/// the outputs of the connections that watch, then its reply stands in its own connection's output. What has to be sent
/// therefore stands in the right order, and all calls together are one serial history.
///
/// Use: `open` a connection; hand each frame (without its length; the first is the handshake) to `receive`; call `tick`
/// no later than `next_tick`. After any of these, `take_ready` names the connections that have something in `output` to
/// send (whole frames, with their lengths; take it out by clearing the string) or that `is_closing`: send what is left,
/// drop the connection, and call `disconnect`.
///
/// @par Threads  none of its own; not synchronised.
class processor {
 public:
  /// @param state  what the server starts with; the sessions in it have their time-outs from now on.
  /// @param log    gets every transaction before it is applied; null: nothing outlives this object.
  /// @param events  null: nobody is told.
  processor(processor_options options, instant started, database state = {}, journal* log = nullptr,
            event_log* events = nullptr);
  processor(const processor&) = delete;
  processor& operator=(const processor&) = delete;

  [[nodiscard]] connection_id open(peer from, instant at);
  /// Takes one frame. Frames of connections that are closing or unknown have no effect.
  /// @return true while the connection takes more frames.
  bool receive(connection_id from, std::string_view frame, instant at);
  /// What the frames at the beginning of `input` ask for is brought nearer, if it can be told: the memory of the nodes
  /// is waited for once and not once each. Has no other effect, whatever `input` is.
  /// @return how many bytes it looked at.
  std::size_t expect(std::string_view input) const noexcept;
  /// Replies have left. @param which  the requests, as they were received.
  void answered(connection_id to, const unanswered& which, time_point now);
  /// The connection is gone. Its session lives on until it times out or its client comes back.
  void disconnect(connection_id which);
  /// Ends sessions whose time is over, and reaps containers and TTL nodes when their interval has passed.
  /// @param most_sessions  how many end at once; where more are over, `next_tick` is in the past.
  void tick(instant at, std::size_t most_sessions = static_cast<std::size_t>(-1));
  /// When `tick` has something to do, as far as is known now.
  [[nodiscard]] std::optional<time_point> next_tick() const noexcept;

  /// Replaces `into` by the connections that need the caller's attention, each once, and forgets them.
  void take_ready(std::vector<connection_id>& into);
  /// What is to be sent. The connection must be open (not yet disconnected), and the reference holds as long as it is.
  [[nodiscard]] std::string& output(connection_id of);
  [[nodiscard]] bool is_closing(connection_id which) const noexcept;

  /// Removes ephemeral nodes whose session does not live. To be called once, after the start.
  void remove_orphans(instant at);
  /// Ends a session as if its time were over. @return false where there is none.
  bool expire(session_id which, instant at);
  /// See `database::set_next_sequence`.
  bool set_next_sequence(std::string_view path, std::int32_t number) noexcept {
    return state_.set_next_sequence(path, number);
  }
  /// A fault: connections that say hello from now on are served as by a member of an ensemble that applies nothing but
  /// what they need: their own writes and syncs, with all that was before.
  void begin_lag();
  /// The member applies everything, from now on at once; connections stay with it.
  void end_lag();
  /// Closes a connection without a word; its session lives on.
  void close(connection_id which);
  /// The same, for a fault of its client that the operator should know of.
  void give_up(connection_id which, std::string_view why);

  // As a member of an ensemble (member.cpp).

  /// The next transaction is the one after `zxid`.
  void begin_epoch(std::int64_t zxid) noexcept;
  /// Applies a transaction that another has made, and answers who asked for it.
  /// @param reply  a whole frame, for the connection `to`; nothing where there is no such connection (any more).
  void replay(const transaction& what, std::string_view reply, connection_id to, instant at);
  /// Puts a reply that another has made into a connection's output.
  void answer(connection_id to, std::string_view reply);
  /// Answers a handshake as another has decided: `granted` is the session, 0 for a refusal.
  void admit(connection_id which, std::string_view handshake, session_id granted, instant at);
  /// Sessions whose time is over, each reported once: whoever asks ends them with `expire`, and may take his time.
  [[nodiscard]] std::vector<session_id> take_expired(instant at) { return sessions_.take_expired(at.now); }
  /// Something was heard of a session's client elsewhere. @return false where there is no such session.
  bool touch(session_id which, duration timeout, instant at);

  // What the four-letter words and the tests look at.
  [[nodiscard]] event_log& events() noexcept { return events_; }
  [[nodiscard]] const journal* log() const noexcept { return log_; }
  [[nodiscard]] std::uint64_t outstanding() const noexcept { return outstanding_; }
  [[nodiscard]] const processor_options& options() const noexcept { return options_; }
  [[nodiscard]] const database& state() const noexcept { return state_; }
  [[nodiscard]] const session_tracker& sessions() const noexcept { return sessions_; }
  /// Of all connections but those that lag.
  [[nodiscard]] const watches& watched() const noexcept { return watches_; }
  [[nodiscard]] std::size_t watch_count() const noexcept {
    return watches_.size() + (behind_ != nullptr ? behind_->watched().size() : 0);
  }
  [[nodiscard]] const std::unordered_map<connection_id, connection>& connections() const noexcept {
    return connections_;
  }
  [[nodiscard]] const processor_statistics& statistics() const noexcept { return statistics_; }
  [[nodiscard]] processor_statistics& statistics() noexcept { return statistics_; }
  void reset_statistics() noexcept { statistics_ = {}; }
  void reset_connection_statistics() noexcept;

 private:
  /// One request on its way through.
  struct call {
    connection& from;
    wire::request_header header;
    wire::reader body;
    instant at;
    std::size_t frame_bytes = 0;
  };
  class reply_frame;
  class event_sender;

  // processor.cpp
  void greet(connection& who, std::string_view frame, instant at);
  void serve(connection& who, std::string_view frame, instant at);
  void dispatch(call& of);
  void tell(std::string_view event, session_id of, const peer& client);
  void attach(connection& who, session& to, instant at);
  void end_session(session_id which, std::int32_t cxid, instant at);
  void close(connection& which);
  void give_up(connection& which, std::string_view why);
  void make_ready(connection& which);
  /// Closes a connection whose output nobody takes, or that asked for too much at once. @return true where it did.
  bool close_if_over(connection& which);
  void reap(instant at);
  [[nodiscard]] connection* find(connection_id which) noexcept;
  [[nodiscard]] duration negotiated(std::int32_t timeout_ms) const noexcept;

  void welcome(connection& who, const wire::connect_request& asked, session* to, duration timeout, instant at);
  void answer(connection& to, std::string_view reply);  // member.cpp

  // replies.cpp
  void reply_empty(const call& of, errc code = errc::ok);
  void reply_empty(const call& of, errc code, std::int64_t zxid);

  // reads.cpp
  void exists(call& of);
  void get_data(call& of);
  void get_acl(call& of);
  void get_children(call& of);
  void sync(call& of);
  void get_ephemerals(call& of);
  void get_all_children_number(call& of);
  void multi_read(call& of);
  void who_am_i(call& of);
  void auth(call& of);
  void sasl(call& of);
  [[nodiscard]] bool may_ask(const call& of) const noexcept;

  // writes.cpp
  void create(call& of);
  void remove(call& of);
  void set_data(call& of);
  void set_acl(call& of);
  void multi(call& of);
  void reconfig(call& of);
  void close_session(call& of);
  void catch_up();
  void fail_write(const call& of, errc code);
  [[nodiscard]] planner plan_for(const requester& by) noexcept {
    return {
        state_, by, options_.ttl, options_.quota, options_.sasl_users.empty() ? sasl_ids::refused : sasl_ids::accepted,
        events_};
  }
  [[nodiscard]] bool fits_journal(const call& of, const transaction& what) const;
  applied commit(transaction& what, std::int64_t session, std::int32_t cxid, instant at,
                 std::vector<applied>* parts = nullptr);

  // watch_requests.cpp
  void set_watches(call& of);
  void add_watch(call& of);
  void change_watches(call& of);
  void check_watch_limit(connection& of);

  processor_options options_;
  database state_;
  journal* log_;
  event_log silent_;
  event_log& events_;
  session_tracker sessions_;
  watches watches_;
  member_view current_{state_, watches_};
  std::unique_ptr<lagging_member> behind_;  ///< From the first lag on.
  bool lags_ = false;
  std::unordered_map<connection_id, connection> connections_;
  std::vector<connection_id> ready_;
  connection_id last_connection_ = 0;
  session_id next_session_;
  time_point next_reap_;
  processor_statistics statistics_;
  std::uint64_t outstanding_ = 0;  ///< Of all connections.
};

}  // namespace zkr::backend
