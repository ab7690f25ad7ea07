#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "zkrecipes/clock.hpp"

namespace zkr::detail {

/// How long a session is certain to live on the server: the rule of docs/leases.md, and nothing else. Pure: every time is
/// an argument.
///
/// On one connection: j any acknowledged request; k1 a transaction of ours, submitted at least `spacing` after j's
/// acknowledgement; k2 a transaction of ours, submitted after k1's acknowledgement. When k2 is acknowledged the session
/// lives until submitted(j) + T, less the margin. (Why: j touched the session at the follower; the ping that carries the
/// touch to the leader left before k1's commit came back, and arrived before k2.) Where the servers drop a follower that
/// is silent for T/2, k1's acknowledgement is enough.
class lease {
 public:
  struct settings {
    duration timeout{};                 ///< T, as negotiated.
    duration margin{};                  ///< At least T/10 is used, whatever stands here.
    bool tick_is_quarter = false;       ///< Asserted: tick <= T/4.
    bool follower_drops_early = false;  ///< Asserted: syncLimit x tick <= T/2.
  };

  /// A new session's handshake was answered: its creation was committed.
  void session_created(const settings& rules, time_point handshake_submitted) noexcept;
  /// The session was resumed on a new connection. T never grows.
  void reattached(const settings& rules, time_point handshake_submitted) noexcept;
  /// The connection is gone: nothing from before may be a link any more.
  void disconnected() noexcept;
  /// A read, ping or sync of this connection was acknowledged.
  void request_acked(time_point submitted, time_point received) noexcept;
  /// A transaction of ours (a write, a multi) of this connection was acknowledged: it was committed.
  void transaction_acked(time_point submitted, time_point received) noexcept;

  /// Until when the session is certain to live; never shrinks.
  [[nodiscard]] time_point valid_until() const noexcept { return valid_until_; }
  [[nodiscard]] duration timeout() const noexcept { return rules_.timeout; }
  [[nodiscard]] duration margin() const noexcept { return rules_.margin; }
  /// S: the least time between j's acknowledgement and k1.
  [[nodiscard]] duration spacing() const noexcept;
  /// True where a transaction sent at `now` would by itself extend the lease, once acknowledged.
  [[nodiscard]] bool transaction_extends(time_point now) const noexcept;
  /// True where a transaction sent at `now` would, once acknowledged, prove a lease beyond `beyond`: no need to wait.
  [[nodiscard]] bool link_ready(time_point now, time_point beyond) const noexcept;

 private:
  static constexpr std::size_t kept = 48;

  /// An acknowledged request (j), or an acknowledged k1 with the best j in front of it.
  struct link {
    time_point touched;  ///< submitted(j)
    time_point acked;
  };
  /// The latest few links, thinned to one every T/32, in order of `acked`.
  class history {
   public:
    void add(const link& one, duration least_step) noexcept;
    void clear() noexcept { size_ = 0; }
    /// The latest touch among links acknowledged at or before `limit`; time_point::min() where there is none.
    [[nodiscard]] time_point best(time_point limit) const noexcept;

   private:
    std::array<link, kept> links_{};
    std::size_t size_ = 0;
  };

  void adopt(const settings& rules) noexcept;
  void extend(time_point touched) noexcept;

  settings rules_;
  time_point valid_until_ = time_point::min();
  time_point reattach_submitted_ = time_point::min();  ///< min(): no re-attachment waits for its first transaction.
  history requests_;
  history firsts_;
};

}  // namespace zkr::detail
