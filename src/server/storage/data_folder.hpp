#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/file.hpp"

namespace zkr::backend {

/// A file of a data folder, by name.
struct data_file {
  std::int64_t zxid = 0;  ///< A log's first, a snapshot's last.
  std::string path;
};

/// Where a server's data stands: the folders "version-2" below the two that were named, which may be the same.
class data_folder {
 public:
  /// Makes the folders where they are not there.
  /// @param log_dir  empty: the same as `data_dir`.
  static result<data_folder> open(file_system& files, const std::string& data_dir, const std::string& log_dir);
  /// The same, of folders that are there or not: nothing is made.
  static data_folder at(file_system& files, const std::string& data_dir, const std::string& log_dir);

  [[nodiscard]] file_system& files() const noexcept { return *files_; }
  [[nodiscard]] const std::string& snapshots() const noexcept { return snapshots_; }
  [[nodiscard]] const std::string& logs() const noexcept { return logs_; }
  [[nodiscard]] std::string snapshot_path(std::int64_t zxid) const;
  [[nodiscard]] std::string log_path(std::int64_t zxid) const;
  /// Of the file that a server locks, of ours at least.
  [[nodiscard]] std::string lock_path() const;

  /// By zxid, the smallest first. Files whose names say no zxid are not ours to look at.
  /// @par Errors  io_error: a kind of file stands in the other kind's folder.
  result<std::vector<data_file>> list_snapshots() const;
  result<std::vector<data_file>> list_logs() const;

  /// Keeps other servers out, of ours at least: Apache's take no lock.
  result<std::vector<std::unique_ptr<folder_lock>>> lock() const;
  /// Removes what a server that ended in the middle of a snapshot or a new log left.
  result<void> remove_leftovers() const;

  /// Makes a file that is there completely or not at all: `fill` writes into another name, which is renamed once it is on
  /// the disk. What had the name is gone.
  template <typename Fill>
  result<std::unique_ptr<file>> make(const std::string& directory, const std::string& path, Fill fill) const {
    auto made = begin(path);
    if (!made) return made;
    if (auto failed = fill(**made); !failed) return std::move(failed).error();
    if (auto failed = publish(directory, path, **made); !failed) return std::move(failed).error();
    return made;
  }

 private:
  data_folder(file_system& files, std::string snapshots, std::string logs)
      : files_(&files), snapshots_(std::move(snapshots)), logs_(std::move(logs)) {}
  result<std::unique_ptr<file>> begin(const std::string& path) const;
  result<void> publish(const std::string& directory, const std::string& path, file& made) const;
  result<std::vector<data_file>> list(const std::string& directory, std::string_view kind) const;

  file_system* files_;
  std::string snapshots_;
  std::string logs_;
};

}  // namespace zkr::backend
