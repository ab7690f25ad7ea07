#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "zkrecipes/result.hpp"

namespace zkr {

namespace backend {
class fault_board;
}

/// What a fault rule looks at. A request of a kind that is not named here is only found by `any_request`.
enum class fault_point {
  any_request,  ///< Every request but pings, whose number depends on time.
  create,       ///< All forms: create, create2, container, TTL.
  remove,
  exists,
  get,
  set,
  get_acl,
  set_acl,
  children,  ///< With and without the stat.
  sync,
  multi,       ///< Its paths are those of its operations; one that fits is enough.
  multi_read,  ///< The same.
  ping,
  auth,
  set_watches,  ///< A client's watches, registered again after it came back. All of its paths count.
  add_watch,
  remove_watches,  ///< Removal and check of watches.
  close_session,
  connection,       ///< A connection comes in; nothing was read from it. Four-letter words count.
  new_session,      ///< A handshake that asks for a new session.
  resumed_session,  ///< A handshake that asks for a session that the client had before.
};

/// What becomes of it.
enum class fault_action {
  /// Not applied, never answered. Whatever follows on the connection is served; where it was a handshake, nothing is.
  /// Clients number their requests, and end the connection once they see the reply to a later one.
  drop_request,
  /// Applied; the reply is not sent. Events are, also those to the same connection. The connection goes on as above.
  drop_reply,
  /// Not looked at until `delay` is over, and with it everything that follows on the connection. Others are served.
  delay_request,
  /// Applied at once; the reply is sent when `delay` is over, and so is everything behind it on the connection.
  delay_reply,
  close_before,  ///< Not applied; the connection is closed.
  close_after,   ///< Applied; the connection is closed without the reply: what a network that fails looks like.
  /// Not applied; the session ends as if its time were over, and its connection is closed. At `resumed_session`: the
  /// session ends first, and the client is told so.
  expire_session,
  /// At `resumed_session` only: the client is told that its session is over, while it lives on until it times out, with
  /// its ephemeral nodes. ClickHouse Keeper always answers so.
  refuse_session,
};

/// One fault: when, what, how often. The defaults lose the reply of the next request.
struct fault_rule {
  /// For `times`: without end.
  static constexpr std::uint64_t always = std::numeric_limits<std::uint64_t>::max();

  fault_point at = fault_point::any_request;
  /// At `connection`: close_before only. At `new_session`: neither expire_session nor refuse_session.
  fault_action action = fault_action::drop_reply;
  /// Exactly this path, as the server sees it: with the client's chroot, without a sequence number. Empty: any.
  std::string path = {};
  /// Paths that begin with this text; instead of `path`. "/locks/" is what is below /locks. Empty: any.
  std::string path_prefix = {};
  /// Requests of this session only, or its resumption. 0: any.
  std::int64_t session_id = 0;
  /// How many that fit pass unharmed first: n - 1, for the n-th.
  std::uint64_t skip = 0;
  /// How many are hit after those, >= 1. One that an earlier rule takes does not count.
  std::uint64_t times = 1;
  /// For the two that delay; 1 ms to 24 days. By the server's clock: `server::step_clock` shortens the wait.
  std::chrono::milliseconds delay{0};
};

/// Names a rule of one server. Never 0, never used twice.
using fault_id = std::uint64_t;

struct fault_report {
  fault_id id = 0;
  fault_rule rule;
  std::uint64_t matched = 0;  ///< How many fitted: those that were skipped, hit, or taken by another rule.
  std::uint64_t fired = 0;    ///< How many were hit, each counted when its fault has happened (a delay: has begun).
};

/// The faults of one server: see `server::faults`. Rules are asked in the order in which they were added; the first that
/// is due decides. They are exact and need no luck: the same requests in the same order meet the same faults.
///
/// ```
/// auto lost = server.faults().add({.at = zkr::fault_point::create, .action = zkr::fault_action::close_after}).value();
/// auto made = client.create("/a");                          // outcome unknown, and /a exists
/// server.faults().wait(lost, 1, std::chrono::seconds(10));  // true: it has happened
/// ```
///
/// Copies are the same faults. They may outlive the server; nothing happens then.
///
/// @par Threads  all functions may be called from any thread, at once; none waits for the server, paused or not.
class fault_injector {
 public:
  /// In force for whatever the server reads from now on.
  ///
  /// @par Errors  invalid_argument: the rule contradicts itself; the message says how.
  [[nodiscard]] result<fault_id> add(const fault_rule& rule);
  /// Forgets a rule and its counts. Delays that have begun go on. @return false where there is none of that name.
  bool remove(fault_id which);
  /// Forgets all of them.
  void clear();
  /// In the order in which they were added; those that are used up too.
  [[nodiscard]] std::vector<fault_report> rules() const;
  /// Waits until a rule has fired that often. A rule that is removed ends the wait.
  ///
  /// @param within  the longest wait; more than a day counts as a day.
  /// @return        whether it has, within that time.
  [[nodiscard]] bool wait(fault_id which, std::uint64_t times, std::chrono::milliseconds within) const;

 private:
  friend class server;
  explicit fault_injector(std::shared_ptr<backend::fault_board> board) noexcept;
  std::shared_ptr<backend::fault_board> board_;
};

}  // namespace zkr
