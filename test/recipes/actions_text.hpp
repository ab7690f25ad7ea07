#pragma once

#include <string>
#include <vector>

#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes::testing {

/// One action as a line, without its tag: "create /e/_c_u1-latch- ephemeral_sequential 'me'", "read /a watch",
/// "commit [check /e 3, remove /c 1]", "grant /c 7 check /e 3", "emit failed cancelled", ...
[[nodiscard]] std::string to_text(const action& what);
[[nodiscard]] std::string to_text(const operation& what);

}  // namespace zkr::recipes::testing
