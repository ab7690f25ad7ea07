#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "client/in_flight.hpp"
#include "client/lease_keeper.hpp"
#include "client/session_machine.hpp"
#include "client/watch_homes.hpp"
#include "client/watch_table.hpp"
#include "core/spinning_mutex.hpp"
#include "zkrecipes/client_options.hpp"

namespace zkr::detail {

class gate;
class session_link;

/// Told of every change of the session, in order, on the scheduler thread.
struct session_listener {
  virtual ~session_listener() = default;
  virtual void on_session(const session_info& info, errc cause) = 0;
};

/// The client behind its handles: one session at a time over one transport, the calls that wait or are on their way, the
/// one-shot watches and the lease. All of it is guarded by one lock; nothing is called out with it held but the
/// schedulers and the strands' queues, which call nobody.
///
///   call: submit() -> queue -> pump() -> transport -> on_reply() -> deliver
class client_core : public std::enable_shared_from_this<client_core> {
 public:
  static result<std::shared_ptr<client_core>> create(client_options options, transport::factory make_transport);

  client_core(client_options options, transport::factory make_transport, std::string hosts, std::string chroot);
  client_core(const client_core&) = delete;
  client_core& operator=(const client_core&) = delete;
  ~client_core();

  /// Asks for the first session.
  result<void> start();
  void submit(const std::shared_ptr<call>& one, const call_options& wait);
  /// Ends a call that has not ended yet.
  void abandon(const std::shared_ptr<call>& one, errc why);
  /// Ends everything; waits for the session's end on the server, `close_timeout` at most, where this thread may wait.
  void close() noexcept;
  /// The same without the wait, and for this session alone. @return what opens at the session's end; or nothing.
  std::shared_ptr<gate> begin_close() noexcept;

  [[nodiscard]] result<session_ticket> ticket() const;
  void adopt_session() noexcept;
  /// Whether recipes may use a session that was resumed.
  [[nodiscard]] bool session_adopted() const;
  result<void> set_servers(const std::string& hosts);
  void add_auth(const auth_entry& entry);
  void remove_auth(const auth_entry& entry);

  /// Where subscriptions' watches live.
  [[nodiscard]] watch_homes& homes() noexcept { return homes_; }
  /// Lets go of the watches of a path whose owners are gone, here and on the server.
  void forget_watches(const std::string& path);
  /// Of another client to the same servers, with the same credentials.
  [[nodiscard]] client_options options_of_another(std::shared_ptr<zkr::observer> observer) const;
  [[nodiscard]] const transport::factory& transports() const noexcept { return make_transport_; }

  void take_grant(std::shared_ptr<grant_state> grant, std::shared_ptr<grant_watcher> who);
  void drop_grant(const grant_state& grant);
  void keep_warm(int change);
  void keep_reading(int change);
  [[nodiscard]] std::shared_ptr<lease_cell> lease_of(std::uint64_t generation) const;

  /// Registers a listener: it is told the current state first.
  void listen(const std::shared_ptr<session_listener>& who);
  void stop_listening(const session_listener* who);
  /// Keeps an object alive until it is let go, or has had its turn on the inner strand after the client's end.
  void keep(std::shared_ptr<void> what);
  /// @return what was kept, so that it ends without the core's lock held.
  std::shared_ptr<void> let_go(const void* what);

  [[nodiscard]] session_info session() const;
  [[nodiscard]] bool closed() const;
  /// The strand of an executor on this client; nullptr: the client's own.
  [[nodiscard]] std::shared_ptr<strand> strand_of(executor* where);
  /// The library's own strand, on the scheduler thread.
  [[nodiscard]] const std::shared_ptr<strand>& inner_strand() const noexcept { return inner_strand_; }
  [[nodiscard]] executor* inner_executor() const noexcept { return inner_executor_.get(); }
  /// Where the steps of users' compound operations are answered: also on the scheduler thread, but not from the reserve.
  /// They wait for room, as blocking calls do.
  [[nodiscard]] const std::shared_ptr<strand>& step_strand() const noexcept { return step_strand_; }
  [[nodiscard]] executor* step_executor() const noexcept { return step_executor_.get(); }
  [[nodiscard]] const client_options& options() const noexcept { return options_; }
  [[nodiscard]] zkr::runtime& runtime() const noexcept { return *options_.runtime; }
  [[nodiscard]] const std::string& chroot() const noexcept { return chroot_; }
  [[nodiscard]] zkr::observer& observer() const noexcept { return *options_.observer; }
  [[nodiscard]] std::size_t largest_request_bytes() const noexcept;
  /// What the transport of the current session can, or of the last one.
  [[nodiscard]] transport::capabilities what_it_can() const;
  [[nodiscard]] bool forked() const noexcept;

