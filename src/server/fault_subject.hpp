#pragma once

#include <string_view>

#include "server/fault_rules.hpp"

namespace zkr::backend {

/// What a request is to fault rules. The paths are those of the frame, and hold as long as it does.
[[nodiscard]] fault_subject request_subject(std::string_view frame, std::int64_t session);

/// The same of a handshake.
[[nodiscard]] fault_subject handshake_subject(std::string_view frame);

}  // namespace zkr::backend
