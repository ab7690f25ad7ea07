#include "server/fault_board.hpp"

#include <algorithm>

namespace zkr {

namespace backend {

fault_id fault_board::add(const fault_rule& rule) {
  const std::lock_guard lock(mutex_);
  active_.store(true, std::memory_order_release);
  return rules_.add(rule);
}

bool fault_board::remove(fault_id which) {
  const std::lock_guard lock(mutex_);
  const bool removed = rules_.remove(which);
  active_.store(!rules_.empty(), std::memory_order_release);
  changed_.notify_all();
  return removed;
}

void fault_board::clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  active_.store(false, std::memory_order_release);
  changed_.notify_all();
}

std::vector<fault_report> fault_board::report() const {
  const std::lock_guard lock(mutex_);
  return rules_.report();
}

bool fault_board::wait(fault_id which, std::uint64_t times, std::chrono::milliseconds within) const {
  // Bounded: the clock plus the largest duration would overflow.
  constexpr std::chrono::milliseconds longest = std::chrono::hours(24);
  std::unique_lock lock(mutex_);
  std::optional<std::uint64_t> fired;
  changed_.wait_for(lock, std::min(within, longest), [&] {
    fired = rules_.fired(which);
    return !fired || *fired >= times;
  });
  return fired && *fired >= times;
}

std::optional<fault_rules::decision> fault_board::match(const fault_subject& what) {
  const std::lock_guard lock(mutex_);
  return rules_.match(what);
}

void fault_board::done(fault_id which) {
  const std::lock_guard lock(mutex_);
  rules_.done(which);
  changed_.notify_all();
}

}  // namespace backend

fault_injector::fault_injector(std::shared_ptr<backend::fault_board> board) noexcept : board_(std::move(board)) {}

result<fault_id> fault_injector::add(const fault_rule& rule) {
  if (const char* wrong = backend::fault_rules::complaint(rule)) {
    return error(errc::invalid_argument, "add fault", {}, wrong);
  }
  return board_->add(rule);
}

bool fault_injector::remove(fault_id which) { return board_->remove(which); }

void fault_injector::clear() { board_->clear(); }

std::vector<fault_report> fault_injector::rules() const { return board_->report(); }

bool fault_injector::wait(fault_id which, std::uint64_t times, std::chrono::milliseconds within) const {
  return board_->wait(which, times, within);
}

}  // namespace zkr
