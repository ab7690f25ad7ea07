#include <algorithm>
#include <optional>
#include <utility>

#include "transport/c_session.hpp"
#include "transport/request_check.hpp"

// What goes through a session: requests, replies, events.
namespace zkr::transport {
namespace {

/// Codes that the library gives to requests for which no reply came.
bool is_answer(errc code) noexcept {
  return code != errc::closing && code != errc::connection_loss && code != errc::operation_timeout &&
         code != errc::runtime_inconsistency;
}

}  // namespace

/// A call that was taken out of the table, with all that its reply needs.
struct c_session::taken_call {
  pending_call::kind what = pending_call::kind::request;
  std::uint64_t id = 0;
  errc code = errc::ok;
  reply_info info;
  std::unique_ptr<multi_call> multi;
  bool pump = false;  // what was held may go now
};

// ---- requests -------------------------------------------------------------------------------------------------------

errc c_session::submit(std::uint64_t id, const wire::request& of, watch_mode watch) {
  if (!is_own_process()) return errc::closed;
  if (const auto code = check_request(of, watch, options_.chroot, capabilities().largest_frame_bytes);
      code != errc::ok) {
    return code;
  }
  const bool is_auth = std::holds_alternative<wire::auth_request>(of);
  auto multi = make_multi(of);
  auto* const results = multi.get();
  pending_call* call = nullptr;
  c_handle* handle = nullptr;
  zhandle_t* zh = nullptr;
  bool hold = false;
  {
    const std::scoped_lock lock(mutex_);
    if (closing_) return errc::closed;
    if (!opened_ || over_) return errc::invalid_state;
    // Between two handles; and credentials are for a handle that stays: a fresh one would not know them.
    if (!current_ || current_->zh == nullptr || (is_auth && !connected_)) return errc::connection_loss;
    if (!held_.empty() && !connected_) return errc::connection_loss;  // credentials wait for the next connection
    if (leaving_ || left_) return errc::overloaded;                   // the end of the connection will be told
    if (calls_.in_use() >= most_in_flight) return errc::overloaded;
    handle = current_.get();
    zh = handle->zh;
    call = &calls_.acquire();
    call->what = is_auth ? pending_call::kind::auth : pending_call::kind::request;
    call->id = id;
    call->handle = handle;
    call->multi = std::move(multi);
    call->submitted = clock_.now();
    hold = is_auth || pumping_ || !held_.empty();
    if (hold) {
      held_.push_back({call, owned_request(of), watch});
    } else {
      give(*call);
    }
  }
  if (hold) {
    pump();
    return errc::ok;
  }
  const auto code = to_errc(send(*handle, zh, *call, results, of, watch));
  {
    const std::scoped_lock lock(mutex_);
    if (code != errc::ok) refuse(*call, code);
    if (--handle->users == 0) idle_.notify_all();
  }
  if (code != errc::ok) pump();  // credentials may have waited for this one's reply
  return code;
}

// With mutex_ held: the call is about to be given to the library.
void c_session::give(pending_call& call) noexcept {
  ++call.handle->users;
  call.in_library = true;
  if (call.what != pending_call::kind::auth) ++outstanding_;
}

// With mutex_ held: the library did not take it.
void c_session::refuse(pending_call& call, errc code) noexcept {
  if (call.what != pending_call::kind::auth) --outstanding_;
  if (code == errc::marshalling_error) {
    calls_.retire(call);  // out of memory: whether it has kept the call is not known
  } else {
    calls_.release(call);
  }
}

// The library puts credentials at the head of what it has to send, even before the rest of a request of which a part
// has left already: the server would take them for that part's end, a node's data perhaps. So they are given to it only
// when nothing can be half sent: every earlier request is answered and, after a reconnect, one that was sent behind the
// watches. What is submitted meanwhile waits behind them.
void c_session::pump() {
  change_servers();
  for (;;) {
    std::optional<held_request> next;
    pending_call* call = nullptr;
    c_handle* handle = nullptr;
    zhandle_t* zh = nullptr;
    multi_call* results = nullptr;
    std::uint64_t connection = 0;
    {
      const std::scoped_lock lock(mutex_);
      if (pumping_ || closing_ || over_ || held_.empty() || !current_) return;
      handle = current_.get();
      zh = handle->zh;
      connection = connection_;
      const bool is_auth = held_.front().call->what == pending_call::kind::auth;
      if (is_auth && (!connected_ || outstanding_ > 0)) return;
      if (is_auth && !flushed_) {
        call = &calls_.acquire();
        call->what = pending_call::kind::probe;
        call->handle = handle;
        call->submitted = clock_.now();
      } else {
        next = std::move(held_.front());
        held_.pop_front();
        call = next->call;
      }
      results = call->multi.get();
      pumping_ = true;
      give(*call);
    }
    const auto code =
        to_errc(next ? send(*handle, zh, *call, results, next->of.get(), next->watch) : send_probe(zh, *call));
    // Between two attempts to connect it refuses credentials.
    const bool later = code == errc::invalid_state && is_unrecoverable(zh) == ZOK;
    const std::scoped_lock lock(mutex_);
    pumping_ = false;
    const bool retry = next && later && call->what == pending_call::kind::auth;
    if (code != errc::ok && next && !retry) {
      noted_.push_back({call, call->ticket, code, clock_.now()});
      post_drain();
    }
    // From here on the handle may be closed, and the scheduler be gone.
    if (--handle->users == 0) idle_.notify_all();
    if (code == errc::ok) continue;
    if (!next) return refuse(*call, code);  // the session is over, or memory is: there will be an event
    if (retry) {
      call->in_library = false;
      held_.push_front(*std::move(next));
      if (connection_ == connection) return;  // the next connection pumps again
    }
  }
}

// ---- replies --------------------------------------------------------------------------------------------------------

c_session::taken_call c_session::take(pending_call& call, errc code, time_point received) {
  const std::scoped_lock lock(mutex_);
  taken_call taken;
  taken.what = call.what;
  taken.id = call.id;
  taken.code = call.handle->retired && code == errc::closing ? errc::connection_loss : code;
  taken.info.submitted = call.submitted;
  taken.info.received = received;
  (void)call.prepared.load(std::memory_order_acquire);
  taken.multi = std::move(call.multi);
  if (call.what != pending_call::kind::auth) {
    if (call.in_library) --outstanding_;
    if (connected_ && is_answer(code)) {
      flushed_ = true;
      touched_ = std::max(touched_, call.submitted);
      taken.info.connection = connection_;
    }
  }
  taken.pump = outstanding_ == 0 && (leaving_ || !held_.empty());
  calls_.release(call);
  return taken;
}

// With delivery_ held.
void c_session::deliver(taken_call& call, const wire::reply& body, std::int64_t zxid) {
  if (muted_ || call.what == pending_call::kind::probe) return;
  call.info.zxid = call.code == errc::ok ? zxid : 0;
  sink_.on_reply(call.id, call.code, body, call.info);
}

// With delivery_ held.
void c_session::fail(const std::vector<pending_call*>& calls, errc code) {
  const auto now = clock_.now();
  for (auto* call : calls) {
    auto taken = take(*call, code, now);
    deliver(taken, taken.multi ? wire::reply(wire::multi_reply()) : wire::reply(), 0);
  }
}

void c_session::complete(pending_call& call, errc code, const wire::reply& body, std::int64_t zxid) {
  const auto received = clock_.now();
  bool more = false;
  {
    const std::scoped_lock delivering(delivery_);
    auto taken = take(call, code, received);
    more = taken.pump;
    if (taken.multi) {
      const wire::reply results = results_of(*taken.multi, taken.code);
      deliver(taken, results, zxid);
    } else {
      deliver(taken, body, zxid);
    }
  }
  if (more) pump();
}

void c_session::note_reply(pending_call& call, errc code) {
  const auto received = clock_.now();
  {
    const std::scoped_lock lock(mutex_);
    noted_.push_back({&call, call.ticket, code, received});
  }
  post_drain();
}

void c_session::post_drain() {
  if (drain_posted_.exchange(true)) return;
  clock_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->drain_posted_ = false;
    self->drain();
  });
}

