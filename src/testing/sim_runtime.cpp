#include "testing/sim_runtime.hpp"

#include <cmath>
#include <utility>

namespace zkr::testing {
namespace {

void run(sim_host& host, unique_function<void()>& work) {
  if (host.dead) return;
  if (host.paused) {
    host.held.push_back(std::move(work));
  } else {
    work();
  }
}

class host_scheduler final : public scheduler {
 public:
  host_scheduler(detail::virtual_scheduler& world, std::shared_ptr<sim_host> host, std::mt19937_64& random,
                 int late_cancels)
      : world_(world), host_(std::move(host)), random_(random), late_cancels_(late_cancels), zero_(world.now()) {}

  [[nodiscard]] time_point now() const noexcept override { return local(world_.now()); }
  timer schedule(time_point at, unique_function<void()> work) override {
    return world_.schedule(at_world(at), where_it_runs(std::move(work)));
  }
  bool cancel(timer which) noexcept override {
    if (late_cancels_ == 0 || random_() % 100 >= static_cast<unsigned>(late_cancels_)) return world_.cancel(which);
    // Its thread may be waiting for a processor while others, the reaper's among them, go on.
    world_.cancel_late(which, std::chrono::microseconds(random_() % 20'000));
    return false;
  }
  void post(unique_function<void()> work) override { world_.post(where_it_runs(std::move(work))); }

 private:
  [[nodiscard]] unique_function<void()> where_it_runs(unique_function<void()> work) const {
    return [host = host_, work = std::move(work)]() mutable { run(*host, work); };
  }
  // A clock of another rate was right when the process began.
  [[nodiscard]] time_point local(time_point world) const noexcept {
    if (host_->clock_rate == 1) return world;
    return zero_ + duration(std::llround(static_cast<double>((world - zero_).count()) * host_->clock_rate));
  }
  [[nodiscard]] time_point at_world(time_point local_time) const noexcept {
    if (host_->clock_rate == 1 || local_time == no_deadline) return local_time;
    const auto span = static_cast<double>((local_time - zero_).count()) / host_->clock_rate;
    auto found = zero_ + duration(std::llround(span));
    while (local(found) < local_time) found += duration(1);  // no timer goes off before its time
    return found;
  }

  detail::virtual_scheduler& world_;
  const std::shared_ptr<sim_host> host_;
  std::mt19937_64& random_;
  const int late_cancels_;
  const time_point zero_;
};

class posting_executor final : public executor {
 public:
  explicit posting_executor(scheduler& to) : to_(to) {}
  void execute(unique_function<void()> work) override { to_.post(std::move(work)); }

 private:
  scheduler& to_;
};

class sim_runtime final : public runtime {
 public:
  sim_runtime(detail::virtual_scheduler& world, std::shared_ptr<sim_host> host, std::mt19937_64& random,
              int late_cancels)
      : clock_(world, std::move(host), random, late_cancels), executor_(clock_), random_(random) {}

  [[nodiscard]] scheduler& clock() noexcept override { return clock_; }
  [[nodiscard]] scheduler& loss_clock() noexcept override { return clock_; }
  [[nodiscard]] executor& dispatch() noexcept override { return executor_; }
  [[nodiscard]] executor& reaper() noexcept override { return executor_; }
  [[nodiscard]] std::uint64_t random() noexcept override { return random_(); }
  [[nodiscard]] bool may_block() const noexcept override { return false; }

 private:
  host_scheduler clock_;
  posting_executor executor_;
  std::mt19937_64& random_;
};

}  // namespace

std::shared_ptr<runtime> make_sim_runtime(detail::virtual_scheduler& world, std::shared_ptr<sim_host> host,
                                          std::mt19937_64& random, int late_cancels) {
  return std::make_shared<sim_runtime>(world, std::move(host), random, late_cancels);
}

void run_held(detail::virtual_scheduler& world, const std::shared_ptr<sim_host>& host) {
  for (auto& work : std::exchange(host->held, {})) {
    world.post([host, work = std::move(work)]() mutable { run(*host, work); });
  }
}

}  // namespace zkr::testing
