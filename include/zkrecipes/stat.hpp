#pragma once

#include <cstdint>

namespace zkr {

/// Compare with any data version: the write is unconditional.
inline constexpr std::int32_t any_version = -1;

/// A node's metadata, as ZooKeeper keeps it (jute `Stat`).
struct stat_t {
  std::int64_t czxid = 0;            ///< Transaction that created the node; grows over re-creations of a path.
  std::int64_t mzxid = 0;            ///< Transaction that last changed the data.
  std::int64_t ctime = 0;            ///< Server's wall clock at creation, ms since 1970.
  std::int64_t mtime = 0;            ///< Server's wall clock at the last change of the data, ms since 1970.
  std::int32_t version = 0;          ///< Changes of the data since creation.
  std::int32_t cversion = 0;         ///< Creations and deletions of children.
  std::int32_t aversion = 0;         ///< Changes of the ACL.
  std::int64_t ephemeral_owner = 0;  ///< Session that owns an ephemeral node; 0 for every other node.
  std::int32_t data_length = 0;      ///< Bytes.
  std::int32_t num_children = 0;
  std::int64_t pzxid = 0;  ///< Transaction that last created or deleted a child.

  friend bool operator==(const stat_t&, const stat_t&) = default;
};

}  // namespace zkr