void c_session::drain() {
  report_noted();
  pump();
}

void c_session::report_noted() {
  const std::scoped_lock delivering(delivery_);
  if (muted_) return;
  report_left();
  std::vector<noted_reply> noted;
  {
    const std::scoped_lock lock(mutex_);
    noted.swap(noted_);
  }
  for (const auto& one : noted) {
    {
      const std::scoped_lock lock(mutex_);
      if (one.call->ticket != one.ticket) continue;  // swept already
    }
    auto taken = take(*one.call, one.code, one.received);
    deliver(taken, taken.multi ? wire::reply(wire::multi_reply()) : wire::reply(), 0);
  }
  for (const auto& line : log_->take()) sink_.on_log(line.level, line.text);
}

// ---- events ---------------------------------------------------------------------------------------------------------

void c_session::report_session(c_handle& handle, zhandle_t* zh, const session_notice& notice) {
  using kind = session_event::kind;
  session_event event;
  event.at = clock_.now();
  event.what = notice.what;
  std::uint64_t lost = 0;  // a connection whose end the library did not tell
  std::vector<pending_call*> given_up;
  scheduler::timer deadline = 0;
  {
    const std::scoped_lock delivering(delivery_);
    {
      const std::scoped_lock lock(mutex_);
      if (handle.retired || over_) return;
      // Left before it could be told of: the next one will be.
      if (notice.what == kind::connected && zoo_state(zh) == ZOO_NOTCONNECTED_STATE) return;
      handle.zh = zh;  // zookeeper_init may not have returned yet, and the sink may submit
      if (notice.what == kind::disconnected && !connected_) return;
      event.connection = connection_;
      if (notice.what == kind::connected) {
        // It closes a socket without a word when its pipe is full.
        lost = connected_ ? connection_ : 0;
        event.connection = ++connection_;
        event.session_id = notice.session_id;
        event.password = notice.password;
        event.session_timeout = notice.session_timeout;
        event.resumed = connection_ > 1 || options_.session_id != 0;
        if (connection_ == 1) touched_ = started_;
        event.handshake_submitted = touched_;
        flushed_ = connection_ == 1;
      } else {
        given_up = give_up_held(notice.what == kind::disconnected);
      }
      connected_ = notice.what == kind::connected;
      leaving_ = left_ = false;
      over_ = notice.what == kind::expired || notice.what == kind::auth_failed;
      settled_ = settled_ || connected_ || over_;
      deadline = std::exchange(deadline_, 0);
    }
    if (deadline != 0) clock_.cancel(deadline);
    if (muted_) return;
    if (lost != 0) {
      session_event end;
      end.connection = lost;
      end.at = event.at;
      sink_.on_session_event(end);
    }
    sink_.on_session_event(event);
    fail(given_up, notice.what == kind::expired       ? errc::session_expired
                   : notice.what == kind::auth_failed ? errc::auth_failed
                                                      : errc::connection_loss);
  }
  if (notice.what == kind::disconnected) look_names_up();
  if (notice.what != kind::expired && notice.what != kind::auth_failed) pump();
}

// With mutex_ held. Requests are not carried over to another connection, credentials are.
std::vector<pending_call*> c_session::give_up_held(bool keep_credentials) {
  std::vector<pending_call*> given_up;
  std::deque<held_request> kept;
  for (auto& held : held_) {
    if (keep_credentials && held.call->what == pending_call::kind::auth) {
      kept.push_back(std::move(held));
    } else {
      given_up.push_back(held.call);
    }
  }
  held_ = std::move(kept);
  return given_up;
}

void c_session::report_watch(c_handle& handle, wire::event_type type, std::string_view path) {
  watch_event event{type, path, 0, clock_.now()};
  const std::scoped_lock delivering(delivery_);
  {
    const std::scoped_lock lock(mutex_);
    if (handle.retired) return;
    event.connection = connection_;
  }
  if (!muted_) sink_.on_watch_event(event);
}

}  // namespace zkr::transport
