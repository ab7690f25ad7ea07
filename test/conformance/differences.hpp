#pragma once

#include <string_view>

namespace zkr::testing {

/// True where the server under test is the bundled one, which at this point goes another way than Apache's, on purpose.
/// The points are those of the table in differences.cpp; asking for another one is a failure of the test.
[[nodiscard]] bool differs(std::string_view point);

}  // namespace zkr::testing
