#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "wire/messages.hpp"

namespace zkr::testing {

/// Makes messages out of a list of numbers, so that a property test's shrinking of that list shrinks the message. Owns
/// the strings that its messages look at.
class message_source {
 public:
  explicit message_source(std::vector<std::uint32_t> choices) : choices_(std::move(choices)) {}

  [[nodiscard]] wire::request request();
  /// A reply, and the type of a request that it answers.
  [[nodiscard]] std::pair<wire::reply, wire::opcode> reply();

  [[nodiscard]] std::uint32_t below(std::uint32_t limit) { return next() % limit; }
  [[nodiscard]] std::int32_t int32() { return static_cast<std::int32_t>(next() * 2654435761U); }
  [[nodiscard]] std::int64_t int64() { return static_cast<std::int64_t>(int32()) * 0x1'0001'0001; }
  /// Null, empty, or bytes of any value.
  [[nodiscard]] std::string_view string();

 private:
  [[nodiscard]] std::uint32_t next() { return used_ < choices_.size() ? choices_[used_++] : 0; }
  [[nodiscard]] wire::buffer buffer();
  [[nodiscard]] wire::string_list strings();
  [[nodiscard]] acl_list acl();
  [[nodiscard]] stat_t stat();
  [[nodiscard]] bool flag() { return below(2) == 1; }
  [[nodiscard]] wire::create_request create();
  [[nodiscard]] wire::multi_operation operation();
  [[nodiscard]] wire::multi_result result();

  std::vector<std::uint32_t> choices_;
  std::size_t used_ = 0;
  std::deque<std::string> strings_;
};

}  // namespace zkr::testing
