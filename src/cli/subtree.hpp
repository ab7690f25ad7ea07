#pragma once

#include <string>
#include <vector>

#include "zkrecipes/client.hpp"

namespace zkr::cli {

struct tree_entry {
  std::string path;
  std::size_t depth = 0;  ///< Below the node that the walk began with.
  stat_t stat;
};

/// The node at `path` and all below it, parents first, siblings by name. Not one moment's view: nodes that vanish meanwhile
/// are left out.
[[nodiscard]] result<std::vector<tree_entry>> walk(client& with, const std::string& path, const call_options& wait);

/// Removes a node and all below it, those that appear meanwhile too, within reason.
[[nodiscard]] result<void> remove_tree(client& with, const std::string& path, const call_options& wait);

}  // namespace zkr::cli
