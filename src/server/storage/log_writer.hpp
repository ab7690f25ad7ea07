#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "server/storage/data_folder.hpp"
#include "zkrecipes/clock.hpp"

namespace zkr::backend {

/// Appends to the transaction log. Each run begins a file of its own, and so does each `roll`; a file is named after its
/// first transaction and made when that one is written.
///
/// After an error this object must not be used any more: nobody knows what is on the disk.
class log_writer {
 public:
  explicit log_writer(data_folder to) : to_(std::move(to)) {}

  /// Writes whole entries; returns when they are on the disk.
  /// @param first  zxid of the first of them.
  result<void> append(std::string_view entries, std::int64_t first);
  /// The next entries go into a new file.
  void roll() noexcept { file_.reset(); }
  /// How long the disk took for the last of them.
  [[nodiscard]] duration last_sync() const noexcept { return last_sync_; }

 private:
  data_folder to_;
  std::unique_ptr<file> file_;
  std::uint64_t size_ = 0;
  duration last_sync_{};
};

}  // namespace zkr::backend
