#include "client/watcher.hpp"

#include <algorithm>
#include <compare>

#include "client/access.hpp"
#include "client/client_core.hpp"
#include "client/subscription_state.hpp"

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

/// What two reports differ by: nothing else is worth a report.
struct seen {
  errc problem = errc::ok;
  bool present = false;
  std::int64_t czxid = 0;
  std::int64_t changed = 0;  ///< mzxid of data, pzxid of children
  bool operator==(const seen&) const = default;
};

struct data_kind {
  using value = node;
  using change = node_change;
  static void read(operations& from, const std::string& path, handler<node> done, read_options options) {
    from.async_get(path, std::move(done), std::move(options));
  }
  static std::int64_t changed(const node& of) { return of.stat.mzxid; }
  static node_change report(std::string path, std::optional<node> now, std::optional<error> problem) {
    return {std::move(path), std::move(now), std::move(problem)};
  }
};

struct children_kind {
  using value = child_list;
  using change = children_change;
  static void read(operations& from, const std::string& path, handler<child_list> done, read_options options) {
    from.async_children(path, std::move(done), std::move(options));
  }
  static std::int64_t changed(const child_list& of) { return of.stat.pzxid; }
  static children_change report(std::string path, std::optional<child_list> now, std::optional<error> problem) {
    return {std::move(path), std::move(now), std::move(problem)};
  }
};

