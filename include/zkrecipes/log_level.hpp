#pragma once

namespace zkr {

/// How much a line of a log matters.
enum class log_level { error, warning, info, debug };

}  // namespace zkr
