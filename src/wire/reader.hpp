#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/big_endian.hpp"
#include "wire/messages.hpp"

namespace zkr::wire {

/// Reads jute values from the bytes of one frame (without its length).
///
/// Never reads outside of them and never throws: after the first value that does not fit, `ok()` is false for good and
/// every further value is 0 or empty. Callers read a whole record and ask once. Views point into the frame.
class reader {
 public:
  explicit reader(std::string_view frame) noexcept : next_(frame.data()), end_(frame.data() + frame.size()) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// Bytes that were not read. Apache ignores them behind a request.
  [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - next_); }
  [[nodiscard]] std::string_view rest() const noexcept { return {next_, remaining()}; }

  [[nodiscard]] std::int32_t int32() noexcept { return static_cast<std::int32_t>(big_endian<std::uint32_t>()); }
  [[nodiscard]] std::int64_t int64() noexcept { return static_cast<std::int64_t>(big_endian<std::uint64_t>()); }
  /// Any byte but 0 is true, as in Java.
  [[nodiscard]] bool boolean() noexcept { return big_endian<std::uint8_t>() != 0; }
  [[nodiscard]] wire::buffer buffer() noexcept {
    const std::string_view bytes = string();
    return is_null(bytes) ? wire::buffer() : wire::buffer(bytes);
  }
  [[nodiscard]] std::string_view string() noexcept;
  [[nodiscard]] stat_t stat() noexcept;
  [[nodiscard]] string_list strings();
  [[nodiscard]] acl_list acl();
  /// Number of items of a vector; 0 for a null one, and for negative counts, as in Java.
  [[nodiscard]] std::int32_t count() noexcept;

  void fail() noexcept {
    ok_ = false;
    next_ = end_;
  }

 private:
  template <typename Unsigned>
  Unsigned big_endian() noexcept {
    if (remaining() < sizeof(Unsigned)) {
      fail();
      return 0;
    }
    const auto value = load_big_endian<Unsigned>(next_);
    next_ += sizeof(Unsigned);
    return value;
  }

  const char* next_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace zkr::wire
