#include "testing/exploration/referee.hpp"

#include <utility>

namespace zkr::testing {

std::size_t referee::began() {
  calls_.push_back({.floor = tokens_.empty() ? 0 : *tokens_.rbegin(), .world = world_});
  return calls_.size() - 1;
}

void referee::answered(std::size_t task) {
  if (++calls_[task].answers > 1) broken("one answer", "a call has ended twice");
}

void referee::given(std::size_t task, std::int64_t token, bool held) {
  const auto& from = calls_[task];
  if (from.world != world_) return;  // what it saw may be of the world before
  // The node of an acquisition that began after another grant was handed out is younger than that grant's, whatever
  // anybody believes. Grants themselves may be handed out in another order only where the assumptions do not hold.
  const auto floor = held && where_ == regime::inside && !tokens_.empty() ? *tokens_.rbegin() : from.floor;
  if (token <= floor) {
    broken("tokens grow", "token " + std::to_string(token) + " after " + std::to_string(floor));
  }
  if (!tokens_.insert(token).second) broken("tokens grow", "token " + std::to_string(token) + " twice");
}

bool referee::held_now(std::size_t count) {
  const bool more = count > 1 && count > held_;
  held_ = count;
  if (more && where_ == regime::inside) broken("one holder", std::to_string(count) + " hold at once");
  return more;
}

void referee::ended_grant(std::int64_t token, bool held) {
  if (held) broken("ended is ended", "the grant with token " + std::to_string(token) + " came back");
}

void referee::used(std::int64_t token) {
  if (token < largest_used_ && where_ == regime::inside) {
    broken("one holder", "a write with token " + std::to_string(token) + " after one with " +
                             std::to_string(largest_used_) + ", held() being true");
  }
  largest_used_ = std::max(largest_used_, token);
}

void referee::wiped() {
  ++world_;
  tokens_.clear();
  largest_used_ = 0;
}

void referee::landed(const std::vector<std::int64_t>& tokens) {
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (tokens[i] >= tokens[i - 1]) continue;
    return broken("only_while", "a write with token " + std::to_string(tokens[i]) + " landed after one with " +
                                    std::to_string(tokens[i - 1]));
  }
}

void referee::finished() {
  for (const auto& one : calls_) {
    if (one.owed && one.answers == 0) return broken("one answer", "a call never ended");
  }
}

}  // namespace zkr::testing
