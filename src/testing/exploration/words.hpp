#pragma once

#include <string>

#include "zkrecipes/testing/exploration.hpp"

namespace zkr::testing {

/// "a" for the first contender; "" for nobody.
[[nodiscard]] std::string name_of(std::size_t contender);
/// "12.345678", in seconds.
[[nodiscard]] std::string seconds(duration time);
/// "cut for 2.5 s": what a step does, without whom and when.
[[nodiscard]] std::string describe(const step& one);
/// "grant ended, token 17".
[[nodiscard]] std::string describe(const history_entry& one, const exploration_schedule& of);

}  // namespace zkr::testing
