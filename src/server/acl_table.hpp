#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "zkrecipes/acl.hpp"

namespace zkr::backend {

using acl_id = std::int64_t;

/// world:anyone:31, never stored (Apache's OPEN_UNSAFE_ACL_ID).
inline constexpr acl_id open_acl_id = -1;
/// world:anyone:1, that of /zookeeper/config: always there.
inline constexpr acl_id read_only_acl_id = 1;

/// The access lists of all nodes, each stored once: nodes hold its number. Counted, so that lists nobody uses go away.
class acl_table {
 public:
  acl_table();

  /// The number of a list, for one more node.
  acl_id acquire(const acl_list& list);
  void release(acl_id id) noexcept;
  [[nodiscard]] const acl_list& list(acl_id id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// Calls `visit(id, list)` for every list but the open one.
  template <typename Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [id, one] : entries_) visit(id, one.list);
  }

 private:
  struct entry {
    acl_list list;
    std::size_t users = 0;
  };
  [[nodiscard]] static std::string key_of(const acl_list& list);

  std::unordered_map<acl_id, entry> entries_;
  std::unordered_map<std::string, acl_id> ids_;
  acl_id last_id_ = 0;
};

}  // namespace zkr::backend
