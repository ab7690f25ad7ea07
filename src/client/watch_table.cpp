#include "client/watch_table.hpp"

#include <algorithm>
#include <iterator>

namespace zkr {

std::string_view to_string(watch_event_type type) noexcept {
  switch (type) {
    case watch_event_type::created: return "created";
    case watch_event_type::removed: return "removed";
    case watch_event_type::data_changed: return "data_changed";
    case watch_event_type::children_changed: return "children_changed";
    case watch_event_type::session_lost: return "session_lost";
    case watch_event_type::closed: break;
  }
  return "closed";
}

namespace detail {

void watch_table::add(watch_kind kind, std::string_view path, waiting_watch one) {
  if (size_ >= sweep_at_) sweep();
  ++size_;
  auto& paths = kinds_[static_cast<std::size_t>(kind)];
  auto found = paths.find(path);
  if (found == paths.end()) found = paths.emplace(std::string(path), std::vector<waiting_watch>{}).first;
  found->second.push_back(std::move(one));
}

void watch_table::sweep() {
  for (auto& paths : kinds_) {
    for (auto at = paths.begin(); at != paths.end();) {
      size_ -= std::erase_if(at->second, [](const auto& one) { return one.owner && one.owner->expired(); });
      at = at->second.empty() ? paths.erase(at) : std::next(at);
    }
  }
  sweep_at_ = std::max(least_sweep, 2 * size_);
}

std::vector<waiting_watch> watch_table::take(wire::event_type type, std::string_view path) {
  std::vector<waiting_watch> fired;
  const auto drain = [&](watch_kind kind) {
    auto& paths = kinds_[static_cast<std::size_t>(kind)];
    const auto found = paths.find(path);
    if (found == paths.end()) return;
    size_ -= found->second.size();
    std::move(found->second.begin(), found->second.end(), std::back_inserter(fired));
    paths.erase(found);
  };
  switch (type) {
    case wire::event_type::created:
    case wire::event_type::data_changed:
      drain(watch_kind::data);
      drain(watch_kind::exist);
      break;
    case wire::event_type::children_changed: drain(watch_kind::child); break;
    case wire::event_type::removed:
      drain(watch_kind::data);
      drain(watch_kind::exist);
      drain(watch_kind::child);
      break;
    case wire::event_type::none: break;
  }
  return fired;
}

std::vector<std::pair<std::string, waiting_watch>> watch_table::take_all() {
  std::vector<std::pair<std::string, waiting_watch>> all;
  for (auto& paths : kinds_) {
    for (auto& [path, waiting] : paths) {
      for (auto& one : waiting) all.emplace_back(path, std::move(one));
    }
    paths.clear();
  }
  size_ = 0;
  return all;
}

wire::string_list watch_table::paths(watch_kind kind) const {
  wire::string_list list;
  for (const auto& [path, waiting] : kinds_[static_cast<std::size_t>(kind)]) list.emplace_back(path);
  return list;
}

}  // namespace detail
}  // namespace zkr
