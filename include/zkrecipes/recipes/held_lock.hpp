#pragma once

#include <optional>
#include <string>

#include "zkrecipes/grant.hpp"

namespace zkr {

/// The grant that a lock hands out. Destroying it releases the lock.
class [[nodiscard]] held_lock : public grant {
 public:
  using grant::grant;
};

/// A contender for a lock as others see it.
struct lock_contender {
  std::string id;
  std::string path;                ///< Its node.
  std::int64_t fencing_token = 0;  ///< What its grant bears, once it has one.
  bool holds = false;              ///< As far as the nodes say; only the holder's own `held()` is certain.
  bool shared = false;             ///< It asked to share the lock (shared_mutex).

  friend bool operator==(const lock_contender&, const lock_contender&) = default;
};

}  // namespace zkr
