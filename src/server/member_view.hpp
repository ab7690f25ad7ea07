#pragma once

#include "server/database.hpp"
#include "server/watches.hpp"

namespace zkr::backend {

/// What a connection sees: a state, and the watches that tell of its changes.
struct member_view {
  const database& state;
  backend::watches& watched;
};

}  // namespace zkr::backend
