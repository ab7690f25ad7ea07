#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "zkrecipes/clock.hpp"

namespace zkr::cli {

/// Decides when a command runs that must not outlive its lease, and how it is ended. Pure: events in, actions out.
///
/// TERM goes to the command's process group when the lease is at risk; KILL at `valid_until - reserve`, or as soon as the
/// lease is known to be lost. A renewal moves that deadline, until TERM was sent: then the end is decided. What the
/// command leaves behind in its group when it ends by itself is ended too.
class warden {
 public:
  struct settings {
    /// How long before the end of the lease KILL is sent: what a killed process may need to be gone.
    duration reserve = std::chrono::milliseconds(250);
    /// How long processes that the command left behind in its group have between TERM and KILL.
    duration leftover_grace = std::chrono::milliseconds(500);
    /// How long killed leftovers are waited for. (A zombie whose parent never collects it is never gone.)
    duration give_up = std::chrono::seconds(1);
  };

  // ---- events ----
  struct start {
    time_point valid_until;
  };
  struct renewed {
    time_point valid_until;
  };
  struct at_risk {};
  struct lost {};  ///< The lease is over, or nobody is left who could renew it.
  struct forward {
    int signal;
  };
  struct spawn_failed {};
  /// The command itself has ended; `leftovers`: others of its group have not.
  struct command_ended {
    int wait_status;
    bool leftovers;
  };
  struct group_empty {};  ///< The last of the leftovers is gone.
  struct timer {};
  using event = std::variant<start, renewed, at_risk, lost, forward, spawn_failed, command_ended, group_empty, timer>;

  // ---- actions ----
  struct spawn {};
  struct send_signal {
    int signal;
  };  ///< To the whole group.
  struct set_timer {
    time_point at;
  };  ///< Replaces the one before.
  /// The command is over. `ended_by_us`: the lease was the reason. `wait_status` is unset where it did not run.
  struct report {
    std::optional<int> wait_status;
    bool ended_by_us;
  };
  using action = std::variant<spawn, send_signal, set_timer, report>;

  explicit warden(settings with) : settings_(with) {}

  [[nodiscard]] std::vector<action> on(const event& what, time_point now);
  /// A command, or what it left behind, may be running.
  [[nodiscard]] bool busy() const noexcept { return phase_ != phase::idle; }
  /// Waits for group_empty.
  [[nodiscard]] bool sweeping() const noexcept { return phase_ == phase::sweeping; }

 private:
  enum class phase {
    idle,
    running,
    ending,    ///< TERM was sent, KILL follows at kill_at_.
    killed,    ///< KILL was sent, the command is not collected yet.
    sweeping,  ///< The command has ended, others of its group have not.
  };
  using actions = std::vector<action>;

  void begin(time_point valid_until, time_point now, actions& out);
  void warn(actions& out);
  void kill(actions& out);
  void sweep(const command_ended& end, time_point now, actions& out);
  void sweep_on(time_point now, actions& out);
  void finish(actions& out);

  settings settings_;
  phase phase_ = phase::idle;
  time_point kill_at_{};
  bool ended_by_us_ = false;
  bool leftovers_killed_ = false;
  std::optional<int> wait_status_;
};

}  // namespace zkr::cli
