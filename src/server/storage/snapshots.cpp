#include "server/storage/snapshots.hpp"

#include <fmt/format.h>

#include "server/storage/recovery.hpp"
#include "server/storage/snapshot.hpp"

namespace zkr::backend {

result<void> save_snapshot(const data_folder& to, const database& state) {
  const auto made = to.make(to.snapshots(), to.snapshot_path(state.last_zxid()),
                            [&](file& fresh) { return write_snapshot(fresh, state); });
  if (!made) return made.error();
  return {};
}

result<void> snapshot_from_files(const data_folder& in, std::int64_t zxid) {
  database copy;
  load_options options;
  options.up_to = zxid;
  const auto loaded = load(in, copy, options);
  if (!loaded) return loaded.error();
  if (copy.last_zxid() != zxid) {
    return error(errc::io_error, "snapshot", in.snapshots(),
                 fmt::format("the logs end at transaction {:#x}, not {:#x}", copy.last_zxid(), zxid));
  }
  return save_snapshot(in, copy);
}

namespace {

// The oldest snapshot that is kept; none where there are not more.
result<std::int64_t> oldest_kept(const data_folder& in, const std::vector<data_file>& snapshots, std::size_t keep) {
  for (auto one = snapshots.rbegin(); one != snapshots.rend(); ++one) {
    const auto opened = in.files().open(one->path, open_mode::read);
    if (!opened) return opened.error();
    const auto complete = looks_complete(**opened, one->path);
    if (!complete) return complete.error();
    if (*complete && --keep == 0) return one->zxid;
  }
  return std::int64_t{-1};
}

}  // namespace

result<void> remove_old_files(const data_folder& in, std::size_t keep) {
  const auto snapshots = in.list_snapshots();
  if (!snapshots) return snapshots.error();
  const auto logs = in.list_logs();
  if (!logs) return logs.error();
  const auto oldest = oldest_kept(in, *snapshots, keep);
  if (!oldest) return oldest.error();

  bool removed = false;
  for (const data_file& one : *snapshots) {
    if (one.zxid >= *oldest) break;
    if (auto failed = in.files().remove(one.path); !failed) return failed;
    removed = true;
  }
  // The log before the snapshot stays: Apache opens it, and it may hold what comes after the snapshot.
  for (std::size_t i = 0; i + 1 < logs->size() && (*logs)[i + 1].zxid <= *oldest; ++i) {
    if (auto failed = in.files().remove((*logs)[i].path); !failed) return failed;
    removed = true;
  }
  if (!removed) return {};
  if (auto failed = in.files().sync_directory(in.snapshots()); !failed) return failed;
  return in.files().sync_directory(in.logs());
}

}  // namespace zkr::backend
