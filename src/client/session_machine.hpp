#pragma once

#include <optional>

#include "transport/transport.hpp"
#include "zkrecipes/session.hpp"

namespace zkr::detail {

/// The session's states and its clock: when a silent session counts as lost, and how long to wait before the next.
/// Pure: events in, state out; whoever calls acts on it.
///
///   begin        -> connecting (generation + 1)
///   connecting   -> connected | lost (expired or refused before it began)
///   connected    -> suspended | lost
///   suspended    -> connected (resumed) | lost (on the server's word, or when lost_at() passes)
///   lost         -> begin again, or nothing
///   any          -> closed
class session_machine {
 public:
  struct settings {
    std::optional<duration> loss_timeout;  ///< After the last sign of life; unset: 4/3 of the session's time-out.
  };
  explicit session_machine(settings rules) : rules_(rules) {}

  void begin() noexcept;
  void connected(const transport::session_event& event) noexcept;
  void disconnected(time_point at) noexcept;
  void over() noexcept;
  void closed() noexcept { info_.state = session_state::closed; }
  void because(errc cause) noexcept { info_.cause = cause; }
  void reply_seen(time_point received) noexcept { last_reply_ = std::max(last_reply_, received); }

  [[nodiscard]] const session_info& info() const noexcept { return info_; }
  /// When a suspended session counts as lost; no_deadline in every other state.
  [[nodiscard]] time_point lost_at() const noexcept { return lost_at_; }
  /// How long to wait before the session after a lost one is asked for: nothing at first, then growing while sessions end
  /// before they were of use.
  [[nodiscard]] duration reopen_delay() const noexcept;

 private:
  const settings rules_;
  session_info info_;
  time_point last_reply_ = time_point::min();
  time_point lost_at_ = no_deadline;
  unsigned fruitless_ = 0;  ///< Sessions in a row that were lost without having been connected.
};

}  // namespace zkr::detail
