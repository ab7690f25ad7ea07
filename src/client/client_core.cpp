#include "client/client_core.hpp"

#include <algorithm>
#include <iterator>

#include "client/access.hpp"
#include "client/call_context.hpp"
#include "client/core_section.hpp"
#include "client/gate.hpp"
#include "client/inner_calls.hpp"
#include "client/session_link.hpp"
#include "core/thread.hpp"
#include "transport/resolver.hpp"

namespace zkr::detail {
namespace {

class scheduler_executor final : public executor {
 public:
  explicit scheduler_executor(std::shared_ptr<runtime> threads) : threads_(std::move(threads)) {}
  void execute(unique_function<void()> work) override { threads_->clock().post(std::move(work)); }

 private:
  const std::shared_ptr<runtime> threads_;
};

struct silent_observer final : zkr::observer {};

}  // namespace

void client_core::perform(effects& todo) {
  for (const auto& one : todo.failures) observer().on_operation(one.operation, one.latency, &one.why);
  for (const auto& one : todo.direct) one->deliver();
  for (const auto& one : todo.kicks) one->kick();
  for (const auto& info : todo.sessions) observer().on_session(info);
  if (todo.lease_left) observer().on_lease(*todo.lease_left, session().timeout);
  if (todo.retire) todo.retire->retire(runtime().reaper(), [] {});
  if (todo.pump) pump(std::unique_lock(mutex_));
  if (observed_) tell_load();
}

void client_core::tell_load() {
  const std::scoped_lock one_by_one(telling_);
  load now;
  {
    const std::scoped_lock lock(mutex_);
    now = {in_flight_.users(), waiting_users_};
  }
  if (now == told_) return;
  told_ = now;
  observer().on_load(now.in_flight, now.waiting);
}

// ---- life -----------------------------------------------------------------------------------------------------------

client_core::client_core(client_options options, transport::factory make_transport, std::string hosts,
                         std::string chroot)
    : options_(std::move(options)),
      make_transport_(std::move(make_transport)),
      chroot_(std::move(chroot)),
      process_(process_number()),
      observed_(options_.observer != nullptr),
      machine_({.loss_timeout = options_.loss_timeout}),
      hosts_(std::move(hosts)),
      auth_(options_.auth),
      keeper_({.tick_time = options_.tick_time,
               .follower_timeout = options_.follower_timeout,
               .margin = options_.lease_margin,
               .warn_before = options_.warn_before},
              options_.runtime->clock(), options_.runtime->loss_clock(),
              // An alarm may go off while the core ends on another thread: it refers to neither of the two.
              [this](unique_function<void(lease_keeper&)> work) -> unique_function<void()> {
                return [weak = weak_from_this(), work = std::move(work)]() mutable {
                  if (const auto self = weak.lock()) {
                    const section held(*self);
                    work(self->keeper_);
                  }
                };
              }) {
  if (!options_.observer) options_.observer = std::make_shared<silent_observer>();
  inner_executor_ = std::make_shared<scheduler_executor>(options_.runtime);
  inner_strand_ = strand_of(inner_executor_.get());
  step_executor_ = std::make_shared<scheduler_executor>(options_.runtime);
  step_strand_ = strand_of(step_executor_.get());
  own_strand_ = strand_of(nullptr);
}

client_core::~client_core() = default;

result<std::shared_ptr<client_core>> client_core::create(client_options options, transport::factory make_transport) {
  if (auto valid = options.validate(); !valid) return valid.error();
  const auto slash = options.hosts.find('/');
  auto hosts = options.hosts.substr(0, slash);
  auto chroot = slash == std::string::npos ? std::string() : options.hosts.substr(slash);
  if (chroot == "/") chroot.clear();
  if (!options.runtime) options.runtime = runtime::shared_default();
  return std::make_shared<client_core>(std::move(options), std::move(make_transport), std::move(hosts),
                                       std::move(chroot));
}

bool client_core::forked() const noexcept { return process_number() != process_; }

result<void> client_core::start() {
  std::string hosts;
  bool resumes = false;
  {
    const std::scoped_lock lock(mutex_);
    hosts = hosts_;
    resumes = options_.resume && machine_.info().generation == 0;
  }
  transport::transport_options how{.hosts = hosts,
                                   .chroot = chroot_,
                                   .session_timeout = options_.session_timeout,
                                   .handshake_timeout = options_.handshake_timeout.value_or(std::max<duration>(
                                       options_.session_timeout / 3, std::chrono::milliseconds(200)))};
  if (resumes) {
    how.session_id = options_.resume->id();
    how.password = client_access::secret(*options_.resume);
  }
  const auto link = std::make_shared<session_link>(shared_from_this(), make_transport_, how, runtime().clock());
  std::string newer;
  {
    section held(*this);
    if (machine_.info().state == session_state::closed) return error(errc::closed, "connect");
    machine_.begin();
    ++turn_;
    link_ = link;
    can_ = link->wire().what_it_can();
    newer = hosts_;
    announce(held, errc::ok);
  }
  auto opened = link->wire().open();
  if (opened && newer != hosts) opened = link->wire().set_servers(newer);
  if (!opened) {
    section held(*this);
    if (link_ == link) session_over(held, opened.error().code());
  }
  return opened;
}

result<session_ticket> client_core::ticket() const {
  const std::scoped_lock lock(mutex_);
  const auto& info = machine_.info();
  if (info.state == session_state::closed) return error(errc::closed, "ticket");
  if (info.state != session_state::connected && info.state != session_state::suspended) {
    return error(errc::session_lost, "ticket");
  }
  return session_ticket(info.id, password_);
}

void client_core::adopt_session() noexcept {
  const std::scoped_lock lock(mutex_);
  adopted_ = true;
}

bool client_core::session_adopted() const {
  const std::scoped_lock lock(mutex_);
  return adopted_;
}

result<void> client_core::set_servers(const std::string& hosts) {
  const auto refused = [](const error& why) { return error(why.code(), "set_servers", {}, why.detail()); };
  if (no_blocking::here()) return error(errc::would_deadlock, "set_servers");
  if (hosts.find('/') != std::string::npos) {
    return error(errc::invalid_argument, "set_servers", {}, "hosts: the chroot stays as it is, and is not named");
  }
  if (auto valid = transport::parse_hosts(hosts); !valid) return refused(valid.error());
  const std::scoped_lock one_at_a_time(changing_servers_);
  for (;;) {
    std::shared_ptr<session_link> link;
    {
      const std::scoped_lock lock(mutex_);
      if (machine_.info().state == session_state::closed) return error(errc::closed, "set_servers");
      link = link_;
    }
    if (link) {
      auto changed = link->wire().set_servers(hosts);
      if (!changed && changed.error().code() != errc::closed) return refused(changed.error());
    }
    const std::scoped_lock lock(mutex_);
    if (link_ != link) continue;  // another session meanwhile, with the list of before
    hosts_ = hosts;
    break;
  }
  for (const auto& other : homes_.others()) (void)other->set_servers(hosts);
  return {};
}

void client_core::close() noexcept {
  if (forked()) return;
  const auto ended = begin_close();
  homes_.close();
  if (ended && runtime().may_block()) ended->wait_for(options_.close_timeout);
}

std::shared_ptr<gate> client_core::begin_close() noexcept {
  std::shared_ptr<session_link> link;
  {
    section held(*this);
    if (machine_.info().state == session_state::closed) return nullptr;
    link = std::move(link_);
    machine_.closed();
    keeper_.session_over(error(errc::closed, "lease"));
    fail_all(held, errc::closed, watch_event_type::closed);
    announce(held, errc::closed);
    if (inner_strand_->push([last = std::move(kept_)] {})) held.todo.kicks.push_back(inner_strand_);
    for (auto* timer : {&loss_timer_, &reopen_timer_, &deadline_timer_}) {
      if (*timer != 0) runtime().clock().cancel(std::exchange(*timer, 0));
    }
  }
  if (!link) return nullptr;
  auto ended = std::make_shared<gate>();
  link->retire(runtime().reaper(), [ended] { ended->open(); });
  return ended;
}

client_options client_core::options_of_another(std::shared_ptr<zkr::observer> observer) const {
  auto how = options_;
  how.observer = std::move(observer);
  how.chroot = missing_chroot::fail;
  how.resume.reset();
  const std::scoped_lock lock(mutex_);
  how.hosts = hosts_ + chroot_;
  how.auth = auth_;
  return how;
}

void session_link::retire(executor& reaper, unique_function<void()> done) {
  reaper.execute([self = shared_from_this(), done = std::move(done)]() mutable {
    auto& wire = *self->transport_;
    // The link lives until its transport has reported for the last time.
    wire.close([self = std::move(self), done = std::move(done)]() mutable { done(); });
  });
}

void session_link::on_log(int level, std::string_view line) {
  const auto kind = level <= 3   ? log_level::error
                    : level == 4 ? log_level::warning
                    : level <= 6 ? log_level::info
                                 : log_level::debug;
  core_->log(kind, line);
}

// ---- the session ----------------------------------------------------------------------------------------------------

void client_core::on_session_event(const session_link& from, const transport::session_event& event) {
  section held(*this);
  if (&from != link_.get()) return;
  using kind = transport::session_event::kind;
  auto cause = errc::ok;
  switch (event.what) {
    case kind::connected: {
      ++turn_;
      machine_.connected(event);
      password_ = event.password;
      if (event.resumed) {
        keeper_.reattached(event);
      } else {
        keeper_.session_began(event);
      }
      const auto can = link_->wire().what_it_can();
      if (!event.resumed || !can.resends_auth) {
        for (const auto& entry : auth_) submit_auth(entry);
      }
      if (event.resumed && !can.rearms_watches) rearm_watches();
      break;
    }
    case kind::disconnected:
      ++turn_;
      machine_.disconnected(event.at);
      keeper_.disconnected();
      cause = errc::connection_loss;
      break;
    case kind::expired: return session_over(held, errc::session_lost);
    case kind::auth_failed: return session_over(held, errc::auth_failed);
  }
  arm_loss_timer();
  announce(held, cause);
}

void client_core::arm_loss_timer() {
  auto& clock = runtime().clock();
  if (loss_timer_ != 0) clock.cancel(std::exchange(loss_timer_, 0));
  const auto at = machine_.lost_at();
  if (at == no_deadline) return;
  loss_timer_ = clock.schedule(at, [weak = weak_from_this(), generation = machine_.info().generation, at] {
    const auto self = weak.lock();
    if (!self) return;
    section held(*self);
    if (self->machine_.info().generation != generation || self->machine_.lost_at() != at) return;
    self->session_over(held, errc::timed_out);
  });
}

void client_core::session_over(section& held, errc cause) {
  if (machine_.info().state == session_state::lost || machine_.info().state == session_state::closed) return;
  held.todo.retire = std::move(link_);
  // What waits for a first session can wait for the next attempt, unless it was meant for one that was saved.
  const bool none_yet = machine_.info().id == 0 && cause != errc::auth_failed &&
                        options_.on_session_loss == session_loss::reopen &&
                        !(options_.resume && machine_.info().generation == 1);
  machine_.over();
  arm_loss_timer();
  keeper_.session_over(error(errc::session_lost, "lease"));
  last_zxid_ = 0;
  const auto code = cause == errc::auth_failed ? errc::auth_failed : errc::session_lost;
  // What was on its way or waiting belonged to this session. Nothing of it is repeated on the next.
  if (none_yet) {
    fail_pinned(held, code);
  } else {
    fail_all(held, code, watch_event_type::session_lost);
  }
  announce(held, cause);
  if (options_.on_session_loss == session_loss::stay_closed) return;
  const auto delay = machine_.reopen_delay();
  reopen_timer_ = runtime().clock().schedule(runtime().clock().now() + delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      if (auto started = self->start(); !started) self->log(log_level::error, started.error().message());
    }
  });
}