/// Reads with a watch, compares, reports; again after every event, reconnect and new session. Everything but the report
/// happens on the core's inner strand, one thing at a time.
template <typename Kind>
class node_watcher final : public subscription_state,
                           public session_listener,
                           public watch_homes::lodger,
                           public std::enable_shared_from_this<node_watcher<Kind>> {
 public:
  using change = typename Kind::change;
  using value = typename Kind::value;

  node_watcher(const std::shared_ptr<client_core>& client, executor* handlers, std::string path,
               unique_function<void(const change&)> handler)
      : client_(client),
        path_(std::move(path)),
        user_strand_(client->strand_of(handlers)),
        handler_(std::move(handler)) {}
  node_watcher(const node_watcher&) = delete;
  node_watcher& operator=(const node_watcher&) = delete;
  /// There is no room: says so, and begins when there is.
  void refuse(const error& why) {
    report({.problem = why.code()}, Kind::report(path_, {}, why), only::where_nothing_was_reported);
  }

  void move_into(const std::shared_ptr<client_core>& home) override {
    if (!home) return report_closed();
    bool wanted = true;
    {
      const std::scoped_lock lock(home_mutex_);
      wanted = wanted_ != nullptr;
      if (wanted) home_ = {home, home.get()};
    }
    if (!wanted) {
      if (const auto client = client_.lock()) client->homes().move_out(client, home.get(), path_);
      return;
    }
    home->listen(this->shared_from_this());
    if (!active()) home->stop_listening(this);  // it was cancelled before it listened
  }

  void on_session(const session_info& info, errc) override {
    if (!active()) return;
    if (info.state == session_state::connected) {
      if (info.generation != generation_) reading_ = armed_ = armed_for_creation_ = false;  // went with the old session
      generation_ = info.generation;
      read();
    } else if (info.state == session_state::closed) {
      report_closed();
    }
  }

 private:
  enum class only { where_it_differs, where_nothing_was_reported };
  struct lodging {
    std::weak_ptr<client_core> core;
    const client_core* name = nullptr;  ///< Maybe of one that is gone; null where there is no room.
  };

  /// The session in which it watches: the client's, or an auxiliary one; none as long as there is no room.
  [[nodiscard]] std::shared_ptr<client_core> core() const {
    const std::scoped_lock lock(home_mutex_);
    return home_.core.lock();
  }
  void report_closed() {
    report({.problem = errc::closed}, Kind::report(path_, {}, error(errc::closed, "watch", path_)));
  }
  std::weak_ptr<node_watcher> weak() { return this->weak_from_this(); }

  /// Calls `react` with this watcher if it is still wanted, and the answer of the session that it asked.
  template <typename T, typename React>
  handler<T> when_answered(React react) {
    return [self = weak(), generation = generation_, react](result<T> answer) mutable {
      const auto watcher = self.lock();
      if (watcher && watcher->active() && watcher->generation_ == generation) react(*watcher, std::move(answer));
    };
  }
  /// A watch for the next read, unless the one of an earlier read still waits (it survives reconnects): `armed` says so.
  read_options watch_unless(bool node_watcher::*armed) {
    if (std::exchange(this->*armed, true)) return {};
    return {.watch =
                [self = weak(), generation = generation_, armed](const watch_event& event) {
                  const auto watcher = self.lock();
                  if (!watcher || !watcher->active() || watcher->generation_ != generation) return;
                  (*watcher).*armed = false;
                  if (event.type == watch_event_type::session_lost || event.type == watch_event_type::closed) return;
                  watcher->noticed();
                  watcher->read();
                },
            .watch_owner = wanted()};
  }

  /// Gone with the cancellation, and the watches with it.
  [[nodiscard]] std::weak_ptr<const void> wanted() const {
    const std::scoped_lock lock(home_mutex_);
    return wanted_;
  }

  void noticed() {
    const auto core = this->core();
    const std::scoped_lock lock(latest_mutex_);
    if (core && !noticed_) noticed_ = core->runtime().clock().now();
  }

  void read() {
    if (std::exchange(reading_, true)) {
      again_ = true;
      return;
    }
    again_ = false;
    const auto core = this->core();
    if (!core) return;
    operations from(core, inner(*core), generation_);
    Kind::read(from, path_,
               when_answered<value>([](node_watcher& self, result<value> answer) { self.on_read(std::move(answer)); }),
               watch_unless(&node_watcher::armed_));
  }

  void on_read(result<value> answer) {
    reading_ = false;
    if (!answer) armed_ = false;  // a read that fails leaves no watch
    if (answer) {
      const seen now{.present = true, .czxid = answer->stat.czxid, .changed = Kind::changed(*answer)};
      report(now, Kind::report(path_, std::move(*answer), {}));
    } else if (answer.error().code() == errc::no_node) {
      return wait_for_creation();
    } else {
      on_problem(answer.error());
    }
    if (again_) read();
  }

  void wait_for_creation() {
    const auto core = this->core();
    if (!core) return;
    reading_ = true;
    operations(core, inner(*core), generation_)
        .async_exists(path_, when_answered<stat_t>([](node_watcher& self, result<stat_t> answer) {
                        self.reading_ = false;
                        if (answer) return self.read();  // created meanwhile
                        if (answer.error().code() != errc::no_node) {
                          self.armed_for_creation_ = false;
                          return self.on_problem(answer.error());
                        }
                        self.report({}, Kind::report(self.path_, {}, {}));
                        if (self.again_) self.read();
                      }),
                      watch_unless(&node_watcher::armed_for_creation_));
  }

  void on_problem(const error& why) {
    if (why.code() == errc::session_lost || why.code() == errc::closed) return;  // the session's own event follows
    report({.problem = why.code()}, Kind::report(path_, {}, why));
    const auto core = this->core();
    if (!core) return;
    // Nothing tells when an ACL changes: ask again now and then.
    auto& clock = core->runtime().clock();
    clock.schedule(clock.now() + std::max<duration>(core->options().session_timeout, 1s),
                   [self = weak(), strand = core->inner_strand(), generation = generation_] {
                     strand->run([self, generation] {
                       const auto watcher = self.lock();
                       if (watcher && watcher->active() && watcher->generation_ == generation) watcher->read();
                     });
                   });
  }

  void report(const seen& now, change what, only when = only::where_it_differs) {
    {
      const std::scoped_lock lock(latest_mutex_);
      if (last_ == now || (last_ && when == only::where_nothing_was_reported)) return;
      last_ = now;
      latest_ = std::move(what);
      if (std::exchange(pending_, true)) return;  // the report that waits takes this state along
    }
    user_strand_->run([self = weak()] {
      if (const auto watcher = self.lock()) watcher->deliver();
    });
  }

  void deliver() {
    std::optional<change> what;
    std::optional<time_point> noticed;
    {
      const std::scoped_lock lock(latest_mutex_);
      pending_ = false;
      what.swap(latest_);
      noticed.swap(noticed_);
    }
    if (!what) return;
    const auto core = this->core();
    if (core && noticed) core->observer().on_watch(core->runtime().clock().now() - *noticed);
    run([&] { handler_(*what); });
  }

  void on_cancel() noexcept override {
    lodging former;
    {
      const std::scoped_lock lock(home_mutex_);
      wanted_.reset();
      former = home_;
    }
    if (const auto core = former.core.lock()) {
      core->stop_listening(this);
      core->forget_watches(path_);
    }
    if (const auto client = client_.lock(); client && former.name != nullptr) {
      client->homes().move_out(client, former.name, path_);
    }
  }

  static executor* inner(client_core& core) { return core.inner_executor(); }

  const std::weak_ptr<client_core> client_;
  const std::string path_;
  const std::shared_ptr<strand> user_strand_;
  unique_function<void(const change&)> handler_;

  // On the inner strand only:
  std::uint64_t generation_ = 0;
  bool reading_ = false;
  bool again_ = false;
  bool armed_ = false;               ///< A one-shot watch of get or children waits.
  bool armed_for_creation_ = false;  ///< One of exists does.

  mutable std::mutex home_mutex_;
  lodging home_;  // guarded by home_mutex_, as the next
  std::shared_ptr<const void> wanted_ = std::make_shared<const char>();

  std::mutex latest_mutex_;
  std::optional<seen> last_;  // guarded by latest_mutex_, as the next
  std::optional<change> latest_;
  bool pending_ = false;
  std::optional<time_point> noticed_;  // the first notice since the last report
};

