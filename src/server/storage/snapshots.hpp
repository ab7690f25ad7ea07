#pragma once

#include <cstddef>
#include <cstdint>

#include "server/database.hpp"
#include "server/storage/data_folder.hpp"

namespace zkr::backend {

/// Writes a snapshot of this state; it is on the disk, under its name, when this returns.
result<void> save_snapshot(const data_folder& to, const database& state);

/// Makes a snapshot as of `zxid` out of the files: of the snapshot before it and the logs since, which must be complete.
/// The state is a copy of its own, so the service goes on meanwhile, and the snapshot is exact; that it can be made shows
/// that what it is made of can be read.
result<void> snapshot_from_files(const data_folder& in, std::int64_t zxid);

/// Removes snapshots but for the newest `keep`, and the logs that none of those needs.
/// @param keep  > 0. Snapshots that are not complete do not count.
result<void> remove_old_files(const data_folder& in, std::size_t keep);

}  // namespace zkr::backend
