#include "client/core_section.hpp"
#include "client/inner_calls.hpp"
#include "client/session_link.hpp"

// The client core's calls: from their submission to their one end.
namespace zkr::detail {
namespace {

constexpr std::size_t reserve = 2048;  // requests in flight beside max_in_flight: heartbeats, recipes, subscriptions

/// Codes that a transport or the C library makes: the request may have been lost at any point.
bool lost_on_the_way(errc code) noexcept {
  switch (code) {
    case errc::connection_loss:
    case errc::operation_timeout:
    case errc::runtime_inconsistency:
    case errc::session_expired:
    case errc::closing:
    case errc::auth_failed: return true;
    default: return false;
  }
}

/// Whether a transport that answers so has not taken a request, and will after its next session event or not at all.
bool not_now(errc code) noexcept {
  return code == errc::invalid_state || code == errc::closing || code == errc::overloaded ||
         code == errc::session_expired || code == errc::connection_loss;
}

/// Whether a request may be sent once more when its reply is missing.
bool repeatable(wire::opcode type) noexcept { return wire::is_read(type) || type == wire::opcode::auth; }

bool is_transaction(wire::opcode type) noexcept {
  switch (type) {
    case wire::opcode::create:
    case wire::opcode::create2:
    case wire::opcode::create_container:
    case wire::opcode::create_ttl:
    case wire::opcode::remove:
    case wire::opcode::set_data:
    case wire::opcode::set_acl:
    case wire::opcode::multi: return true;
    default: return false;
  }
}

}  // namespace

// ---- calls ----------------------------------------------------------------------------------------------------------

void call::stopper::operator()() const {
  const auto to = core.lock();
  const auto one = target.lock();
  if (to && one) to->abandon(one, errc::cancelled);
}

void client_core::submit(const std::shared_ptr<call>& one, const call_options& wait) {
  // From here on a stop may come at any moment, also before the call is in a queue.
  if (wait.stop.stop_possible()) one->on_stop.emplace(wait.stop, call::stopper{weak_from_this(), one});
  {
    section held(*this);
    one->submitted = runtime().clock().now();
    const auto& info = machine_.info();
    if (one->refused) {
      finish(held, one, *one->refused);
    } else if (info.state == session_state::closed) {
      fail(held, one, errc::closed);
    } else if ((one->generation != 0 && one->generation != info.generation) ||
               (info.state == session_state::lost &&
                (one->generation != 0 || options_.on_session_loss == session_loss::stay_closed))) {
      fail(held, one, errc::session_lost);
    } else if (!one->internal && !one->blocking && in_flight_.users() + waiting_users_ >= options_.max_in_flight) {
      fail(held, one, errc::overloaded);
    } else if (const auto bytes = watch_bytes(*one); bytes > watch_homes::most_bytes) {
      const auto most = std::to_string(watch_homes::most_bytes);
      finish(held, one,
             error(errc::overloaded, one->name, one->path,
                   "one-shot watches: " + std::to_string(bytes) + " bytes of paths would be more than " + most));
    } else {
      if (!one->internal || wait.timeout) {
        one->deadline = deadline_after(one->submitted, wait.timeout.value_or(options_.operation_timeout));
        if (one->deadline <= one->submitted) return fail(held, one, errc::timed_out);
        arm_deadline(one->deadline);
      }
      if (one->has_watch && !one->internal) {
        one->watch_bytes = one->path.size() + chroot_.size() + watch_homes::overhead_bytes;
        watch_bytes_under_way_ += one->watch_bytes;
      }
      enqueue(one);
    }
  }
}

void client_core::enqueue(std::shared_ptr<call> one) {
  one->at = call::stage::queued;
  if (one->urgent) {
    urgent_.push_back(std::move(one));
    return;
  }
  if (!one->internal) ++waiting_users_;
  waiting_.push_back(std::move(one));
}

bool client_core::has_to_send() const noexcept {
  return !pumping_ && refused_in_ != turn_ && link_ && machine_.info().state == session_state::connected &&
         !(urgent_.empty() && waiting_.empty());
}

void client_core::poll_keeper() {
  if (keeper_.idle() || machine_.info().state != session_state::connected) return;
  if (auto beat = keeper_.take_request()) {
    auto one = std::make_shared<heartbeat_call>(std::move(*beat));
    one->generation = machine_.info().generation;
    one->submitted = runtime().clock().now();
    enqueue(std::move(one));
  }
}

std::shared_ptr<call> client_core::next_to_send(std::vector<std::shared_ptr<call>>& dropped) {
  if (machine_.info().state != session_state::connected || refused_in_ == turn_ || !link_) return nullptr;
  const auto room = [this](const call& one) {
    return one.internal ? in_flight_.internal() < reserve : in_flight_.users() < options_.max_in_flight;
  };
  for (auto* queue : {&urgent_, &waiting_}) {
    for (auto next = queue->begin(); next != queue->end();) {
      auto one = *next;
      if (one->at == call::stage::done) {
        dropped.push_back(std::move(one));
        next = queue->erase(next);
      } else if (room(*one)) {
        if (next == queue->begin()) {
          queue->pop_front();
        } else {
          queue->erase(next);
        }
        if (!one->internal) --waiting_users_;
        return one;
      } else if (!one->internal) {
        // Blocking callers wait for room; what the library itself sends need not.
        next = std::find_if(next, queue->end(), [](const auto& other) { return other->internal; });
      } else {
        break;
      }
    }
  }
  return nullptr;
}

void client_core::pump(std::unique_lock<spinning_mutex> from) {
  // A call or link may go with its last reference, and takes user code along: never with the lock held.
  std::vector<std::shared_ptr<call>> dropped;
  std::unique_lock lock(std::move(from));
  if (pumping_) return;
  pumping_ = true;
  while (auto one = next_to_send(dropped)) {
    auto link = link_;
    const auto sent_before = one->sent;
    const auto turn = turn_;
    one->at = call::stage::in_flight;
    one->sent = true;
    const auto id = in_flight_.add(one);
    lock.unlock();
    const auto taken = link->wire().submit(
        id, one->encode(), one->has_watch ? transport::watch_mode::one_shot : transport::watch_mode::none);
    link.reset();
    dropped.clear();
    if (taken == errc::ok) {
      one.reset();
      lock.lock();
      continue;
    }
    dropped.push_back(one);
    lock.lock();
    if (!in_flight_.take(id) || one->at == call::stage::done) continue;  // the session has ended meanwhile
    one->sent = sent_before;
    if (not_now(taken)) {
      refused_in_ = turn;  // it knows more than we do; its next event says what, and may have come already
      one->at = call::stage::queued;
      if (!one->internal) ++waiting_users_;
      waiting_.push_front(std::move(one));
      continue;
    }
    lock.unlock();
    {
      section held(*this);
      if (one->at != call::stage::done) fail(held, one, taken);
    }
    lock.lock();
  }
  pumping_ = false;
}

void client_core::abandon(const std::shared_ptr<call>& one, errc why) {
  section held(*this);
  if (one->at == call::stage::fresh) {
    if (!one->refused) one->refused.emplace(why, one->name, one->path);
  } else {
    fail(held, one, why);
  }
}

void client_core::fail(section& held, const std::shared_ptr<call>& one, errc code) {
  if (one->at == call::stage::done) return;
  error why(code, one->name, one->path);
  if (one->sent) why.set_sent(repeatable(one->type) ? outcome::not_applied : outcome::unknown);
  finish(held, one, std::move(why));
}

void client_core::finish(section& held, const std::shared_ptr<call>& one, error why) {
  if (one->at == call::stage::done) return;
  if (one->at == call::stage::queued && !one->internal) --waiting_users_;
  one->at = call::stage::done;
  watch_bytes_under_way_ -= std::exchange(one->watch_bytes, 0);
  if (one->heartbeat != 0) return keeper_.heartbeat_done(one->heartbeat, nullptr, {});
  if (observed_ && !one->internal) {
    held.todo.failures.push_back({one->name, runtime().clock().now() - one->submitted, why});
  }
  one->fail(std::move(why));
  deliver(held, one);
}

void client_core::deliver(section& held, const std::shared_ptr<call>& one) {
  if (!one->where) {
    held.todo.direct.push_back(one);
  } else if (one->where->push([one] { one->deliver(); })) {
    held.todo.kicks.push_back(one->where);
  }
}

void client_core::arm_deadline(time_point at) {
  if (at >= deadline_at_) return;
  if (deadline_timer_ != 0) runtime().clock().cancel(deadline_timer_);
  deadline_at_ = at;
  deadline_timer_ = runtime().clock().schedule(at, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_deadline();
  });
}

