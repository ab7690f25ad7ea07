#pragma once

#include <optional>
#include <string>

namespace zkr::cli {

/// All of a file, or of standard input ("-"). Unset where it cannot be read: standard error says why.
[[nodiscard]] std::optional<std::string> read_file(const std::string& name);

}  // namespace zkr::cli
