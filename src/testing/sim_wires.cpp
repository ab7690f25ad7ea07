#include "testing/sim_wires.hpp"

#include <algorithm>
#include <utility>

namespace zkr::testing {

sim_wires::sim_wires(sim_world& world, std::size_t members, std::function<bool(std::size_t)> takes,
                     std::function<void(std::size_t, std::size_t, sim_message&)> deliver)
    : world_(world),
      members_(members),
      takes_(std::move(takes)),
      deliver_(std::move(deliver)),
      wires_(members * members) {}

void sim_wires::send(std::size_t from, std::size_t to, sim_message what) {
  auto& queue = at(from, to).queue;
  auto due = world_.clock.now() + world_.latency();
  if (!queue.empty()) due = std::max(due, queue.back().due);
  queue.push_back({due, std::move(what)});
  world_.clock.schedule(due, [this, from, to] { arrive(from, to); });
}

void sim_wires::arrive(std::size_t from, std::size_t to) {
  auto& via = at(from, to);
  while (!via.cut && takes_(to) && !via.queue.empty() && via.queue.front().due <= world_.clock.now()) {
    auto what = std::move(via.queue.front().what);
    via.queue.pop_front();
    deliver_(to, from, what);
  }
}

void sim_wires::heal() {
  for (auto& one : wires_) one.cut = false;
  for (std::size_t i = 0; i < members_; ++i) released(i, world_.rules.most_latency);
}

void sim_wires::released(std::size_t member, duration most) {
  for (std::size_t from = 0; from < members_; ++from) {
    if (at(from, member).queue.empty()) continue;
    const auto when = world_.clock.now() + world_.between(duration(0), most);
    world_.clock.schedule(when, [this, from, member] { arrive(from, member); });
  }
}

void sim_wires::drop(std::size_t member) {
  for (std::size_t from = 0; from < members_; ++from) at(from, member).queue.clear();
}

}  // namespace zkr::testing