// Ends the calls that were meant for this session and no other; none has been sent.
void client_core::fail_pinned(section& held, errc code) {
  for (auto* queue : {&urgent_, &waiting_}) {
    const auto end =
        std::stable_partition(queue->begin(), queue->end(), [](const auto& one) { return one->generation == 0; });
    std::vector<std::shared_ptr<call>> pinned(end, queue->end());
    queue->erase(end, queue->end());
    for (const auto& one : pinned) fail(held, one, code);
    std::move(pinned.begin(), pinned.end(), std::back_inserter(held.todo.dropped));
  }
}

// Ends every call with `code` and every one-shot watch with `event`.
void client_core::fail_all(section& held, errc code, watch_event_type event) {
  auto sent = in_flight_.take_all();
  std::stable_sort(sent.begin(), sent.end(), [](const auto& a, const auto& b) { return a->submitted < b->submitted; });
  auto& all = held.todo.dropped;
  std::move(sent.begin(), sent.end(), std::back_inserter(all));
  for (auto* queue : {&urgent_, &waiting_}) {
    std::move(queue->begin(), queue->end(), std::back_inserter(all));
    queue->clear();
  }
  for (const auto& one : all) fail(held, one, code);
  for (auto& [path, one] : watches_.take_all()) {
    auto run = [handler = std::move(one.handler), event, path = path]() mutable {
      handler({.type = event, .path = path});
    };
    if (one.where->push(std::move(run))) held.todo.kicks.push_back(one.where);
  }
}

