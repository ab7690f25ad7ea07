#include "recipes/leader_election/leader_observation.hpp"

#include "zkrecipes/path.hpp"

namespace zkr::recipes {
namespace {

bool same(const leader_change& a, const leader_change& b) {
  if (a.problem.has_value() != b.problem.has_value()) return false;
  if (a.problem && a.problem->code() != b.problem->code()) return false;
  return a.leader == b.leader;
}

}  // namespace

subscription leader_observation::begin(operations client, std::string directory, std::string marker,
                                       unique_function<void(const leader_change&)> handler) {
  const auto self = std::make_shared<leader_observation>(client, directory, std::move(marker), std::move(handler));
  // The subscriber's handle owns this object through its gate; end() undoes that circle.
  const report_gate gate(client, [self] { self->end(); });
  self->gate_.emplace(gate);
  auto handle = gate.handle();
  auto candidates =
      client.watch_children(std::move(directory), [weak = std::weak_ptr(self)](const children_change& now) {
        if (const auto one = weak.lock()) one->on_candidates(now);
      });
  const std::scoped_lock lock(self->mutex_);
  self->candidates_ = std::move(candidates);
  return handle;
}

leader_observation::leader_observation(operations client, std::string directory, std::string marker,
                                       unique_function<void(const leader_change&)> handler)
    : client_(std::move(client)),
      directory_(std::move(directory)),
      marker_(std::move(marker)),
      handler_(std::move(handler)) {}

void leader_observation::on_candidates(const children_change& now) {
  std::string first;
  if (now.children) {
    const auto all = sort_contenders(now.children->names, {marker_});
    if (!all.ordered.empty()) first = join_path(directory_, all.ordered.front().name);
  }
  if (first == leader_path_ && !first.empty()) return;

  leader_path_ = first;
  subscription leader;
  if (!first.empty()) {
    leader = client_.watch(first, [weak = weak_from_this()](const node_change& node) {
      if (const auto one = weak.lock()) one->on_leader_node(node);
    });
  }
  {
    const std::scoped_lock lock(mutex_);
    if (!ended_) std::swap(leader_, leader);
  }
  if (first.empty()) report({.leader = std::nullopt, .problem = now.problem});
}

void leader_observation::on_leader_node(const node_change& now) {
  if (now.path != leader_path_) return;
  if (now.problem) return report({.leader = std::nullopt, .problem = now.problem});
  if (!now.node) return;  // gone: the list says who follows
  report({.leader = participant{now.node->data, now.path, now.node->stat.czxid, true}, .problem = std::nullopt});
}

void leader_observation::report(leader_change now) {
  if (last_ && same(*last_, now)) return;
  last_ = now;
  std::optional<report_gate> gate;
  {
    const std::scoped_lock lock(mutex_);
    gate = gate_;
  }
  if (gate) gate->run([self = shared_from_this(), now = std::move(now)] { self->handler_(now); });
}

void leader_observation::end() noexcept {
  subscription candidates;
  subscription leader;
  std::optional<report_gate> gate;
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  std::swap(candidates_, candidates);
  std::swap(leader_, leader);
  gate_.swap(gate);
}

}  // namespace zkr::recipes
