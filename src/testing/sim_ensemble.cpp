#include "testing/sim_ensemble.hpp"

#include <algorithm>
#include <utility>

#include "testing/sim_leader.hpp"

namespace zkr::testing {

using role = sim_member::role;

namespace {

// Measured with Apache ZooKeeper 3.8: 0.3 to 0.5 s from the end of a leader to the next one's first write.
constexpr duration quiet_time = std::chrono::milliseconds(200);
constexpr duration most_hesitation = std::chrono::milliseconds(100);
constexpr duration between_attempts = std::chrono::milliseconds(50);

}  // namespace

sim_ensemble::sim_ensemble(sim_world& world, settings rules, std::function<void(std::size_t)> has_output)
    : world_(world),
      rules_(rules),
      has_output_(std::move(has_output)),
      wires_(
          world, rules.members, [this](std::size_t to) { return members_[to]->takes_messages(); },
          [this](std::size_t to, std::size_t from, sim_message& what) { members_[to]->on_message(from, what); }) {
  for (std::size_t i = 0; i < rules.members; ++i) members_.push_back(std::make_unique<sim_member>(*this, world, i));
  for (const auto& one : members_) look(*one);
}

std::optional<std::size_t> sim_ensemble::leader() const {
  sim_member* found = nullptr;
  for (const auto& one : members_) {
    if (one->doing() != role::leading || !one->serves()) continue;
    if (found == nullptr || one->epoch() > found->epoch()) found = one.get();
  }
  return found == nullptr ? std::nullopt : std::optional(found->id());
}

const sim_member& sim_ensemble::foremost() const {
  return **std::max_element(members_.begin(), members_.end(), [](const auto& a, const auto& b) {
    return a->serving().state().last_zxid() < b->serving().state().last_zxid();
  });
}

bool sim_ensemble::is_there(const sim_member& other, const sim_member& for_whom) const {
  return &other != &for_whom && other.running() && !other.paused() && wires_.joined(other.id(), for_whom.id());
}

void sim_ensemble::look(sim_member& who) {
  const auto wait = quiet_time + world_.between(duration(0), most_hesitation);
  who.later(world_.clock.now() + wait, [this, &who] { try_once(who); });
}

// Follows a leader that is there and not behind; becomes one where it has the best history of a majority that looks for
// one. Between its election and its first follower's acknowledgement a leader may have been overtaken: its followers-to-be
// have followed another in the meantime and hold what that one has committed.
void sim_ensemble::try_once(sim_member& who) {
  const auto history = [](const sim_member& of) { return std::pair(of.epoch(), of.last_zxid()); };
  const auto rank = [&](const sim_member& of) { return std::pair(history(of), of.id()); };
  std::size_t with = 1;
  bool is_best = true;
  auto epoch = who.epoch();
  for (const auto& other : members_) {
    if (!is_there(*other, who)) continue;
    auto* leading = other->leadership();
    if (leading != nullptr && leading->takes_followers() && history(*other) >= history(who)) {
      return who.follow(other->id());
    }
    if (other->doing() != role::looking) continue;
    ++with;
    is_best = is_best && rank(*other) < rank(who);
    epoch = std::max(epoch, other->epoch());
  }
  if (with >= majority() && is_best) return who.lead(epoch + 1);
  who.later(world_.clock.now() + between_attempts, [this, &who] { try_once(who); });
}

}  // namespace zkr::testing
