#include <condition_variable>

#include "client/access.hpp"
#include "client/call_context.hpp"
#include "client/gate.hpp"
#include "client/subscription_state.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr {
namespace detail {

std::shared_ptr<gate> make_gate() { return std::make_shared<gate>(); }
void open_gate(gate& which) { which.open(); }
void await_gate(gate& which) { which.wait(); }

}  // namespace detail

namespace recipes {
namespace {

class ending_state final : public detail::subscription_state {
 public:
  explicit ending_state(unique_function<void()> on_end) : on_end_(std::move(on_end)) {}

 private:
  void on_cancel() noexcept override {
    if (on_end_) on_end_();
  }
  unique_function<void()> on_end_;
};

/// The race between an answer, a deadline and a stop token for one handler.
class limited : public std::enable_shared_from_this<limited> {
 public:
  limited(std::shared_ptr<detail::client_core> core, std::string_view what, handler<void> done)
      : core_(std::move(core)), what_(what), done_(std::move(done)) {}

  void arm(const call_options& wait) {
    auto& clock = core_->runtime().clock();
    if (wait.timeout) {
      const std::scoped_lock lock(mutex_);  // it may go off before its number stands there
      timer_ = clock.schedule(deadline_after(clock.now(), *wait.timeout),
                              [self = shared_from_this()] { self->end(error(errc::timed_out, self->what_)); });
    }
    if (wait.stop.stop_possible()) on_stop_.emplace(wait.stop, stopper{weak_from_this()});
  }

  void end(result<void> outcome) {
    handler<void> done;
    scheduler::timer timer = 0;
    {
      const std::scoped_lock lock(mutex_);
      done = std::move(done_);
      done_ = nullptr;
      timer = std::exchange(timer_, 0);
    }
    if (!done) return;
    if (timer != 0) core_->runtime().clock().cancel(timer);
    done(std::move(outcome));
  }

 private:
  struct stopper {
    std::weak_ptr<limited> target;
    void operator()() const {
      // Not here: whoever stops may hold locks that the handler needs.
      if (const auto self = target.lock()) {
        self->core_->runtime().clock().post([self] { self->end(error(errc::cancelled, self->what_)); });
      }
    }
  };

  const std::shared_ptr<detail::client_core> core_;
  const std::string_view what_;
  std::mutex mutex_;
  handler<void> done_;          // guarded by mutex_
  scheduler::timer timer_ = 0;  // guarded by mutex_
  std::optional<std::stop_callback<stopper>> on_stop_;
};

}  // namespace

void run_handler(const operations& client, unique_function<void()> work) {
  const auto& core = recipe_access::core(client);
  if (!core) return work();
  core->strand_of(recipe_access::handlers(client))->run(std::move(work));
}

void report_problem(const operations& client, const error& problem) {
  if (const auto& core = recipe_access::core(client)) core->observer().on_background_error(problem);
}

std::optional<error> why_not_block(const operations& client, std::string_view what) {
  const auto& core = recipe_access::core(client);
  if (!core || core->forked()) return error(errc::closed, what);
  if (!core->runtime().may_block() || detail::no_blocking::here()) return error(errc::would_deadlock, what);
  return std::nullopt;
}

void limit(const operations& client, std::string_view what, handler<void> done, const call_options& wait,
           unique_function<void(handler<void>)> start) {
  const auto& core = recipe_access::core(client);
  if (!core) return done(error(errc::closed, what));
  const auto race = std::make_shared<limited>(core, what, std::move(done));
  race->arm(wait);
  start([race](result<void> outcome) { race->end(std::move(outcome)); });
}

report_gate::report_gate(const operations& client, unique_function<void()> on_end)
    : client_(client), state_(std::make_shared<ending_state>(std::move(on_end))) {}

void report_gate::run(unique_function<void()> report) const {
  run_handler(client_, [state = state_, report = std::move(report)]() mutable { state->run(report); });
}

bool report_gate::active() const noexcept { return state_->active(); }

subscription report_gate::handle() const { return subscription(state_); }

}  // namespace recipes
}  // namespace zkr
