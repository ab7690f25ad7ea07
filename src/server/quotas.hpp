#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/tree.hpp"

// Quotas as Apache keeps them: a node's limits and usage are the texts of two nodes,
// /zookeeper/quota<path>/zookeeper_limits and .../zookeeper_stats. The nearest node above a path (or itself) that has
// limits counts; the root's do not. Nothing is remembered besides those nodes.
namespace zkr::backend {

/// "count=5,bytes=40", with more keys where it is a limit. -1: unset.
struct quota_figures {
  std::int64_t count = -1;
  std::int64_t bytes = -1;
  std::int64_t count_hard_limit = -1;
  std::int64_t byte_hard_limit = -1;
};

/// What cannot be read counts as unset.
[[nodiscard]] quota_figures parse_quota(std::string_view text) noexcept;

/// A limit that a write would exceed.
struct quota_excess {
  bool hard = false;
  std::string path;     ///< Of the node that has the limit.
  const char* of = "";  ///< "count" or "bytes".
  std::int64_t used = 0;
  std::int64_t allowed = 0;
};

/// The limit that applies to `path` and would be exceeded, a hard one first. As Apache has it, a soft limit does not
/// matter where there is a hard one.
[[nodiscard]] std::optional<quota_excess> exceeded_quota(const tree& nodes, std::string_view path,
                                                         std::int64_t more_bytes, std::int64_t more_nodes);

/// Brings the usage up to date, in place: the node of the figures gets no new version, and nobody is told.
void count_usage(tree& nodes, std::string_view path, std::int64_t more_bytes, std::int64_t more_nodes);
/// The same for a new node. Where that is one for usage, what it stands for is counted anew.
void count_created(tree& nodes, node& made);

}  // namespace zkr::backend
