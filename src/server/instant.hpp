#pragma once

#include <cstdint>

#include "zkrecipes/clock.hpp"

namespace zkr::backend {

/// One moment on both clocks. The server core reads no clock: whoever calls it says what time it is.
struct instant {
  time_point now;            ///< Counts session time-outs.
  std::int64_t wall_ms = 0;  ///< Since 1970; becomes ctime and mtime, and ages TTL nodes.
};

}  // namespace zkr::backend
