#include "zkrecipes/testing/simulation.hpp"

#include <algorithm>

#include "testing/sim_lone_server.hpp"
#include "testing/sim_process.hpp"

namespace zkr::testing {
namespace {

sim_host& host_of(simulation::process& one) { return static_cast<sim_process&>(one).host(); }

}  // namespace

class simulation::world {
 public:
  explicit world(const simulation_options& options)
      : base{.random = std::mt19937_64(options.seed),
             .rules = {options.tick_time, options.least_latency, options.most_latency}},
        late_cancels(options.late_cancels),
        network(base),
        server(base, [this] { network.collect(0); }) {
    network.add(server);
  }

  sim_world base;
  const int late_cancels;
  sim_network network;
  sim_lone_server server;
  std::vector<std::unique_ptr<sim_process>> processes;
};

simulation::simulation(simulation_options options) : world_(std::make_unique<world>(options)) {}
simulation::~simulation() { world_->base.clock.drop_all(); }  // while all that it may touch is there

simulation::process& simulation::add_process() {
  auto& in = *world_;
  in.processes.push_back(std::make_unique<sim_process>(in.base, in.network, server_count(), in.late_cancels));
  return *world_->processes.back();
}

time_point simulation::now() const noexcept { return world_->base.clock.now(); }

void simulation::run_for(duration span) { world_->base.clock.run_for(span); }

bool simulation::run_until(const std::function<bool()>& condition, duration limit) {
  const auto end = deadline_after(now(), limit);
  while (!condition()) {
    if (!world_->base.clock.run_one(end)) return false;
  }
  return true;
}

std::size_t simulation::server_count() const noexcept { return 1; }

void simulation::kill_server(std::size_t server) {
  world_->server.kill();
  world_->network.collect(server);
}
void simulation::start_server(std::size_t) { world_->server.start(); }
void simulation::pause_server(std::size_t) { world_->server.pause(); }
void simulation::resume_server(std::size_t server) {
  world_->server.resume();
  world_->network.resumed(server);
}

void simulation::lose_next_reply(process& whom, std::size_t skip) { host_of(whom).lose_reply_after = skip; }
void simulation::lose_next_request(process& whom, std::size_t skip) { host_of(whom).lose_request_after = skip; }
void simulation::drop_connections(process& whom) { world_->network.drop(host_of(whom)); }
void simulation::expire_sessions(process& whom) { world_->network.expire(host_of(whom)); }
void simulation::restart_server_empty() {
  world_->server.restart_empty();
  world_->network.forget_all(0);
}

std::vector<std::string> simulation::nodes(std::string_view prefix) const {
  std::vector<std::string> found;
  std::vector<const backend::node*> open{&world_->server.serving().state().nodes().root()};
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
