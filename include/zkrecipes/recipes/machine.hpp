#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "zkrecipes/client.hpp"

// The kit that all recipes are made of. The algorithm of a recipe is a machine: a class without I/O, clock or thread that
// takes events and answers with actions. One driver performs the actions of every machine with the client's public
// asynchronous operations. So a machine's tests are tables, and a simulation can run it under any schedule.
namespace zkr::detail {
class gate;
[[nodiscard]] std::shared_ptr<gate> make_gate();
void open_gate(gate& which);
void await_gate(gate& which);
}  // namespace zkr::detail

namespace zkr::recipes {

// ---- what a machine may ask for -------------------------------------------------------------------------------------

/// Names a request or a timer inside one machine: its later event bears the same tag.
using tag = std::uint32_t;

struct create_node {
  std::string path;
  std::string data;
  create_options options;
};  // -> reply with created
struct read_node {
  std::string path;
  bool watch = false;  ///< Leaves a one-shot watch where the node exists: watch_fired comes later, under the same tag.
};                     // -> reply with node
struct check_exists {
  std::string path;
  bool watch = false;  ///< Leaves a one-shot watch also where there is no node.
};                     // -> reply with stat_t
struct list_children {
  std::string path;
  bool watch = false;
};  // -> reply with child_list
struct set_data {
  std::string path;
  std::string data;
  std::int32_t version = any_version;
};  // -> reply with stat_t
struct remove_node {
  std::string path;
  std::int32_t version = any_version;
};  // -> reply with nothing
/// What reads behind it in the same batch do not show, of all that was sent over former connections, will never come. Stands
/// for more than ZooKeeper's sync, which a leader answers without asking anybody: it is a transaction that only checks.
struct sync_node {
  std::string path;  ///< Need not exist.
};                   // -> reply with nothing
struct commit {
  transaction writes;
};  // -> reply with std::vector<transaction_result>

using operation =
    std::variant<create_node, read_node, check_exists, list_children, set_data, remove_node, sync_node, commit>;

/// Sends an operation. It has no deadline: it ends with its reply, with the session, or with the client. Requests of one
/// batch of actions go out back to back and are answered in order. Reads are repeated over reconnects by
/// themselves; a write whose reply was lost gives connection_loss with outcome::unknown; a sync whose reply was lost gives
/// connection_loss with outcome::not_applied, and has settled nothing: ask for it again, and for the reads behind it.
struct request {
  zkr::recipes::tag tag = 0;
  recipes::operation operation;
};
struct start_timer {
  zkr::recipes::tag tag = 0;
  duration after{};
};
struct stop_timer {
  zkr::recipes::tag tag = 0;
};
/// Asks for a grant: the machine has seen that node `path`, made in this session, entitles it. Answered by grant_given
/// once the lease is certain, or grant_ended.
struct take_grant {
  std::string path;  ///< The grant's own node.
  std::int64_t fencing_token = 0;
  std::string check_path;  ///< What a heartbeat and only_while() check: a node that exists with `check_version`
  std::int32_t check_version = any_version;  ///< exactly while this very grant lasts.
};
/// Ends the grant on this side at once; there is no grant_ended after it. Its holder learns of it by lost(), unless it was
/// the one who released it.
struct end_grant {};
/// Whether a grant may be near, so that the lease should be kept warm.
struct keep_lease_warm {
  bool on = true;
};
/// Says something to the recipe's own glue. `what` is the recipe's (positive), or one of these:
inline constexpr int emit_failed = -1;  ///< The machine ends without having had a grant; `problem` says why.
inline constexpr int emit_released =
    -2;  ///< The server's verdict on a grant that was given; `problem` where it was lost.
inline constexpr int emit_report =
    -3;  ///< `problem` is for the observer (`on_background_error`): no caller waits for it.
struct emit {
  int what = 0;
  std::string text = {};
  std::optional<error> problem = std::nullopt;
  std::int64_t number = 0;
};
/// The machine has ended: nothing of it is left on the server, or the session will take it along. No event follows.
struct finish {};

using action = std::variant<request, start_timer, stop_timer, take_grant, end_grant, keep_lease_warm, emit, finish>;
using actions = std::vector<action>;

// ---- what a machine is told -----------------------------------------------------------------------------------------

using reply_value = std::variant<std::monostate, created, node, stat_t, child_list, std::vector<transaction_result>>;

struct start {};  ///< The first event: the client has a connected session.
/// The end of a request. After session_over no reply of that session comes any more.
struct reply {
  zkr::recipes::tag tag = 0;
  result<reply_value> value;
};
struct watch_fired {
  zkr::recipes::tag tag = 0;
  watch_event_type type = watch_event_type::removed;
};
struct timer_fired {
  zkr::recipes::tag tag = 0;
};
struct suspended {};    ///< The connection is lost; the session may live.
struct reconnected {};  ///< The same session is connected again.
/// The session is over, and with it everything it owned. A new one may follow (`session_begun`).
struct session_over {};
struct session_begun {};  ///< A new session is connected.
struct grant_given {};
/// The grant is over for good: its lease ran out, a heartbeat's check failed, or the session ended.
struct grant_ended {
  error why;
};
struct cancel {                ///< The caller gave up: leave nothing behind.
  errc why = errc::cancelled;  ///< cancelled or timed_out.
};
struct release {};  ///< The holder gives the grant back. Its held() is false already.
/// The client is closed: the session ends, requests are over. Answer with finish.
struct shut_down {};

using event = std::variant<start, reply, watch_fired, timer_fired, suspended, reconnected, session_over, session_begun,
                           grant_given, grant_ended, cancel, release, shut_down>;

/// What a machine may know of its surroundings when it handles an event.
struct context {
  std::int64_t session_id = 0;  ///< The current session; ephemeral nodes of ours have it as owner.
  unique_function<std::string()>* make_uuid = nullptr;
};

/// A recipe's algorithm. Deterministic: the same events give the same actions.
class machine {
 public:
  virtual ~machine() = default;
  virtual void on(const event& what, context& with, actions& out) = 0;

