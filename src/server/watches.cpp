#include "server/watches.hpp"

#include <algorithm>

#include "server/paths.hpp"

namespace zkr::backend {

namespace {

constexpr std::uint8_t bit(watch_mode mode) noexcept { return static_cast<std::uint8_t>(mode); }
constexpr std::uint8_t one_shot = bit(watch_mode::one_shot);
constexpr std::uint8_t persistent = bit(watch_mode::persistent);
constexpr std::uint8_t recursive = bit(watch_mode::recursive);
constexpr std::uint8_t every_mode = one_shot | persistent | recursive;

void make_unique(watch_table::receivers& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

// ---- one table ------------------------------------------------------------------------------------------------------

const watch_table::watcher* watch_table::find(std::string_view path, connection_id who) const noexcept {
  const auto on_path = by_path_.find(path);
  if (on_path == by_path_.end()) return nullptr;
  // Asked first, because a path may have very many watchers.
  const auto of_connection = by_connection_.find(who);
  if (of_connection == by_connection_.end() || !of_connection->second.contains(&on_path->first)) return nullptr;
  const auto found = std::find_if(on_path->second.begin(), on_path->second.end(),
                                  [who](const watcher& one) { return one.who == who; });
  return &*found;
}

void watch_table::add(std::string_view path, connection_id who, watch_mode mode) {
  if (const watcher* known = find(path, who)) {
    auto& modes = const_cast<watcher*>(known)->modes;
    if (mode == watch_mode::recursive && (modes & recursive) == 0) ++recursive_;
    modes = static_cast<std::uint8_t>(modes | bit(mode));
    return;
  }
  auto on_path = by_path_.find(path);
  if (on_path == by_path_.end()) on_path = by_path_.emplace(std::string(path), watchers()).first;
  on_path->second.push_back({who, bit(mode)});
  by_connection_[who].insert(&on_path->first);
  ++size_;
  if (mode == watch_mode::recursive) ++recursive_;
}

bool watch_table::contains(std::string_view path, connection_id who, std::uint8_t modes) const noexcept {
  const watcher* found = find(path, who);
  return found != nullptr && (found->modes & modes) != 0;
}

bool watch_table::remove(std::string_view path, connection_id who, std::uint8_t modes) {
  auto* found = const_cast<watcher*>(find(path, who));
  if (found == nullptr || (found->modes & modes) == 0) return false;
  if ((found->modes & modes & recursive) != 0) --recursive_;
  found->modes = static_cast<std::uint8_t>(found->modes & ~modes);
  if (found->modes == 0) {
    const auto on_path = by_path_.find(path);
    watchers& list = on_path->second;
    list.erase(list.begin() + (found - list.data()));
    forget(who, on_path->first);
    if (list.empty()) by_path_.erase(on_path);
  }
  return true;
}

// Of one path, without touching the list of its watchers.
void watch_table::forget(connection_id who, const std::string& path) noexcept {
  const auto of_connection = by_connection_.find(who);
  of_connection->second.erase(&path);
  if (of_connection->second.empty()) by_connection_.erase(of_connection);
  --size_;
}

void watch_table::remove_connection(connection_id who) {
  const auto of_connection = by_connection_.extract(who);
  if (of_connection.empty()) return;
  for (const std::string* path : of_connection.mapped()) {
    const auto on_path = by_path_.find(*path);
    watchers& list = on_path->second;
    const auto found = std::find_if(list.begin(), list.end(), [who](const watcher& one) { return one.who == who; });
    if ((found->modes & recursive) != 0) --recursive_;
    list.erase(found);
    if (list.empty()) by_path_.erase(on_path);
    --size_;
  }
}

void watch_table::fire(std::string_view path, receivers& into) {
  if (by_path_.empty()) return;
  const auto on_path = by_path_.find(path);
  if (on_path == by_path_.end()) return;
  watchers& list = on_path->second;
  const auto used_up = [&](watcher& one) {
    if ((one.modes & (one_shot | persistent)) != 0) into.push_back(one.who);
    one.modes = static_cast<std::uint8_t>(one.modes & ~one_shot);
    if (one.modes != 0) return false;
    forget(one.who, on_path->first);
    return true;
  };
  list.erase(std::remove_if(list.begin(), list.end(), used_up), list.end());
  if (list.empty()) by_path_.erase(on_path);
}

void watch_table::fire_recursive(std::string_view path, receivers& into) const {
  if (recursive_ == 0) return;
  for (; path.size() > 1; path = parent_of(path)) collect(path, into);
  collect("/", into);
}

void watch_table::collect(std::string_view path, receivers& into) const {
  const auto on_path = by_path_.find(path);
  if (on_path == by_path_.end()) return;
  for (const watcher& one : on_path->second) {
    if ((one.modes & recursive) != 0) into.push_back(one.who);
  }
}

std::size_t watch_table::watches_of(connection_id who) const noexcept {
  const auto found = by_connection_.find(who);
  return found == by_connection_.end() ? 0 : found->second.size();
}

std::vector<std::pair<std::string_view, watch_table::receivers>> watch_table::listing() const {
  std::vector<std::pair<std::string_view, receivers>> list;
  list.reserve(by_path_.size());
  for (const auto& [path, who] : by_path_) {
    receivers& ids = list.emplace_back(path, receivers()).second;
    for (const watcher& one : who) ids.push_back(one.who);
  }
  std::sort(list.begin(), list.end());
  return list;
}

// ---- both -----------------------------------------------------------------------------------------------------------

void watches::add_persistent(std::string_view path, connection_id who) {
  data_.add(path, who, watch_mode::persistent);
  children_.add(path, who, watch_mode::persistent);
}

bool watches::contains(std::string_view path, connection_id who, kind which) const noexcept {
  switch (which) {
    case kind::children: return children_.contains(path, who, one_shot);
    case kind::data: return data_.contains(path, who, one_shot);
    case kind::any: return data_.contains(path, who, every_mode) || children_.contains(path, who, every_mode);
    case kind::persistent: return data_.contains(path, who, persistent);
    case kind::recursive: return data_.contains(path, who, recursive);
  }
  return false;
}

bool watches::contains_any(std::string_view path, kind which) const noexcept {
  return (which != kind::children && data_.is_watched(path)) || (which != kind::data && children_.is_watched(path));
}

bool watches::remove(std::string_view path, connection_id who, kind which) {
  switch (which) {
    case kind::children: return children_.remove(path, who, one_shot);
    case kind::data: return data_.remove(path, who, one_shot);
    case kind::any: return remove_all(path, who, which);
    case kind::persistent: children_.remove(path, who, persistent); return data_.remove(path, who, persistent);
    case kind::recursive: return data_.remove(path, who, recursive);
  }
  return false;
}

bool watches::remove_all(std::string_view path, connection_id who, kind which) {
  const bool of_children = which != kind::data && children_.remove(path, who, every_mode);
  return (which != kind::children && data_.remove(path, who, every_mode)) || of_children;
}

void watches::remove_connection(connection_id who) {
  data_.remove_connection(who);
  children_.remove_connection(who);
}

void watches::clear() noexcept {
  of_node_.clear();
  of_self_.clear();
  of_parent_.clear();
}

void watches::fire_node(std::string_view path) {
  data_.fire(path, of_node_);
  data_.fire_recursive(path, of_node_);
  if (of_node_.size() > 1) make_unique(of_node_);
}

watches::fired watches::created(std::string_view path, std::string_view parent) {
  clear();
  fire_node(path);
  children_.fire(parent, of_parent_);
  return {of_node_, of_self_, of_parent_};
}

watches::fired watches::removed(std::string_view path, std::string_view parent) {
  clear();
  fire_node(path);
  children_.fire(path, of_self_);
  const auto told = [&](connection_id who) { return std::binary_search(of_node_.begin(), of_node_.end(), who); };
  of_self_.erase(std::remove_if(of_self_.begin(), of_self_.end(), told), of_self_.end());
  children_.fire(parent, of_parent_);
  return {of_node_, of_self_, of_parent_};
}

watches::fired watches::data_changed(std::string_view path) {
  clear();
  fire_node(path);
  return {of_node_, of_self_, of_parent_};
}

}  // namespace zkr::backend
