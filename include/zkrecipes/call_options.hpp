#pragma once

#include <optional>
#include <stop_token>

#include "zkrecipes/clock.hpp"

namespace zkr {

/// How long a call may wait, and who may end it early. Accepted by everything that waits.
struct call_options {
  /// Longest wait, counted once at entry on the scheduler's clock; 0 or less has passed already. Unset: 15 s for an
  /// operation, no limit for `acquire` and `campaign`.
  std::optional<duration> timeout = std::nullopt;
  /// Ends the call with `cancelled`. A write that was sent by then has an unknown outcome.
  std::stop_token stop = {};
};

}  // namespace zkr
