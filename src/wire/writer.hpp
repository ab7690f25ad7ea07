#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/big_endian.hpp"
#include "wire/messages.hpp"

namespace zkr::wire {

/// Appends jute values to a string that the caller owns: replies are encoded straight into the output of a connection.
class writer {
 public:
  explicit writer(std::string& out) noexcept : out_(&out) {}

  void int32(std::int32_t value) { big_endian(static_cast<std::uint32_t>(value)); }
  void int64(std::int64_t value) { big_endian(static_cast<std::uint64_t>(value)); }
  void boolean(bool value) { out_->push_back(value ? '\1' : '\0'); }
  void string(std::string_view text) {
    if (is_null(text)) return int32(-1);
    int32(static_cast<std::int32_t>(text.size()));
    out_->append(text);
  }
  void buffer(const wire::buffer& bytes) {
    if (!bytes) return int32(-1);
    int32(static_cast<std::int32_t>(bytes->size()));
    out_->append(*bytes);
  }
  void stat(const stat_t& stat);
  void header(const reply_header& header) {
    char bytes[16];
    store_big_endian(bytes, static_cast<std::uint32_t>(header.xid));
    store_big_endian(bytes + 4, static_cast<std::uint64_t>(header.zxid));
    store_big_endian(bytes + 12, static_cast<std::uint32_t>(header.code));
    out_->append(bytes, sizeof bytes);
  }
  void strings(const string_list& list);
  void acl(const acl_list& list);
  void raw(std::string_view bytes) { out_->append(bytes); }

  /// Starts a frame: its length is filled in by `end_frame`, which takes what this returned.
  [[nodiscard]] std::size_t begin_frame() {
    const std::size_t start = out_->size();
    out_->append(4, '\0');
    return start;
  }
  void end_frame(std::size_t start) noexcept;
  /// Overwrites the four bytes at `position` of the output, for counts that are known only later.
  void patch_int32(std::size_t position, std::int32_t value) noexcept;

  [[nodiscard]] std::string& out() noexcept { return *out_; }

 private:
  template <typename Unsigned>
  void big_endian(Unsigned value) {
    char bytes[sizeof(Unsigned)];
    store_big_endian(bytes, value);
    out_->append(bytes, sizeof(Unsigned));
  }

  std::string* out_;
};

}  // namespace zkr::wire
