#pragma once

#include <string>
#include <vector>

#include "cli/descriptor.hpp"
#include "cli/signals.hpp"

namespace zkr::cli {

/// The guardian's life, in the forked process: obeys what comes through `socket` until it closes and the command is over.
[[noreturn]] void guard(descriptor socket, const std::vector<std::string>& command,
                        const inherited_signals& for_command);

}  // namespace zkr::cli
