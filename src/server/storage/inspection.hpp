#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/storage/data_folder.hpp"
#include "server/storage/recovery.hpp"
#include "zkrecipes/unique_function.hpp"

// What a folder holds, without changing anything in it.
namespace zkr::backend {

struct file_report {
  enum class condition {
    sound,
    torn,  ///< A log that ends in the middle of an entry, as after a loss of power: a start reads over it.
    damaged,
  };
  data_file file;
  condition state = condition::sound;
  std::string problem;  ///< Where and what, unless sound.
  std::uint64_t bytes = 0;
  // Of a log:
  std::int64_t first_zxid = 0;  ///< 0: it holds none.
  std::int64_t last_zxid = 0;
  std::uint64_t transactions = 0;
  // Of a snapshot that can be read:
  std::size_t sessions = 0;
  std::size_t nodes = 0;
};

struct folder_report {
  std::vector<file_report> snapshots;
  std::vector<file_report> logs;
  /// What a start would find, and do; or why it would be refused.
  result<recovered> start = recovered();
  database state;  ///< What it would come to.

  /// No file is damaged, and a start would succeed.
  [[nodiscard]] bool is_sound() const;
};

/// Reads every file to its end. Where a server works on the folder, files come and go meanwhile: then it looks again.
/// @par Errors  io_error: the folder cannot be read.
result<folder_report> inspect(const data_folder& folder);

/// Calls `visit` for every transaction of the logs, in the order of the files, whatever snapshots there are. What is
/// visited is valid during the call only.
/// @return  the logs; those that are not sound were read up to the place that is named.
/// @par Errors  io_error: the folder cannot be read.
result<std::vector<file_report>> visit_log(const data_folder& folder, unique_function<void(const transaction&)> visit);

}  // namespace zkr::backend
