#pragma once

#include <optional>
#include <string>

#include "zkrecipes/grant.hpp"

namespace zkr {

/// The grant that an election hands out. Destroying it resigns.
class [[nodiscard]] leadership : public grant {
 public:
  using grant::grant;

  /// Gives the leadership back and waits for the server's verdict. The same as release(wait).
  result<void> resign(call_options wait = {}) { return release(std::move(wait)); }
};

/// A candidate as others see it.
struct participant {
  std::string id;
  std::string path;                ///< Its node.
  std::int64_t fencing_token = 0;  ///< What its grants bear, if it leads.
  bool leads = false;              ///< As far as the nodes say; only the leader's own `held()` is certain.

  friend bool operator==(const participant&, const participant&) = default;
};

/// What an observer is told.
struct leader_change {
  std::optional<participant> leader;  ///< Unset: nobody leads.
  std::optional<error> problem;       ///< Set: cannot be read, or the observation has ended (closed).
};

}  // namespace zkr