 protected:
  machine() = default;
  machine(const machine&) = default;
  machine& operator=(const machine&) = default;
};

// ---- the driver -----------------------------------------------------------------------------------------------------

/// Performs a machine's actions on a client until the machine has finished. Keeps itself alive that long.
///
/// The machine runs on the runtime's scheduler thread (in simulation: the only one), one event at a time. Its requests
/// wait while the connection is lost, and are bound to the session of the last start or session_begun. Requests of
/// several machines of one client are answered in the order of the wire.
class driver {
 public:
  /// The recipe's own glue. Called on the scheduler thread, never after on_finish.
  struct listener {
    virtual ~listener() = default;
    virtual void on_emit(const emit& what) = 0;
    /// The grant is given; the handle that is made of it releases it.
    virtual void on_grant(std::shared_ptr<zkr::detail::grant_state> state) = 0;
    /// The caller's wait is over, before a grant: timed_out or cancelled. At most once; the machine gets `cancel`.
    virtual void on_wait_ended(const error& why) = 0;
    virtual void on_finish() = 0;
  };

  /// Starts a machine: `start` comes as soon as the client has a session.
  ///
  /// @param wait  for the grant; means nothing once it is given. Unset time-out: no limit.
  static std::shared_ptr<driver> run(const operations& client, std::unique_ptr<machine> algorithm,
                                     std::shared_ptr<listener> listens, call_options wait = {});

  /// Delivers an event of the recipe's own making (cancel, release), from any thread, later.
  virtual void post(event what) = 0;

  virtual ~driver() = default;

 protected:
  driver() = default;
  driver(const driver&) = default;
  driver& operator=(const driver&) = default;
};

// ---- for the glue around a driver -----------------------------------------------------------------------------------

/// Runs `work` where the handlers of `client` run: in order with them, never inside this call.
void run_handler(const operations& client, unique_function<void()> work);

/// Tells the client's observer of a problem that no caller waits for.
void report_problem(const operations& client, const error& problem);

/// Runs `handler` with each value handed to it, where the handlers of a client run, for as long as the subscription made
/// of it lives: what a recipe's own `observe` is made of.
class report_gate {
 public:
  /// @param on_end  called once when the subscription ends, on the thread that ends it.
  report_gate(const operations& client, unique_function<void()> on_end);
  /// Runs `report` on the handlers' strand, unless the subscription has ended by then.
  void run(unique_function<void()> report) const;
  [[nodiscard]] bool active() const noexcept;
  [[nodiscard]] subscription handle() const;

 private:
  operations client_;
  std::shared_ptr<zkr::detail::subscription_state> state_;
};

/// Calls `done` once: with what `start` gives its handler, or with timed_out or cancelled, whichever comes first.
void limit(const operations& client, std::string_view what, handler<void> done, const call_options& wait,
           unique_function<void(handler<void>)> start);

/// Unset where the calling thread may wait for `client`; else the error to give (would_deadlock, closed).
[[nodiscard]] std::optional<error> why_not_block(const operations& client, std::string_view what);

/// The blocking form of anything that takes a handler: `start` is given the handler, and this waits until it was called.
/// The handler may be called on any thread. There is no timer here: whatever was started must end.
template <typename T, typename Start>
result<T> block_on(const operations& client, std::string_view what, Start start) {
  if (auto why = why_not_block(client, what)) return *std::move(why);
  std::optional<result<T>> outcome;
  auto done = zkr::detail::make_gate();
  start(handler<T>([&outcome, done](result<T> value) {
    outcome.emplace(std::move(value));
    zkr::detail::open_gate(*done);
  }));
  zkr::detail::await_gate(*done);
  return *std::move(outcome);
}

// ---- sequential nodes -----------------------------------------------------------------------------------------------

/// A contender's node: its name and its sequence number.
struct contender {
  std::string name;
  std::int32_t sequence = 0;
};

/// The signed 32-bit number at the end of a sequential node's name ("latch-0000000007" -> 7, "x--2147483648" -> the
/// least), after the last occurrence of `marker`; unset where what follows `marker` is not one. ZooKeeper's "%010d".
[[nodiscard]] std::optional<std::int32_t> parse_sequence(std::string_view name, std::string_view marker);
/// True where `a` was created before `b`: serial-number comparison (RFC 1982), right across the counter's overflow as long
/// as fewer than 2^31 creations lie between them.
[[nodiscard]] bool sequence_before(std::int32_t a, std::int32_t b) noexcept;

/// What stands in a directory of contenders: those whose names hold one of `markers` and a sequence, oldest first, and
/// the names that could not be parsed.
struct contender_list {
  std::vector<contender> ordered;
  std::vector<std::string> unknown;
};
[[nodiscard]] contender_list sort_contenders(const std::vector<std::string>& names,
                                             const std::vector<std::string>& markers);

/// Curator's protected name: "_c_" + uuid + "-" + name (ProtectedUtils).
[[nodiscard]] std::string protected_name(std::string_view uuid, std::string_view name);

}  // namespace zkr::recipes
