#include "testing/exploration/server_faults.hpp"

#include <algorithm>

namespace zkr::testing {

bool server_faults::active(step_kind which, std::size_t server) const {
  return std::any_of(active_.begin(), active_.end(), [&](std::size_t place) {
    return of_.steps[place].kind == which && of_.steps[place].whom == server;
  });
}

void server_faults::cut(const step& one) {
  if (one.kind == step_kind::isolate_server) return world_.isolate_server(one.whom);
  if (one.kind == step_kind::cut_servers) world_.cut_servers(one.whom, (one.whom + one.count) % world_.server_count());
}

bool server_faults::start(std::size_t place) {
  const auto& one = of_.steps[place];
  if (world_.server_count() == 1 || one.whom >= world_.server_count()) return false;
  const bool down = active(step_kind::kill_server, one.whom) || active(step_kind::stall_server, one.whom);
  switch (one.kind) {
    case step_kind::kill_server:
      if (down) return false;
      world_.kill_server(one.whom);
      break;
    case step_kind::stall_server:
      if (down) return false;
      world_.pause_server(one.whom);
      break;
    case step_kind::lag_server: world_.lag_server(one.whom, std::chrono::milliseconds(one.count)); break;
    default: cut(one); break;
  }
  active_.insert(place);
  return true;
}

void server_faults::finish(std::size_t place) {
  const auto& one = of_.steps[place];
  active_.erase(place);
  switch (one.kind) {
    case step_kind::kill_server: world_.start_server(one.whom); break;
    case step_kind::stall_server: world_.resume_server(one.whom); break;
    case step_kind::lag_server:
      if (!active(one.kind, one.whom)) world_.lag_server(one.whom, duration::zero());
      break;
    default:
      world_.heal_servers();
      for (const auto other : active_) cut(of_.steps[other]);
      break;
  }
}

}  // namespace zkr::testing
