#include "zkrecipes/testing/simulation.hpp"

#include <algorithm>

#include "testing/sim_ensemble.hpp"
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
        network(base) {
    if (options.servers == 1) {
      lone = std::make_unique<sim_lone_server>(base, [this] { network.collect(0); });
      network.add(*lone);
      return;
    }
    ensemble = std::make_unique<sim_ensemble>(base, sim_ensemble::settings{options.servers, options.sync_limit},
                                              [this](std::size_t of) { network.collect(of); });
    for (std::size_t i = 0; i < options.servers; ++i) network.add(ensemble->member(i));
  }

  sim_world base;
  const int late_cancels;
  sim_network network;
  std::unique_ptr<sim_lone_server> lone;   // either this
  std::unique_ptr<sim_ensemble> ensemble;  // or that
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

// ---- servers --------------------------------------------------------------------------------------------------------

std::size_t simulation::server_count() const noexcept {
  return world_->ensemble == nullptr ? 1 : world_->ensemble->size();
}

void simulation::kill_server(std::size_t server) {
  if (world_->ensemble != nullptr) return world_->ensemble->member(server).kill();
  world_->lone->kill();
  world_->network.collect(server);
}

void simulation::start_server(std::size_t server) {
  if (world_->ensemble != nullptr) return world_->ensemble->member(server).start();
  world_->lone->start();
}

void simulation::pause_server(std::size_t server) {
  if (world_->ensemble != nullptr) return world_->ensemble->member(server).pause();
  world_->lone->pause();
}

void simulation::resume_server(std::size_t server) {
  if (world_->ensemble != nullptr) {
    world_->ensemble->member(server).resume();
  } else {
    world_->lone->resume();
  }
  world_->network.resumed(server);
}

std::optional<std::size_t> simulation::leader() const {
  return world_->ensemble == nullptr ? std::size_t{0} : world_->ensemble->leader();
}

bool simulation::serves(std::size_t server) const {
  return world_->ensemble == nullptr ? world_->lone->running() : world_->ensemble->member(server).serves();
}

void simulation::cut_servers(std::size_t one, std::size_t other, cut_way lost) {
  if (world_->ensemble == nullptr) return;
  if (lost != cut_way::back) world_->ensemble->wires().cut(one, other);
  if (lost != cut_way::there) world_->ensemble->wires().cut(other, one);
}

void simulation::isolate_server(std::size_t server) {
  for (std::size_t other = 0; other < server_count(); ++other) {
    if (other != server) cut_servers(server, other);
  }
}

void simulation::heal_servers() {
  if (world_->ensemble != nullptr) world_->ensemble->wires().heal();
}

void simulation::lag_server(std::size_t server, duration by) {
  if (world_->ensemble != nullptr) world_->ensemble->member(server).lag(by);
}

// ---- requests -------------------------------------------------------------------------------------------------------

void simulation::lose_next_reply(process& whom, std::size_t skip) { host_of(whom).lose_reply_after = skip; }
void simulation::lose_next_request(process& whom, std::size_t skip) { host_of(whom).lose_request_after = skip; }
void simulation::drop_connections(process& whom) { world_->network.drop(host_of(whom)); }
void simulation::expire_sessions(process& whom) { world_->network.expire(host_of(whom)); }
void simulation::restart_server_empty() {
  if (world_->lone == nullptr) return;
  world_->lone->restart_empty();
  world_->network.forget_all(0);
}

std::vector<std::string> simulation::nodes(std::string_view prefix) const {
  return nodes_of(world_->ensemble == nullptr ? 0 : world_->ensemble->foremost().id(), prefix);
}

std::vector<std::string> simulation::nodes_of(std::size_t server, std::string_view prefix) const {
  const sim_server& one =
      world_->ensemble == nullptr ? static_cast<const sim_server&>(*world_->lone) : world_->ensemble->member(server);
  std::vector<std::string> found;
  std::vector<const backend::node*> open{&one.serving().state().nodes().root()};
  while (!open.empty()) {
    const auto* at = open.back();
    open.pop_back();
    if (at->path.starts_with(prefix)) found.emplace_back(at->path);
    for (const auto* child = at->first_child; child != nullptr; child = child->next_sibling) open.push_back(child);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace zkr::testing
