#include "client/session_machine.hpp"

#include <algorithm>

namespace zkr {

using namespace std::chrono_literals;

std::string_view to_string(session_state state) noexcept {
  switch (state) {
    case session_state::connecting: return "connecting";
    case session_state::connected: return "connected";
    case session_state::suspended: return "suspended";
    case session_state::lost: return "lost";
    case session_state::closed: break;
  }
  return "closed";
}

namespace detail {

void session_machine::begin() noexcept {
  const auto generation = info_.generation + 1;
  info_ = {};
  info_.generation = generation;
  last_reply_ = time_point::min();
  lost_at_ = no_deadline;
}

void session_machine::connected(const transport::session_event& event) noexcept {
  info_.state = session_state::connected;
  if (info_.id == 0) info_.resumed = event.resumed;
  info_.id = event.session_id;
  info_.timeout =
      info_.timeout == duration::zero() ? event.session_timeout : std::min(info_.timeout, event.session_timeout);
  info_.connection = event.connection;
  lost_at_ = no_deadline;
  fruitless_ = 0;
  reply_seen(event.at);
}

void session_machine::disconnected(time_point at) noexcept {
  if (info_.state != session_state::connected) return;
  info_.state = session_state::suspended;
  // The transport hides the replies to its pings, which come every T/3: while it called itself connected the session was
  // alive. So an idle session counts from the moment when the loss was noticed, less the 1/3 T that this may be late.
  const auto whole = rules_.loss_timeout.value_or(info_.timeout * 4 / 3);
  const auto last_sign = std::max(last_reply_, at - info_.timeout / 3);
  lost_at_ = deadline_after(last_sign, whole);
}

void session_machine::over() noexcept {
  if (info_.state == session_state::connecting) ++fruitless_;
  info_.state = session_state::lost;
  lost_at_ = no_deadline;
}

duration session_machine::reopen_delay() const noexcept {
  return fruitless_ == 0 ? 0ms : std::min<duration>(100ms * (1U << std::min(fruitless_, 6U)), 5s);
}

}  // namespace detail
}  // namespace zkr
