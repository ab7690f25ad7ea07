#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zkr::backend {

/// A key with its value, and the number of the line that it starts on.
struct property {
  std::string key;
  std::string value;  ///< Without white space around it.
  int line = 0;

  friend bool operator==(const property&, const property&) = default;
};

struct properties {
  std::vector<property> list;  ///< In the order of the text; a key may stand there more than once.
  /// Set where the text cannot be read; `list` has what stands before that line.
  struct fault {
    int line = 0;
    std::string what;
  };
  std::optional<fault> bad;
};

/// Reads text as java.util.Properties does: `key=value`, `key: value` or `key value`; comments behind '#' or '!' at the
/// start of a line; a backslash at a line's end joins it with the next; escapes \t \n \r \f \uXXXX, and \x for any other
/// x as itself. Bytes from 0x80 on stay as they are (Java takes them for Latin-1). NUL characters are refused.
[[nodiscard]] properties parse_properties(std::string_view text);

/// A line's text without its end, for a key and a value as they are.
[[nodiscard]] std::string format_property(std::string_view key, std::string_view value);

}  // namespace zkr::backend