void client_core::announce(section& held, errc cause) {
  machine_.because(cause);
  const auto& info = machine_.info();
  held.todo.sessions.push_back(info);
  std::erase_if(listeners_, [](const listening& one) { return one.way.expired(); });
  for (const auto& one : listeners_) {
    const bool kick = inner_strand_->push([weak = one.way, info, cause] {
      if (const auto who = weak.lock()) who->on_session(info, cause);
    });
    if (kick) held.todo.kicks.push_back(inner_strand_);
  }
}

void client_core::listen(const std::shared_ptr<session_listener>& who) {
  section held(*this);
  listeners_.push_back({who.get(), who});
  const bool kick = inner_strand_->push([weak = std::weak_ptr(who), info = machine_.info()] {
    if (const auto one = weak.lock()) one->on_session(info, errc::ok);
  });
  if (kick) held.todo.kicks.push_back(inner_strand_);
}

void client_core::stop_listening(const session_listener* who) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(listeners_, [who](const listening& one) { return one.who == who; });
}

void client_core::keep(std::shared_ptr<void> what) {
  section held(*this);
  if (machine_.info().state != session_state::closed) {
    const auto* name = what.get();
    kept_.emplace(name, std::move(what));
  } else if (inner_strand_->push([last = std::move(what)] {})) {
    held.todo.kicks.push_back(inner_strand_);
  }
}

