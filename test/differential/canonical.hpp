#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "wire/codec.hpp"

namespace zkr::testing {

/// What one server says, as text in which the same thing reads the same from every server: transaction and session ids
/// by the order in which they came up, times only as "there is one", children as a set.
class canonical {
 public:
  [[nodiscard]] std::string event(std::string_view body, std::int64_t zxid);
  /// A reply's frame behind its header. Its length is part of the text: no byte too many.
  [[nodiscard]] std::string reply(const wire::reply_header& header, std::string_view body, wire::opcode of);

  [[nodiscard]] std::string session(std::int64_t id);
  [[nodiscard]] std::string zxid(std::int64_t id);

 private:
  [[nodiscard]] std::string text(const stat_t& of);
  [[nodiscard]] std::string text(const wire::reply& of);

  std::unordered_map<std::int64_t, std::size_t> zxids_;
  std::unordered_map<std::int64_t, std::size_t> sessions_;
};

/// For messages: what was asked.
[[nodiscard]] std::string text_of(const wire::request& what);

}  // namespace zkr::testing