void client_core::on_deadline() {
  section held(*this);
  const auto now = runtime().clock().now();
  deadline_timer_ = 0;
  deadline_at_ = no_deadline;
  auto next = no_deadline;
  std::vector<std::shared_ptr<call>> due;
  const auto look = [&](const std::shared_ptr<call>& one) {
    if (one->at == call::stage::done) return;
    if (one->deadline <= now) {
      due.push_back(one);
    } else {
      next = std::min(next, one->deadline);
    }
  };
  in_flight_.for_each(look);
  std::for_each(waiting_.begin(), waiting_.end(), look);
  for (const auto& one : due) fail(held, one, errc::timed_out);
  if (next != no_deadline) arm_deadline(next);
}

// ---- replies and events ---------------------------------------------------------------------------------------------

void client_core::on_reply(const session_link& from, std::uint64_t id, errc code, const wire::reply& body,
                           const transport::reply_info& info) {
  std::shared_ptr<call> one;
  {
    section held(*this);
    if (&from != link_.get()) return;
    one = in_flight_.take(id);
    if (code == errc::session_expired) {
      // The server's verdict on one request; the transport's own event would have come before it.
      if (one) fail(held, one, errc::session_lost);
      return session_over(held, errc::session_lost);
    }
    const bool answered = info.connection != 0 && !lost_on_the_way(code);
    if (one && one->heartbeat != 0 && one->at != call::stage::done) {
      // A check that failed ends its grant before the same reply renews the lease.
      std::optional<error> problem;
      if (code != errc::ok) one->refine(problem.emplace(code, one->name), body);
      keeper_.heartbeat_done(one->heartbeat, problem ? &*problem : nullptr, answered ? info : transport::reply_info{});
      one->at = call::stage::done;
    }
    if (answered) {
      machine_.reply_seen(info.received);
      last_zxid_ = std::max(last_zxid_, info.zxid);
      // A transaction that failed was committed as such all the same; only of a multi do we know that it was sent on.
      if (one) {
        const auto until = keeper_.valid_until();
        keeper_.acked(info, is_transaction(one->type) && (code == errc::ok || one->type == wire::opcode::multi));
        if (observed_ && keeper_.holds() && keeper_.valid_until() > until) {
          held.todo.lease_left = std::max(until - info.received, duration::zero());
        }
      }
    }
    if (!one || one->at == call::stage::done) return;
    const bool leaves_watch =
        one->has_watch && (code == errc::ok || (code == errc::no_node && one->type == wire::opcode::exists));
    if (leaves_watch) {
      const bool unwanted = one->watch_owner && one->watch_owner->expired();
      const auto kind = one->type == wire::opcode::get_children2 ? watch_kind::child
                        : code == errc::no_node                  ? watch_kind::exist
                                                                 : watch_kind::data;
      watches_.add(kind, one->path, {std::move(one->watch), one->watch_where, std::move(one->watch_owner)});
      if (unwanted) drop_unwanted_watches(held, one->path);
    }
    if (code != errc::ok) {
      if (lost_on_the_way(code) && repeatable(one->type) && code != errc::auth_failed &&
          machine_.info().state != session_state::closed) {
        enqueue(std::move(one));
        return;
      }
      const bool lost = lost_on_the_way(code);
      if (code == errc::unimplemented) {
        return finish(held, one,
                      error(errc::unsupported, one->name, one->path,
                            "the server does not know this request: it is too old for it, or it is switched off there")
                          .set_sent(outcome::not_applied));
      }
      error why(lost && code != errc::auth_failed ? errc::connection_loss : code, one->name, one->path);
      why.set_sent(lost && !repeatable(one->type) ? outcome::unknown : outcome::not_applied);
      one->refine(why, body);
      finish(held, one, std::move(why));
      return;
    }
    one->at = call::stage::done;
    watch_bytes_under_way_ -= std::exchange(one->watch_bytes, 0);
  }
  if (observed_ && !one->internal) observer().on_operation(one->name, info.received - one->submitted, nullptr);
  one->succeed(body);
  if (one->where) {
    one->where->run([one] { one->deliver(); });
  } else {
    one->deliver();
  }
}

}  // namespace zkr::detail
