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
  if (found == paths.end()) {
    found = paths.emplace(std::string(path), std::vector<waiting_watch>{}).first;
    ++paths_;
    path_bytes_ += path.size();
  }
  found->second.push_back(std::move(one));
}

void watch_table::sweep() {
  for (auto& paths : kinds_) {
    for (auto at = paths.begin(); at != paths.end();) {
      size_ -= std::erase_if(at->second, [](const auto& one) { return one.owner && one.owner->expired(); });
      at = at->second.empty() ? erase(paths, at) : std::next(at);
    }
  }
  sweep_at_ = std::max(least_sweep, 2 * size_);
}

watch_table::by_path::iterator watch_table::erase(by_path& from, by_path::iterator at) {
  --paths_;
  path_bytes_ -= at->first.size();
  return from.erase(at);
}

std::size_t watch_table::path_bytes(std::size_t overhead) const noexcept { return path_bytes_ + paths_ * overhead; }

watch_table::unwanted watch_table::take_unwanted(std::initializer_list<watch_kind> kinds, std::string_view path) {
  unwanted all;
  bool anybody = false;
  for (const auto kind : kinds) {
    auto& paths = kinds_[static_cast<std::size_t>(kind)];
    const auto found = paths.find(path);
    if (found == paths.end()) continue;
    auto& waiting = found->second;
    const auto end = std::stable_partition(waiting.begin(), waiting.end(),
                                           [](const auto& one) { return !one.owner || !one.owner->expired(); });
    std::move(end, waiting.end(), std::back_inserter(all.watches));
    waiting.erase(end, waiting.end());
    anybody = anybody || !waiting.empty();
    if (waiting.empty()) (void)erase(paths, found);
  }
  size_ -= all.watches.size();
  all.nobody_left = !all.watches.empty() && !anybody;
  return all;
}

std::vector<waiting_watch> watch_table::take(wire::event_type type, std::string_view path) {
  std::vector<waiting_watch> fired;
  const auto drain = [&](watch_kind kind) {
    auto& paths = kinds_[static_cast<std::size_t>(kind)];
    const auto found = paths.find(path);
    if (found == paths.end()) return;
    size_ -= found->second.size();
    std::move(found->second.begin(), found->second.end(), std::back_inserter(fired));
    (void)erase(paths, found);
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
  size_ = paths_ = path_bytes_ = 0;
  return all;
}

wire::string_list watch_table::paths(watch_kind kind) const {
  wire::string_list list;
  for (const auto& [path, waiting] : kinds_[static_cast<std::size_t>(kind)]) list.emplace_back(path);
  return list;
}

}  // namespace detail
}  // namespace zkr
