#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "server/database.hpp"
#include "server/storage/data_folder.hpp"

namespace zkr::backend {

/// What was found in a folder, and done to it.
struct recovered {
  bool fresh = false;    ///< There was nothing.
  std::string snapshot;  ///< The file that was loaded.
  std::int64_t snapshot_zxid = 0;
  std::uint64_t transactions = 0;  ///< From logs, on top of the snapshot.
  std::vector<std::string> notes;  ///< What an operator should know: snapshots skipped, ends cut off.
};

struct load_options {
  /// Logs that begin later are not looked at.
  std::int64_t up_to = std::numeric_limits<std::int64_t>::max();
  enum class ends {
    keep,     ///< Refused where they are not clean.
    repair,   ///< Cut off where they are not clean.
    foresee,  ///< Loaded as with `repair`, but no file is changed.
  };
  ends at_ends = ends::keep;
};

/// Loads the newest snapshot that can be read, and applies what the logs hold beyond it. `into` must be new.
///
/// The last log may end in the middle of an entry: nobody was told of that one. With `ends::repair` it is cut off, so
/// that Apache can read the folder too. What else does not fit is refused: an entry that is damaged while others follow,
/// transactions that are missing, no snapshot beside logs.
///
/// @par Errors  io_error: names the file and the place.
result<recovered> load(const data_folder& from, database& into, load_options options = {});

}  // namespace zkr::backend
