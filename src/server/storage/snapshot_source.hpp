#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/file.hpp"

namespace zkr::backend {

/// The bytes of a snapshot in order, unpacked where it is compressed, with their checksum. Reads as it goes.
///
/// After the first value that cannot be had, `ok` is false for good and all values are 0 or empty: callers read a record
/// and ask once.
class snapshot_source {
 public:
  enum class packing { none, gzip };
  snapshot_source(file& from, packing how);
  ~snapshot_source();
  snapshot_source(const snapshot_source&) = delete;
  snapshot_source& operator=(const snapshot_source&) = delete;

  [[nodiscard]] std::int32_t int32();
  [[nodiscard]] std::int64_t int64();
  /// Null where it is null. Valid until the next call.
  [[nodiscard]] std::string_view string();
  /// Whether anything follows.
  [[nodiscard]] bool more();

  [[nodiscard]] bool ok() const noexcept { return problem_.empty(); }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// Of the unpacked bytes that were taken so far, and how many they are.
  [[nodiscard]] std::uint32_t checksum() const noexcept { return checksum_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return taken_; }
  void fail(std::string why);

 private:
  struct unpacker;
  [[nodiscard]] std::string_view take(std::size_t size);
  bool have(std::size_t size);
  bool fill();

  file& from_;
  std::unique_ptr<unpacker> unpacker_;
  std::uint64_t file_offset_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t taken_ = 0;
  std::uint32_t checksum_ = 1;
  std::string problem_;
};

}  // namespace zkr::backend