 private:
  friend class session_link;

  struct failure {
    std::string_view operation;
    duration latency;
    error why;
  };
  struct load {
    std::size_t in_flight = 0;
    std::size_t waiting = 0;
    bool operator==(const load&) const = default;
  };
  /// What is to be done once the lock is released.
  struct effects {
    std::vector<std::shared_ptr<strand>> kicks;
    std::vector<std::shared_ptr<call>> direct;
    std::vector<session_info> sessions;
    std::shared_ptr<session_link> retire;
    std::vector<std::shared_ptr<call>> dropped;  ///< They may take user code along.
    std::vector<waiting_watch> forgotten;        ///< And these.
    std::vector<failure> failures;               ///< For the observer, as the next is.
    std::optional<duration> lease_left;
    bool pump = false;

    /// Whether nothing is to be done without the lock but to send.
    [[nodiscard]] bool only_pump() const noexcept {
      return kicks.empty() && direct.empty() && sessions.empty() && failures.empty() && !retire && !lease_left;
    }
  };
  struct listening {
    const session_listener* who;
    std::weak_ptr<session_listener> way;
  };
  class section;

  // Reports of the transport, by way of its link.
  void on_session_event(const session_link& from, const transport::session_event& event);
  void on_watch_event(const session_link& from, const transport::watch_event& event);
  void on_reply(const session_link& from, std::uint64_t id, errc code, const wire::reply& body,
                const transport::reply_info& info);

  // With the lock held:
  void session_over(section& held, errc cause);
  void fail_pinned(section& held, errc code);
  void fail_all(section& held, errc code, watch_event_type event);
  void fail(section& held, const std::shared_ptr<call>& one, errc code);
  void finish(section& held, const std::shared_ptr<call>& one, error why);
  void deliver(section& held, const std::shared_ptr<call>& one);
  void announce(section& held, errc cause);
  void enqueue(std::shared_ptr<call> one);
  void poll_keeper();
  void submit_auth(const auth_entry& entry);
  void rearm_watches();
  void drop_unwanted_watches(section& held, const std::string& path);
  [[nodiscard]] std::size_t watch_bytes(const call& one) const noexcept;
  void arm_loss_timer();
  void arm_deadline(time_point at);
  void on_deadline();
  [[nodiscard]] bool has_to_send() const noexcept;
  [[nodiscard]] std::shared_ptr<call> next_to_send(std::vector<std::shared_ptr<call>>& dropped);

  void pump(std::unique_lock<spinning_mutex> from);
  void perform(effects& todo);
  void tell_load();
  void log(log_level level, std::string_view line) const;

  client_options options_;
  const transport::factory make_transport_;
  const std::string chroot_;
  const unsigned process_;
  const bool observed_;  ///< An observer was given: what costs something is told.
  std::shared_ptr<executor> inner_executor_;
  std::shared_ptr<strand> inner_strand_;
  std::shared_ptr<executor> step_executor_;
  std::shared_ptr<strand> step_strand_;
  std::shared_ptr<strand> own_strand_;  ///< Of handlers that were given no executor.

  watch_homes homes_;
  std::mutex changing_servers_;  ///< Taken before mutex_.

  std::mutex telling_;  ///< One on_load() after the other; taken before mutex_.
  load told_;           // guarded by telling_

  mutable spinning_mutex mutex_;
  // Everything below is guarded by mutex_.
  session_machine machine_;
  std::string hosts_;
  std::shared_ptr<session_link> link_;
  transport::capabilities can_;
  std::deque<std::shared_ptr<call>> urgent_;
  std::deque<std::shared_ptr<call>> waiting_;
  std::size_t waiting_users_ = 0;  ///< Calls of users in waiting_ that have not ended.
  in_flight_table in_flight_;
  bool pumping_ = false;
  std::uint64_t turn_ = 1;        ///< Counts what may make a transport take requests again: session events, new links.
  std::uint64_t refused_in_ = 0;  ///< The turn in which the transport last took nothing: it will not until the next.
  watch_table watches_;
  std::size_t watch_bytes_under_way_ = 0;  ///< Of users' reads that have not ended.
  transport::session_password password_{};
  bool adopted_ = false;
  std::vector<auth_entry> auth_;
  std::int64_t last_zxid_ = 0;
  lease_keeper keeper_;
  std::map<executor*, std::shared_ptr<strand>> strands_;
  std::vector<listening> listeners_;
  std::map<const void*, std::shared_ptr<void>> kept_;
  scheduler::timer loss_timer_ = 0;
  scheduler::timer reopen_timer_ = 0;
  scheduler::timer deadline_timer_ = 0;
  time_point deadline_at_ = no_deadline;
};

}  // namespace zkr::detail
