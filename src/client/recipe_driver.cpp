#include <map>

#include "client/access.hpp"
#include "client/fence.hpp"
#include "client/uuid.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes {
namespace {

using detail::client_core;
using detail::grant_state;

/// The one driver (C3). Everything but post() and the stop token's callback happens on the core's inner strand.
class machine_driver final : public driver,
                             public detail::session_listener,
                             public detail::grant_watcher,
                             public std::enable_shared_from_this<machine_driver> {
 public:
  machine_driver(const operations& client, std::unique_ptr<machine> algorithm, std::shared_ptr<listener> listens)
      : core_(recipe_access::core(client)),
        client_(client),
        machine_(std::move(algorithm)),
        listener_(std::move(listens)),
        make_uuid_([this] { return detail::make_uuid(core_->runtime()); }) {}

  void begin(const call_options& wait) {
    core_->keep_reading(+1);
    core_->listen(shared_from_this());
    core_->keep(shared_from_this());
    auto& clock = core_->runtime().clock();
    if (wait.timeout) {
      wait_timer_ = clock.schedule(deadline_after(clock.now(), *wait.timeout), [self = weak_from_this()] {
        if (const auto one = self.lock()) one->in_turn([one] { one->end_wait(errc::timed_out); });
      });
    }
    if (wait.stop.stop_possible()) on_stop_.emplace(wait.stop, stopper{weak_from_this()});
  }

  void post(event what) override {
    in_turn([self = shared_from_this(), what = std::move(what)] { self->feed(what); });
  }

  // ---- what the client tells ----

  void on_session(const session_info& info, errc) override {
    if (finished_) return;
    const auto self = shared_from_this();
    switch (info.state) {
      case session_state::connecting: break;
      case session_state::connected: {
        const bool first = !started_;
        if (first && info.resumed && !core_->session_adopted()) {
          return end_wait(error(errc::invalid_state, "campaign", {}, "a resumed session: see client::adopt_session"));
        }
        const bool same = started_ && info.generation == generation_;
        if (!same) {
          generation_ = info.generation;
          bound_ = operations(core_, core_->inner_executor(), generation_);
          over_ = false;
        }
        session_id_ = info.id;
        started_ = true;
        if (first) {
          feed(start{});
        } else if (same) {
          feed(reconnected{});
        } else {
          feed(session_begun{});
        }
        break;
      }
      case session_state::suspended:
        if (started_) feed(suspended{});
        break;
      case session_state::lost:
        over_ = true;
        if (started_) feed(session_over{});
        if (!finished_ && core_->options().on_session_loss == session_loss::stay_closed) feed(shut_down{});
        break;
      case session_state::closed:
        over_ = true;
        feed(shut_down{});
        break;
    }
  }

  void on_given() override {
    in_turn([self = shared_from_this()] {
      if (!self->grant_ || self->given_ || self->finished_) return;
      self->given_ = true;
      self->stop_waiting();
      self->core_->observer().on_grant(self->grant_->from().path, self->grant_->from().fencing_token, true);
      self->feed(grant_given{});
      if (self->grant_) self->listener_->on_grant(self->grant_);
    });
  }

  void on_ended(const error& why) override {
    in_turn([self = shared_from_this(), why] {
      if (!self->grant_ || self->finished_) return;
      self->forget_grant();
      self->feed(grant_ended{why});
    });
  }

 private:
  struct stopper {
    std::weak_ptr<machine_driver> target;
    void operator()() const {
      if (const auto one = target.lock()) one->in_turn([one] { one->end_wait(errc::cancelled); });
    }
  };

  void in_turn(unique_function<void()> work) { core_->inner_strand()->run(std::move(work)); }

  void end_wait(errc why) { end_wait(error(why, "campaign")); }
  void end_wait(const error& why) {
    if (finished_ || given_ || wait_over_) return;
    wait_over_ = true;
    listener_->on_wait_ended(why);
    feed(cancel{why.code()});
  }

  void stop_waiting() {
    wait_over_ = true;
    if (wait_timer_ != 0) core_->runtime().clock().cancel(std::exchange(wait_timer_, 0));
  }

  void feed(const event& what) {
    if (finished_) return;
    context around{.session_id = session_id_, .make_uuid = &make_uuid_};
    actions wanted;
    machine_->on(what, around, wanted);
    for (auto& one : wanted) {
      if (finished_) return;
      std::visit([this](auto& action) { perform(action); }, one);
    }
  }

  // ---- what the machine asks for ----

  template <typename T>
  handler<T> answer(zkr::recipes::tag which) {
    return [self = shared_from_this(), which, generation = generation_](result<T> value) {
      if (self->over_ || self->generation_ != generation) return;
      if constexpr (std::is_void_v<T>) {
        self->feed(reply{which, value ? result<reply_value>(reply_value()) : result<reply_value>(value.error())});
      } else {
        self->feed(reply{which, value ? result<reply_value>(reply_value(*std::move(value)))
                                      : result<reply_value>(std::move(value).error())});
      }
    };
  }

  read_options watched(zkr::recipes::tag which, bool wanted) {
    if (!wanted) return {};
    return {.watch =
                [self = weak_from_this(), which, generation = generation_](const watch_event& event) {
                  const auto one = self.lock();
                  const bool ended =
                      event.type == watch_event_type::session_lost || event.type == watch_event_type::closed;
                  if (one && !ended && !one->over_ && one->generation_ == generation)
                    one->feed(watch_fired{which, event.type});
                },
            .watch_owner = weak_from_this()};
  }

  void perform(request& asked) {
    const auto which = asked.tag;
    std::visit([this, which](auto& operation) { send(which, operation); }, asked.operation);
  }
  void send(zkr::recipes::tag which, create_node& one) {
    bound_.async_create(std::move(one.path), std::move(one.data), std::move(one.options), answer<created>(which));
  }
  void send(zkr::recipes::tag which, read_node& one) {
    bound_.async_get(std::move(one.path), answer<node>(which), watched(which, one.watch));
  }
  void send(zkr::recipes::tag which, check_exists& one) {
    bound_.async_exists(std::move(one.path), answer<stat_t>(which), watched(which, one.watch));
  }
  void send(zkr::recipes::tag which, list_children& one) {
    bound_.async_children(std::move(one.path), answer<child_list>(which), watched(which, one.watch));
  }
  void send(zkr::recipes::tag which, set_data& one) {
    bound_.async_set(std::move(one.path), std::move(one.data), one.version, answer<stat_t>(which));
  }
  void send(zkr::recipes::tag which, remove_node& one) {
    bound_.async_remove(std::move(one.path), one.version, answer<void>(which));
  }
  void send(zkr::recipes::tag which, const sync_node& one) {
    detail::async_fence(bound_, one.path, answer<void>(which));
  }
  void send(zkr::recipes::tag which, commit& one) {
    bound_.async_commit(std::move(one.writes), answer<std::vector<transaction_result>>(which));
  }

  void perform(const start_timer& asked) {
    auto& clock = core_->runtime().clock();
    perform(stop_timer{asked.tag});
    timers_[asked.tag] =
        clock.schedule(deadline_after(clock.now(), asked.after), [self = weak_from_this(), which = asked.tag] {
          const auto one = self.lock();
          if (!one) return;
          one->in_turn([one, which] {
            if (one->timers_.erase(which) != 0) one->feed(timer_fired{which});
          });
        });
  }

  void perform(const stop_timer& asked) {
    const auto found = timers_.find(asked.tag);
    if (found == timers_.end()) return;
    core_->runtime().clock().cancel(found->second);
    timers_.erase(found);
  }

  void perform(const take_grant& asked) {
    grant_ = std::make_shared<grant_state>(
        grant_state::origin{asked.path, asked.fencing_token, asked.check_path, asked.check_version}, client_,
        core_->runtime().clock(), core_->lease_of(generation_), generation_,
        [self = weak_from_this(), client = client_, path = asked.path](handler<void> done) {
          if (const auto one = self.lock()) {
            one->in_turn([one, done = std::move(done)]() mutable { one->on_release(std::move(done)); });
          } else if (done) {
            run_handler(client, [done = std::move(done), path]() mutable {
              done(error(errc::ownership_lost, "release", path));
            });
          }
        });
    given_ = false;
    core_->take_grant(grant_, shared_from_this());
  }

  void on_release(handler<void> done) {
    if (finished_) {
      if (done) done(error(errc::ownership_lost, "release"));
      return;
    }
    if (done) waiting_for_release_.push_back(std::move(done));
    feed(release{});
  }

  void perform(const end_grant&) {
    if (grant_) forget_grant();
  }

  void forget_grant() {
    grant_->end();
    core_->drop_grant(*grant_);
    // Ended by the machine, not by its holder, who has to learn of it.
    if (!grant_->released()) core_->runtime().loss_clock().post([grant = grant_] { grant->lose(); });
    if (given_) core_->observer().on_grant(grant_->from().path, grant_->from().fencing_token, false);
    grant_ = nullptr;
  }

  void perform(const keep_lease_warm& asked) {
    if (std::exchange(warm_, asked.on) != asked.on) core_->keep_warm(asked.on ? +1 : -1);
  }

  void perform(const emit& said) {
    if (said.what == emit_released) verdict_ = said.problem ? result<void>(*said.problem) : result<void>();
    if (said.what == emit_report && said.problem) core_->observer().on_background_error(*said.problem);
    listener_->on_emit(said);
  }

  void perform(const finish&) {
    finished_ = true;
    stop_waiting();
    for (const auto& [which, timer] : timers_) core_->runtime().clock().cancel(timer);
    timers_.clear();
    perform(keep_lease_warm{false});
    if (grant_) forget_grant();
    core_->keep_reading(-1);
    core_->stop_listening(this);
    const auto verdict = verdict_.value_or(result<void>(error(errc::ownership_lost, "release")));
    for (auto& done : waiting_for_release_) done(verdict);
    waiting_for_release_.clear();
    const auto listens = std::move(listener_);
    listens->on_finish();
    (void)core_->let_go(this);  // whoever called this holds on until the current piece of work is done
  }

  const std::shared_ptr<client_core> core_;
  const operations client_;  ///< As the user gave it: where handlers run.
  const std::unique_ptr<machine> machine_;
  std::shared_ptr<listener> listener_;
  unique_function<std::string()> make_uuid_;
  operations bound_;  ///< On the inner strand, bound to the session of `generation_`.
  std::uint64_t generation_ = 0;
  std::int64_t session_id_ = 0;
  bool started_ = false;
  bool over_ = false;
  bool finished_ = false;
  bool given_ = false;
  bool warm_ = false;
  bool wait_over_ = false;
  std::shared_ptr<grant_state> grant_;
  std::map<zkr::recipes::tag, scheduler::timer> timers_;
  std::vector<handler<void>> waiting_for_release_;
  std::optional<result<void>> verdict_;
  scheduler::timer wait_timer_ = 0;
  std::optional<std::stop_callback<stopper>> on_stop_;
};

}  // namespace

std::shared_ptr<driver> driver::run(const operations& client, std::unique_ptr<machine> algorithm,
                                    std::shared_ptr<listener> listens, call_options wait) {
  auto one = std::make_shared<machine_driver>(client, std::move(algorithm), std::move(listens));
  one->begin(wait);
  return one;
}

}  // namespace zkr::recipes
