#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/file.hpp"

// One file of Apache's transaction log: a header, then entries of checksum, length, payload and an end byte.
namespace zkr::backend {

inline constexpr std::size_t log_header_bytes = 16;
[[nodiscard]] std::string_view log_header() noexcept;
/// Wraps what stands at the end of `to` from `start` on: a gap of `entry_head_bytes`, then the payload.
inline constexpr std::size_t entry_head_bytes = 12;
void finish_entry(std::string& to, std::size_t start);

/// An error about what a file holds: names it and the place.
[[nodiscard]] error damage(const std::string& path, std::uint64_t offset, const std::string& what);

/// How the entries of a file end.
enum class log_end {
  clean,         ///< The file is over, or holds nothing but zeros from here on.
  cut,           ///< A part of an entry.
  bad_checksum,  ///< A whole entry whose bytes are not those that were written.
  bad_length,    ///< No entry can be that long.
};
[[nodiscard]] std::string_view describe(log_end how) noexcept;

/// Reads one file from its beginning to the end of its entries.
class log_reader {
 public:
  /// @param path  for messages.
  log_reader(file& from, std::string path) : from_(from), path_(std::move(path)) {}

  /// @par Errors  io_error: it cannot be read, is shorter than a header, or has another one.
  result<void> start();
  /// The payload of the next entry, valid until the next call; nothing at the end, which `end` describes then.
  result<std::optional<std::string_view>> next();
  /// Where the entry that `next` gave begins, or where the entries end.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] log_end end() const noexcept { return end_; }
  /// At the end: whether a whole entry stands somewhere behind it. Then this is no end, but damage.
  result<bool> entry_behind();

 private:
  result<std::string_view> view(std::uint64_t offset, std::size_t size);

  file& from_;
  std::string path_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t next_ = log_header_bytes;
  log_end end_ = log_end::clean;
  std::string window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace zkr::backend
