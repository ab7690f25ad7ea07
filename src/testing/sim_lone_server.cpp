#include "testing/sim_lone_server.hpp"

#include <utility>
#include <vector>

namespace zkr::testing {

sim_lone_server::sim_lone_server(sim_world& world, std::function<void()> has_output)
    : world_(world), has_output_(std::move(has_output)) {
  restart_empty();
}

void sim_lone_server::restart_empty() {
  backend::processor_options options;
  options.tick_time = std::chrono::duration_cast<std::chrono::milliseconds>(world_.rules.tick_time);
  server_ = std::make_unique<backend::processor>(options, world_.instant_now());
  arm_tick();
}

void sim_lone_server::receive(backend::connection_id from, const std::string& frame) {
  server_->receive(from, frame, world_.instant_now());
  arm_tick();
}

void sim_lone_server::forget(backend::connection_id which) { server_->disconnect(which); }

void sim_lone_server::expire(backend::session_id which) {
  server_->expire(which, world_.instant_now());
  arm_tick();
}

void sim_lone_server::kill() {
  running_ = paused_ = false;
  std::vector<backend::connection_id> open;
  for (const auto& [id, one] : server_->connections()) open.push_back(id);
  for (const auto one : open) server_->close(one);
  arm_tick();
}

void sim_lone_server::start() {
  running_ = true;
  for (const auto& [id, timeout] : server_->state().sessions()) {
    server_->touch(id, std::chrono::milliseconds(timeout), world_.instant_now());
  }
  arm_tick();
}

void sim_lone_server::resume() {
  paused_ = false;
  arm_tick();
}

void sim_lone_server::arm_tick() {
  if (tick_ != 0) world_.clock.cancel(std::exchange(tick_, 0));
  const auto at = server_->next_tick();
  if (!at || !running_ || paused_) return;
  tick_ = world_.clock.schedule(*at, [this] {
    tick_ = 0;
    if (paused_) return;
    server_->tick(world_.instant_now());
    arm_tick();
    has_output_();
  });
}

}  // namespace zkr::testing