std::shared_ptr<void> client_core::let_go(const void* what) {
  const std::scoped_lock lock(mutex_);
  const auto found = kept_.extract(what);
  return found ? found.mapped() : nullptr;
}

session_info client_core::session() const {
  const std::scoped_lock lock(mutex_);
  return machine_.info();
}

bool client_core::closed() const { return session().state == session_state::closed; }

std::shared_ptr<strand> client_core::strand_of(executor* where) {
  if (where == nullptr && own_strand_) return own_strand_;  // most calls: without the lock
  const std::scoped_lock lock(mutex_);
  if (where == nullptr) where = options_.callback_executor;
  if (where == nullptr) where = &runtime().dispatch();
  auto& found = strands_[where];
  if (!found) {
    // Executors of users outlive the client by contract; our own live as long as the strand.
    auto owner = where == inner_executor_.get()           ? inner_executor_
                 : where == step_executor_.get()          ? step_executor_
                 : where == &options_.runtime->dispatch() ? std::shared_ptr<executor>(options_.runtime, where)
                                                          : std::shared_ptr<executor>(std::shared_ptr<void>(), where);
    found = std::make_shared<strand>(std::move(owner), [observer = options_.observer](std::string_view what) {
      observer->on_callback_exception(what);
    });
  }
  return found;
}

std::size_t client_core::largest_request_bytes() const noexcept { return 1'048'575 - chroot_.size(); }

transport::capabilities client_core::what_it_can() const {
  const std::scoped_lock lock(mutex_);
  return can_;
}

void client_core::log(log_level level, std::string_view line) const { observer().on_log(level, line); }

// Goes out before everything that waits.
void client_core::submit_auth(const auth_entry& entry) {
  auto one = std::make_shared<auth_call>(entry);
  one->generation = machine_.info().generation;
  enqueue(std::move(one));
}

void client_core::add_auth(const auth_entry& entry) {
  {
    const std::scoped_lock lock(mutex_);
    auth_.push_back(entry);
  }
  for (const auto& other : homes_.others()) {
    other->add_auth(entry);
    const section held(*other);
    other->submit_auth(entry);  // waits where there is no connection
  }
}

void client_core::remove_auth(const auth_entry& entry) {
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(auth_, [&](const auth_entry& one) {
      return one.scheme == entry.scheme && one.credentials == entry.credentials;
    });
  }
  for (const auto& other : homes_.others()) other->remove_auth(entry);
}

// ---- grants ---------------------------------------------------------------------------------------------------------

void client_core::take_grant(std::shared_ptr<grant_state> grant, std::shared_ptr<grant_watcher> who) {
  section held(*this);
  if (grant->generation() != machine_.info().generation || machine_.info().state == session_state::lost ||
      machine_.info().state == session_state::closed) {
    grant->end();
    runtime().clock().post([who = std::move(who)] { who->on_ended(error(errc::session_lost, "lease")); });
    return;
  }
  keeper_.take(std::move(grant), std::move(who));
}

void client_core::drop_grant(const grant_state& grant) {
  const section held(*this);
  keeper_.drop(grant);
}

void client_core::keep_warm(int change) {
  const section held(*this);
  keeper_.keep_warm(change);
}

void client_core::keep_reading(int change) {
  const section held(*this);
  keeper_.keep_reading(change);
}

std::shared_ptr<lease_cell> client_core::lease_of(std::uint64_t generation) const {
  const std::scoped_lock lock(mutex_);
  return generation == machine_.info().generation ? keeper_.cell() : std::make_shared<lease_cell>();
}

}  // namespace zkr::detail
