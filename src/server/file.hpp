#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/result.hpp"

namespace zkr::backend {

/// An open file. Every failure is final: after a write or sync that failed nobody knows what is on the disk, so it is
/// never tried again.
class file {
 public:
  /// Closes, without syncing.
  virtual ~file() = default;

  /// Writes all of it at `offset`; the file grows as needed.
  /// @par Errors  io_error, with the system's words.
  virtual result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Returns once the contents (and the size) are on the disk: fdatasync.
  virtual result<void> sync() = 0;
  /// Up to `size` bytes; fewer at the end of the file.
  virtual result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
  virtual result<std::uint64_t> size() = 0;
  virtual result<void> truncate(std::uint64_t size) = 0;

 protected:
  file() = default;
  file(const file&) = default;
  file& operator=(const file&) = default;
};

enum class open_mode {
  read,    ///< Must exist.
  write,   ///< Must exist; contents stay.
  create,  ///< Must not exist.
};

/// Held: nobody else has the folder. Ends with the object, or with the process however it ends.
class folder_lock {
 public:
  virtual ~folder_lock() = default;

 protected:
  folder_lock() = default;
  folder_lock(const folder_lock&) = default;
  folder_lock& operator=(const folder_lock&) = default;
};

/// What storage does with the disk, so that tests can do it with memory, and cut the power at any point.
///
/// That a name exists, changed or went is on the disk only after `sync_directory`; the contents only after `file::sync`.
class file_system {
 public:
  virtual ~file_system() = default;

  virtual result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) = 0;
  /// Replaces `to` where it exists.
  virtual result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual result<void> remove(const std::string& path) = 0;
  /// With its parents; nothing where it exists.
  virtual result<void> make_directory(const std::string& path) = 0;
  virtual result<void> sync_directory(const std::string& path) = 0;
  /// Names of the files in a directory, sorted.
  virtual result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// Takes the file at `path`, which is made where it is not there, as the lock of its folder. Does not wait.
  /// @par Errors  io_error: somebody has it.
  virtual result<std::unique_ptr<folder_lock>> lock(const std::string& path) = 0;

 protected:
  file_system() = default;
  file_system(const file_system&) = default;
  file_system& operator=(const file_system&) = default;
};

/// The real one.
[[nodiscard]] std::unique_ptr<file_system> make_posix_file_system();

}  // namespace zkr::backend
