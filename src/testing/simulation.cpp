#include "zkrecipes/testing/simulation.hpp"

#include <algorithm>
#include <vector>

#include "client/access.hpp"
#include "testing/sim_transport.hpp"

namespace zkr::testing {
namespace {

/// A process's time: the world's, and nothing of it runs once the process is dead.
class host_scheduler final : public scheduler {
 public:
  host_scheduler(detail::virtual_scheduler& world, std::shared_ptr<sim_host> host, std::mt19937_64& random,
                 int late_cancels)
      : world_(world), host_(std::move(host)), random_(random), late_cancels_(late_cancels) {}

  [[nodiscard]] time_point now() const noexcept override { return world_.now(); }
  timer schedule(time_point at, unique_function<void()> work) override {
    return world_.schedule(at, while_alive(std::move(work)));
  }
  bool cancel(timer which) noexcept override {
    if (late_cancels_ == 0 || random_() % 100 >= static_cast<unsigned>(late_cancels_)) return world_.cancel(which);
    // Its thread may be waiting for a processor while others, the reaper's among them, go on.
    world_.cancel_late(which, std::chrono::microseconds(random_() % 20'000));
    return false;
  }
  void post(unique_function<void()> work) override { world_.post(while_alive(std::move(work))); }

 private:
  [[nodiscard]] unique_function<void()> while_alive(unique_function<void()> work) const {
    return [host = host_, work = std::move(work)]() mutable {
      if (!host->dead) work();
    };
  }

  detail::virtual_scheduler& world_;
  const std::shared_ptr<sim_host> host_;
  std::mt19937_64& random_;
  const int late_cancels_;
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

class sim_process final : public simulation::process {
 public:
  sim_process(detail::virtual_scheduler& world, sim_network& network, std::mt19937_64& random, int late_cancels)
      : host_(std::make_shared<sim_host>()),
        network_(network),
        runtime_(std::make_shared<sim_runtime>(world, host_, random, late_cancels)) {}

  [[nodiscard]] result<client> connect(client_options options) override {
    options.hosts = "simulated:2181";
    options.start = start_mode::background;
    options.runtime = runtime_;
    return client_access::connect(
        std::move(options), [this](const transport::transport_options& how, transport::sink& sink, scheduler& clock) {
          return make_sim_transport(how, sink, clock, network_, host_);
        });
  }
  void crash() override {
    host_->dead = true;
    network_.drop(*host_);
  }
  void cut() override { host_->cut = true; }
  void heal() override {
    host_->cut = false;
    network_.healed(*host_);
  }
  [[nodiscard]] sim_host& host() noexcept { return *host_; }

 private:
  const std::shared_ptr<sim_host> host_;
  sim_network& network_;
  const std::shared_ptr<sim_runtime> runtime_;
};

sim_host& host_of(simulation::process& one) { return static_cast<sim_process&>(one).host(); }

}  // namespace

class simulation::world {
 public:
  explicit world(const simulation_options& options)
      : random(options.seed),
        late_cancels(options.late_cancels),
        network(clock, random, {options.tick_time, options.least_latency, options.most_latency}) {}

  detail::virtual_scheduler clock;
  std::mt19937_64 random;
  const int late_cancels;
  sim_network network;
  std::vector<std::unique_ptr<sim_process>> processes;
};

simulation::simulation(simulation_options options) : world_(std::make_unique<world>(options)) {}
simulation::~simulation() { world_->clock.drop_all(); }  // while all that it may touch is there

simulation::process& simulation::add_process() {
  auto& in = *world_;
  in.processes.push_back(std::make_unique<sim_process>(in.clock, in.network, in.random, in.late_cancels));
  return *world_->processes.back();
}

time_point simulation::now() const noexcept { return world_->clock.now(); }

void simulation::run_for(duration span) { world_->clock.run_for(span); }

bool simulation::run_until(const std::function<bool()>& condition, duration limit) {
  const auto end = deadline_after(now(), limit);
  while (!condition()) {
    if (!world_->clock.run_one(end)) return false;
  }
  return true;
}

void simulation::lose_next_reply(process& whom, std::size_t skip) { host_of(whom).lose_reply_after = skip; }
void simulation::lose_next_request(process& whom, std::size_t skip) { host_of(whom).lose_request_after = skip; }
void simulation::drop_connections(process& whom) { world_->network.drop(host_of(whom)); }
void simulation::expire_sessions(process& whom) { world_->network.expire(host_of(whom)); }
void simulation::restart_server_empty() { world_->network.restart_empty(); }

std::vector<std::string> simulation::nodes(std::string_view prefix) const {
  std::vector<std::string> found;
  std::vector<const backend::node*> open{&world_->network.server().state().nodes().root()};
  while (!open.empty()) {
    const auto* one = open.back();
    open.pop_back();
    if (one->path.starts_with(prefix)) found.emplace_back(one->path);
    for (const auto* child = one->first_child; child != nullptr; child = child->next_sibling) open.push_back(child);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace zkr::testing