class session_watcher final : public subscription_state,
                              public session_listener,
                              public std::enable_shared_from_this<session_watcher> {
 public:
  session_watcher(client_core& core, executor* handlers, unique_function<void(const session_info&)> handler)
      : user_strand_(core.strand_of(handlers)), handler_(std::move(handler)) {}

  void on_session(const session_info& info, errc) override {
    user_strand_->run([self = weak_from_this(), info] {
      if (const auto watcher = self.lock()) watcher->run([&] { watcher->handler_(info); });
    });
  }

 private:
  const std::shared_ptr<strand> user_strand_;
  unique_function<void(const session_info&)> handler_;
};

template <typename Kind>
subscription watch(const std::shared_ptr<client_core>& client, executor* handlers, std::string path,
                   unique_function<void(const typename Kind::change&)> handler) {
  if (!client) return {};
  auto watcher = std::make_shared<node_watcher<Kind>>(client, handlers, path, std::move(handler));
  const auto home = client->homes().move_in(client, path, watcher);
  if (home) {
    watcher->move_into(*home);
  } else {
    watcher->refuse(home.error());
  }
  return subscription(std::move(watcher));
}

}  // namespace

subscription watch_node(const std::shared_ptr<client_core>& core, executor* handlers, std::string path,
                        unique_function<void(const node_change&)> handler) {
  return watch<data_kind>(core, handlers, std::move(path), std::move(handler));
}

subscription watch_children(const std::shared_ptr<client_core>& core, executor* handlers, std::string path,
                            unique_function<void(const children_change&)> handler) {
  return watch<children_kind>(core, handlers, std::move(path), std::move(handler));
}

subscription watch_session(const std::shared_ptr<client_core>& core, executor* handlers,
                           unique_function<void(const session_info&)> handler) {
  if (!core) return {};
  auto watcher = std::make_shared<session_watcher>(*core, handlers, std::move(handler));
  core->listen(watcher);
  return subscription(std::move(watcher));
}

}  // namespace zkr::detail
