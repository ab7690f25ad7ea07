#pragma once

namespace zkr::testing {

/// What the cut of a link loses: everything, what goes from the first end to the second, or what comes back.
enum class cut_way { both, there, back };

}  // namespace zkr::testing
