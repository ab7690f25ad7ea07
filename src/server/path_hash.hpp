#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace zkr::backend {

/// Lets maps with std::string keys be searched by the view that stands in a request.
struct path_hash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};

struct path_equal {
  using is_transparent = void;
  [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
};

}  // namespace zkr::backend
