#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "client/grant_state.hpp"
#include "client/lease.hpp"
#include "transport/transport.hpp"

namespace zkr::detail {

/// Who is told what becomes of a grant. On the scheduler thread.
struct grant_watcher {
  virtual ~grant_watcher() = default;
  virtual void on_given() = 0;
  virtual void on_ended(const error& why) = 0;
};

/// Keeps the lease of a client's session warm and its grants honest: sends the heartbeats, hands out grants once the
/// lease is certain, ends them when it runs out. Part of the client core and guarded by its lock: every function is called
/// with it, calls nobody but the schedulers, and asks the core for requests through take_request().
class lease_keeper {
 public:
  struct settings {
    std::optional<duration> tick_time;
    std::optional<duration> follower_timeout;
    std::optional<duration> margin;
    std::optional<duration> warn_before;
  };
  /// Makes work for a scheduler of a function: it takes the core's lock, calls the function and sends what is to be sent,
  /// or does nothing where the core is gone by then.
  using later = std::function<unique_function<void()>(unique_function<void(lease_keeper&)>)>;

  lease_keeper(settings rules, scheduler& clock, scheduler& loss_clock, later work_of)
      : rules_(rules), clock_(clock), loss_clock_(loss_clock), work_of_(std::move(work_of)) {}

  // What the core reports.
  void session_began(const transport::session_event& event);
  void reattached(const transport::session_event& event);
  void disconnected();
  void session_over(const error& why);
  void acked(const transport::reply_info& info, bool transaction);

  // What recipes want.
  /// Adds a grant: `who` is told when it is given, or that it ended. Only for a node of the current session.
  void take(std::shared_ptr<grant_state> grant, std::shared_ptr<grant_watcher> who);
  /// A grant that was released or given up; nobody is told.
  void drop(const grant_state& grant);
  /// A contender is near the front (+1), or not any more (-1).
  void keep_warm(int change);
  /// An exclusive recipe object exists (+1), or not any more (-1): a read every T/4 keeps the lease's chain short.
  void keep_reading(int change);

  /// True while take_request() can have nothing.
  [[nodiscard]] bool idle() const noexcept {
    return holders_.empty() && warm_ == 0 && reading_ == 0 && active_until_ == time_point::min();
  }
  [[nodiscard]] bool holds() const noexcept { return !holders_.empty(); }
  [[nodiscard]] time_point valid_until() const noexcept { return cell_->valid_until.load(); }
  [[nodiscard]] const std::shared_ptr<lease_cell>& cell() const noexcept { return cell_; }

  // What the core has to send.
  struct heartbeat {
    bool read = false;         ///< A local read instead of a transaction.
    transaction checks;        ///< Heartbeat: what holds while the grants do.
    std::uint64_t number = 0;  ///< To be given back to heartbeat_done().
  };
  /// The request that is due now, if any; it counts as sent.
  [[nodiscard]] std::optional<heartbeat> take_request();
  /// `failed` names the check that failed, where one did.
  void heartbeat_done(std::uint64_t number, const error* problem, const transport::reply_info& info);

 private:
  struct holder {
    std::shared_ptr<grant_state> grant;
    std::shared_ptr<grant_watcher> who;
    bool given = false;
    bool warned = false;
  };

  [[nodiscard]] lease::settings rules_for(duration timeout) const noexcept;
  [[nodiscard]] duration warn_before() const noexcept;
  void lease_may_have_grown();
  void end(holder& one, const error& why);
  void end_lapsed(time_point now);
  void plan();
  void arm_loss();
  void on_loss_alarm();

  const settings rules_;
  scheduler& clock_;
  scheduler& loss_clock_;
  const later work_of_;

  lease lease_;
  std::shared_ptr<lease_cell> cell_ = std::make_shared<lease_cell>();
  std::vector<holder> holders_;
  bool connected_ = false;
  int warm_ = 0;
  int reading_ = 0;
  time_point active_until_ = time_point::min();  ///< Heartbeats go on until then after the last exclusive activity.

  std::uint64_t beats_ = 0;  ///< Number of the last heartbeat or read that was sent.
  bool outstanding_ = false;
  std::vector<const grant_state*> checked_;  ///< Whose checks stand in the outstanding heartbeat, in order.
  std::size_t first_checked_ = 0;            ///< Where the next heartbeat begins, when they do not all fit.
  time_point last_beat_acked_ = time_point::min();
  time_point last_request_acked_ = time_point::min();
  bool again_ = false;  ///< A check failed: the rest is sent at once.
  time_point next_beat_ = no_deadline;
  scheduler::timer beat_alarm_ = 0;
  time_point loss_at_ = no_deadline;
  scheduler::timer loss_alarm_ = 0;
};

}  // namespace zkr::detail
