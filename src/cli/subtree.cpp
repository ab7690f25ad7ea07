#include "cli/subtree.hpp"

#include <algorithm>

#include "zkrecipes/path.hpp"

namespace zkr::cli {

result<std::vector<tree_entry>> walk(client& with, const std::string& path, const call_options& wait) {
  std::vector<tree_entry> entries;
  std::vector<tree_entry> pending{{path, 0, {}}};
  while (!pending.empty()) {
    auto entry = std::move(pending.back());
    pending.pop_back();
    auto children = with.children(entry.path, {}, wait);
    if (!children) {
      if (children.error().code() == errc::no_node && entry.depth > 0) continue;
      return std::move(children).error();
    }
    entry.stat = children->stat;
    std::sort(children->names.begin(), children->names.end(), std::greater<>());
    for (const auto& name : children->names) pending.push_back({join_path(entry.path, name), entry.depth + 1, {}});
    entries.push_back(std::move(entry));
  }
  return entries;
}

result<void> remove_tree(client& with, const std::string& path, const call_options& wait) {
  constexpr int attempts = 3;  // somebody may go on creating nodes below; he wins
  for (int attempt = 1;; ++attempt) {
    const auto entries = walk(with, path, wait);
    if (!entries) return entries.error();
    result<void> last;
    for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
      last = with.remove(entry->path, any_version, wait);
      if (!last && last.error().code() == errc::no_node) last = {};
      if (!last) break;
    }
    if (last || last.error().code() != errc::not_empty || attempt == attempts) return last;
  }
}

}  // namespace zkr::cli
