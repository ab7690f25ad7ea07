#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/spinning_mutex.hpp"
#include "transport/c_library.hpp"
#include "transport/owned_request.hpp"
#include "transport/pending_calls.hpp"
#include "transport/resolver.hpp"
#include "transport/transport.hpp"
#include "transport/zk_log.hpp"

namespace zkr::transport {

/// A session event as the library gives it.
struct session_notice {
  session_event::kind what = session_event::kind::disconnected;
  // Of `connected` only:
  std::int64_t session_id = 0;
  session_password password{};
  duration session_timeout{};
};

/// One session over libzookeeper-mt: c_transport's inner half, which timers, posted work and the library's callbacks
/// may outlive it with.
///
/// Threads. The library has two a handle. The completion thread runs completions and watchers, in the order of the
/// wire: they report to the sink directly. The I/O thread runs completions of auth requests and log lines, some with
/// the handle's lock held: they are noted and reported from the scheduler.
///
/// Locks, in the order in which they may be taken:
///   delivery_   held around each call of the sink, so that they come one at a time;
///   the library's own, inside its functions: a sink may submit();
///   mutex_      the state below. Nothing is called with it held, but the allocator and, where noted, the scheduler.
/// Nobody waits for delivery_ with a lock of the library or mutex_ held, and mutex_ is not held across a library
/// function.
class c_session : public std::enable_shared_from_this<c_session> {
 public:
  /// The library wakes its I/O thread with a byte in a pipe a request, and drops the connection when the pipe is full,
  /// at 65,536.
  static constexpr std::size_t most_in_flight = 20'000;

  c_session(transport_options options, sink& reports_to, scheduler& clock, resolver names);
  ~c_session();
  c_session(const c_session&) = delete;
  c_session& operator=(const c_session&) = delete;

  result<void> open();
  errc submit(std::uint64_t id, const wire::request& of, watch_mode watch);
  result<void> set_servers(const std::string& hosts);
  void close(unique_function<void()> done);
  /// As close(), without a word to the sink: for a transport that is destroyed unclosed.
  void abandon();
  /// False in a forked child, where the library's threads do not exist and its descriptors are the parent's.
  [[nodiscard]] bool is_own_process() const noexcept;

  // From the completion thread. `body` is ignored for a transaction.
  void complete(pending_call& call, errc code, const wire::reply& body, std::int64_t zxid);
  void report_session(c_handle& handle, zhandle_t* zh, const session_notice& notice);
  void report_watch(c_handle& handle, wire::event_type type, std::string_view path);
  // From any thread, with locks of the library held perhaps: the reply is reported from the scheduler.
  void note_reply(pending_call& call, errc code);

 private:
  struct noted_reply {
    pending_call* call;
    std::uint64_t ticket;
    errc code;
    time_point received;
  };
  struct held_request {
    pending_call* call;
    owned_request of;
    watch_mode watch;
  };
  struct taken_call;

  void give(pending_call& call) noexcept;
  void refuse(pending_call& call, errc code) noexcept;
  void pump();
  void change_servers();
  void report_left();
  void look_names_up();
  void on_lookup(const std::vector<server_name>& servers, result<resolved_servers> found);
  void arm_lookup();
  [[nodiscard]] taken_call take(pending_call& call, errc code, time_point received);
  void deliver(taken_call& call, const wire::reply& body, std::int64_t zxid);
  void fail(const std::vector<pending_call*>& calls, errc code);
  [[nodiscard]] std::vector<pending_call*> give_up_held(bool keep_credentials);
  void log_problems(const std::vector<std::string>& problems);
  result<void> start_handle();
  void end_handle(std::unique_ptr<c_handle> handle, errc leftovers);
  void arm_deadline();
  void on_deadline();
  void replace(std::unique_ptr<c_handle> old);
  void shut_down();
  void post_drain();
  void drain();
  void report_noted();

  const transport_options options_;
  sink& sink_;
  scheduler& clock_;
  const resolver names_;
  const unsigned process_;
  const std::shared_ptr<log_queue> log_;
  std::atomic<bool> drain_posted_{false};

  std::mutex delivery_;
  bool muted_ = false;  // guarded by delivery_: the sink is not to be called any more

  detail::spinning_mutex mutex_;  // guards all that follows
  std::condition_variable_any idle_;
  pending_calls calls_;
  std::unique_ptr<c_handle> current_;
  bool busy_ = false;  // a handle is being made or replaced
  bool opened_ = false;
  bool closing_ = false;
  bool closed_ = false;
  bool settled_ = false;  // a handshake was answered: the handle is never replaced again
  bool over_ = false;     // expired, or authentication failed
  bool connected_ = false;
  std::uint64_t connection_ = 0;
  scheduler::timer deadline_ = 0;
  time_point started_;  // just before zookeeper_init
  // The latest moment that is certain to lie before the end of the current connection: when its handshake was sent, or
  // one of its answered requests submitted. (Not when the library told of the loss: by then it may be connected again.)
  time_point touched_;
  std::vector<noted_reply> noted_;
  std::size_t outstanding_ = 0;  // calls that the library has not answered, credentials aside
  bool flushed_ = false;         // nothing that the library sends by itself after a reconnect can be half sent
  std::deque<held_request> held_;
  bool pumping_ = false;  // the first of them is being given to the library, or another list of servers is

  std::vector<server_name> servers_;
  std::vector<server_address> addresses_;
  std::size_t first_address_ = 0;
  bool addresses_changed_ = false;  // the handle has an older list
  bool leaving_ = false;            // the connection's server is in the list no more: nothing is sent until it is left
  bool left_ = false;               // it was left, and the sink has not been told
  bool looking_up_ = false;
  scheduler::timer lookup_ = 0;
};

}  // namespace zkr::transport
