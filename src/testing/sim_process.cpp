#include "testing/sim_process.hpp"

#include <numeric>
#include <utility>

#include "client/access.hpp"
#include "testing/sim_transport.hpp"

namespace zkr::testing {

sim_process::sim_process(sim_world& world, sim_network& network, std::size_t servers, int late_cancels)
    : world_(world), network_(network), late_cancels_(late_cancels), host_(std::make_shared<sim_host>()) {
  host_->servers.resize(servers);
  std::iota(host_->servers.begin(), host_->servers.end(), std::size_t{0});
  host_->cuts.resize(servers);
}

// Fisher and Yates': what std::shuffle makes of a seed is the library's choice.
std::vector<std::size_t> sim_process::shuffled_servers() {
  auto servers = host_->servers;
  for (auto left = servers.size(); left > 1; --left) std::swap(servers[left - 1], servers[world_.random() % left]);
  return servers;
}

result<client> sim_process::connect(client_options options) {
  if (runtime_ == nullptr) {
    host_->clock_rate = clock_rate_;
    runtime_ = make_sim_runtime(world_.clock, host_, world_.random, late_cancels_);
  }
  options.hosts = "simulated:2181";
  options.start = start_mode::background;
  options.runtime = runtime_;
  return client_access::connect(std::move(options), [this, host = host_](const transport::transport_options& how,
                                                                         transport::sink& sink, scheduler& clock) {
    return make_sim_transport(how, sink, clock, network_, host, shuffled_servers());
  });
}

void sim_process::crash() {
  host_->dead = true;
  host_->paused = false;
  host_->held.clear();
  network_.drop(*host_);
}

void sim_process::restart() {
  if (!host_->dead) crash();
  auto fresh = std::make_shared<sim_host>();
  fresh->cut = host_->cut;
  fresh->cuts = host_->cuts;
  fresh->servers = host_->servers;
  host_ = std::move(fresh);
  runtime_.reset();
}

void sim_process::resume() {
  if (!std::exchange(host_->paused, false)) return;
  // Its threads race for what waited.
  const bool timers_first = world_.random() % 2 == 0;
  if (timers_first) run_held(world_.clock, host_);
  world_.clock.post([this, host = host_] { network_.healed(*host); });
  if (!timers_first) run_held(world_.clock, host_);
}

void sim_process::cut(std::size_t server, cut_way lost) {
  auto& link = host_->cuts.at(server);
  if (lost != cut_way::back) link.to_server = true;
  if (lost != cut_way::there) link.to_client = true;
}

void sim_process::heal() {
  host_->cut = false;
  for (auto& link : host_->cuts) link = {};
  network_.healed(*host_);
}

void sim_process::set_clock_rate(double rate) { clock_rate_ = rate; }

}  // namespace zkr::testing
