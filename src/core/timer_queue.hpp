#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>

#include "zkrecipes/scheduler.hpp"

namespace zkr::detail {

/// Work in order of its time, and of its arrival where times are equal. Not synchronised.
class timer_queue {
 public:
  scheduler::timer add(time_point at, unique_function<void()> work) {
    const auto id = ++last_id_;
    order_.emplace(at, id);
    entries_.emplace(id, entry{at, std::move(work)});
    return id;
  }

  /// The work taken back, so that it is destroyed where the caller likes; empty where it is not there any more.
  unique_function<void()> take(scheduler::timer id) noexcept {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return {};
    order_.erase({found->second.at, id});
    auto work = std::move(found->second.work);
    entries_.erase(found);
    return work;
  }

  [[nodiscard]] std::optional<time_point> next() const noexcept {
    return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
  }

  /// The first piece of work that is due at `now`, or nothing.
  unique_function<void()> pop_due(time_point now) noexcept {
    if (order_.empty() || order_.begin()->first > now) return {};
    return take(order_.begin()->second);
  }

  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

 private:
  struct entry {
    time_point at;
    unique_function<void()> work;
  };
  scheduler::timer last_id_ = 0;
  std::set<std::pair<time_point, scheduler::timer>> order_;
  std::unordered_map<scheduler::timer, entry> entries_;
};

}  // namespace zkr::detail
