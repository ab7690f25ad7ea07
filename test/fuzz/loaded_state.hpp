#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <string_view>

#include "server/database.hpp"

// What the fuzzers of files share.
namespace zkr::testing {

/// Ends the fuzzer, which keeps the input.
[[noreturn]] void give_up(std::string_view why);

/// What was loaded, however strange, must be good for a server: it survives a snapshot, and all of its sessions can end.
void expect_usable(backend::database loaded);

/// A few bytes changed, as the input says.
void damage(std::string& bytes, FuzzedDataProvider& input);

}  // namespace zkr::testing
