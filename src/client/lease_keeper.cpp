#include "client/lease_keeper.hpp"

#include <algorithm>

namespace zkr::detail {
namespace {

// docs/leases.md: a heartbeat is one transaction of at most this many bytes of checks; with more grants they take turns.
constexpr std::size_t largest_heartbeat_bytes = std::size_t{256} * 1024;
constexpr std::size_t bytes_beside_path = 21;  // op header, length of the path, version

}  // namespace

lease::settings lease_keeper::rules_for(duration timeout) const noexcept {
  return {.timeout = timeout,
          .margin = rules_.margin.value_or(duration::zero()),
          .tick_is_quarter = rules_.tick_time && *rules_.tick_time <= timeout / 4,
          .follower_drops_early = rules_.follower_timeout && *rules_.follower_timeout <= timeout / 2};
}

duration lease_keeper::warn_before() const noexcept { return rules_.warn_before.value_or(lease_.timeout() / 10); }

void lease_keeper::session_began(const transport::session_event& event) {
  lease_ = {};
  lease_.session_created(rules_for(event.session_timeout), event.handshake_submitted);
  cell_ = std::make_shared<lease_cell>();
  cell_->valid_until = lease_.valid_until();
  connected_ = true;
  outstanding_ = false;
  last_beat_acked_ = last_request_acked_ = event.at;
  plan();
}

void lease_keeper::reattached(const transport::session_event& event) {
  lease_.reattached(rules_for(event.session_timeout), event.handshake_submitted);
  connected_ = true;
  outstanding_ = false;
  last_beat_acked_ = time_point::min();  // the first transaction renews the lease: no reason to wait
  plan();
}

void lease_keeper::disconnected() {
  connected_ = false;
  outstanding_ = false;
  lease_.disconnected();
  plan();
}

void lease_keeper::session_over(const error& why) {
  connected_ = false;
  outstanding_ = false;
  for (auto& one : holders_) end(one, why);
  holders_.clear();
  lease_ = {};
  plan();
  arm_loss();
}

void lease_keeper::acked(const transport::reply_info& info, bool transaction) {
  if (!connected_) return;
  last_request_acked_ = std::max(last_request_acked_, info.received);
  if (!transaction) {
    lease_.request_acked(info.submitted, info.received);
    return;
  }
  lease_.transaction_acked(info.submitted, info.received);
  lease_may_have_grown();
}

void lease_keeper::take(std::shared_ptr<grant_state> grant, std::shared_ptr<grant_watcher> who) {
  active_until_ = deadline_after(clock_.now(), lease_.timeout());
  holders_.push_back({std::move(grant), std::move(who)});
  lease_may_have_grown();
  plan();
}

void lease_keeper::drop(const grant_state& grant) {
  active_until_ = deadline_after(clock_.now(), lease_.timeout());
  std::erase_if(holders_, [&](const holder& one) { return one.grant.get() == &grant; });
  plan();
  arm_loss();
}

void lease_keeper::keep_warm(int change) {
  warm_ += change;
  active_until_ = deadline_after(clock_.now(), lease_.timeout());
  plan();
}

void lease_keeper::keep_reading(int change) {
  reading_ += change;
  plan();
}

void lease_keeper::lease_may_have_grown() {
  const auto now = clock_.now();
  // Whatever ran out before this renewal stays ended, even though no alarm has told of it yet.
  end_lapsed(now);
  if (lease_.valid_until() > cell_->valid_until.load()) cell_->valid_until = lease_.valid_until();
  if (cell_->valid_until.load() > now) {
    for (auto& one : holders_) {
      if (one.given || one.grant->ended()) continue;
      one.given = true;
      clock_.post([who = one.who] { who->on_given(); });
    }
  }
  arm_loss();
}

void lease_keeper::end_lapsed(time_point now) {
  const bool lapsed = now >= cell_->valid_until.load();
  for (auto& one : holders_) {
    if (one.given && (lapsed || one.grant->ended())) {
      end(one, error(errc::ownership_lost, "lease", one.grant->from().path, "the lease has run out"));
    }
  }
  std::erase_if(holders_, [](const holder& one) { return one.given && one.grant->ended(); });
}

void lease_keeper::end(holder& one, const error& why) {
  one.grant->end();
  loss_clock_.post([grant = one.grant] { grant->lose(); });
  clock_.post([who = one.who, why] { who->on_ended(why); });
}

// Decides when the next heartbeat (or read) is due, and sets the alarm for it.
void lease_keeper::plan() {
  const auto now = clock_.now();
  if (now >= active_until_) active_until_ = time_point::min();
  auto due = no_deadline;
  if (connected_ && !outstanding_) {
    const bool waits = std::any_of(holders_.begin(), holders_.end(), [](const holder& one) { return !one.given; });
    if (!holders_.empty() || warm_ > 0 || active_until_ != time_point::min()) {
      due = last_beat_acked_ == time_point::min() ? now : last_beat_acked_ + lease_.spacing();
      // Somebody waits for a certain lease, and a transaction sent now would give it.
      if (again_ || (waits && lease_.link_ready(now, now))) due = now;
      // The lease would come near its end before then, and can be extended now: only k1 needs its distance, k2 does not.
      if (lease_.valid_until() - warn_before() < due && lease_.transaction_extends(now)) due = now;
    } else if (reading_ > 0) {
      due = last_request_acked_ + lease_.timeout() / 4;
    }
  }
  if (due == next_beat_) return;
  next_beat_ = due;
  if (beat_alarm_ != 0) clock_.cancel(std::exchange(beat_alarm_, 0));
  if (due == no_deadline || due <= now) return;  // at once: the core asks after every call
  beat_alarm_ = clock_.schedule(due, work_of_([](lease_keeper& self) { self.beat_alarm_ = 0; }));
}

std::optional<lease_keeper::heartbeat> lease_keeper::take_request() {
  plan();
  if (next_beat_ == no_deadline || next_beat_ > clock_.now()) return std::nullopt;
  next_beat_ = no_deadline;
  outstanding_ = true;
  again_ = false;
  checked_.clear();
  heartbeat beat;
  beat.number = ++beats_;
  if (holders_.empty() && warm_ == 0 && active_until_ == time_point::min()) {
    beat.read = true;
    return beat;
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    const auto& grant = holders_[(first_checked_ + i) % holders_.size()].grant;
    bytes += grant->from().check_path.size() + bytes_beside_path;
    if (bytes > largest_heartbeat_bytes) break;
    beat.checks.check(grant->from().check_path, grant->from().check_version);
    checked_.push_back(grant.get());
  }
  if (checked_.empty()) {
    beat.checks.check("/");  // nothing to check yet; the transaction is what counts
  } else {
    first_checked_ = (first_checked_ + checked_.size()) % holders_.size();
  }
  return beat;
}

void lease_keeper::heartbeat_done(std::uint64_t number, const error* problem, const transport::reply_info& info) {
  if (number != beats_ || !outstanding_) return;  // of an earlier connection
  outstanding_ = false;
  if (info.connection != 0) last_beat_acked_ = info.received;
  if (problem != nullptr && problem->failed_operation() && *problem->failed_operation() < checked_.size()) {
    const auto* const gone = checked_[*problem->failed_operation()];
    for (auto& one : holders_) {
      if (one.grant.get() == gone) {
        end(one, error(errc::ownership_lost, "lease", one.grant->from().path, "its node is gone or another's"));
      }
    }
    std::erase_if(holders_, [&](const holder& one) { return one.grant.get() == gone; });
    again_ = true;
  }
  plan();
  arm_loss();
}

// Sets the alarm for the next warning or end of lease that a grant has to be told of.
void lease_keeper::arm_loss() {
  auto at = no_deadline;
  const auto valid_until = cell_->valid_until.load();
  for (const auto& one : holders_) {
    if (one.given) at = std::min(at, one.warned ? valid_until : valid_until - warn_before());
  }
  // A renewal only moves the time on: the alarm that stands is early, and sets itself anew.
  if (loss_alarm_ != 0 && loss_at_ <= at && at != no_deadline) return;
  if (loss_alarm_ != 0) loss_clock_.cancel(std::exchange(loss_alarm_, 0));
  loss_at_ = at;
  if (at == no_deadline) return;
  loss_alarm_ = loss_clock_.schedule(at, work_of_([](lease_keeper& self) { self.on_loss_alarm(); }));
}

void lease_keeper::on_loss_alarm() {
  loss_alarm_ = 0;
  const auto now = clock_.now();
  end_lapsed(now);
  for (auto& one : holders_) {
    if (one.given && !one.warned && now >= cell_->valid_until.load() - warn_before()) {
      one.warned = true;
      loss_clock_.post([grant = one.grant] { grant->warn(); });
    }
  }
  plan();
  arm_loss();
}

}  // namespace zkr::detail
