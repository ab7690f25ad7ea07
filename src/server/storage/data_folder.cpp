#include "server/storage/data_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace zkr::backend {

namespace {

// Not "log." and "snapshot." in front: Apache would take such a file for a log or a snapshot.
constexpr std::string_view temporary_prefix = "zkrecipes-new.";
constexpr std::string_view lock_name = "zkrecipes-lock";

std::string name_of(std::string_view kind, std::int64_t zxid) {
  return fmt::format("{}.{:x}", kind, static_cast<std::uint64_t>(zxid));
}

// "log.1f", "snapshot.1f.gz": what stands behind the number does not matter, as it does not for Apache.
std::optional<std::int64_t> zxid_in(std::string_view name, std::string_view kind) {
  if (name.substr(0, kind.size()) != kind || name.substr(kind.size(), 1) != ".") return std::nullopt;
  std::string_view digits = name.substr(kind.size() + 1);
  digits = digits.substr(0, digits.find('.'));
  std::int64_t zxid = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), zxid, 16);
  if (failed != std::errc() || end != digits.data() + digits.size() || digits.empty() || zxid < 0) return std::nullopt;
  return zxid;
}

std::string temporary(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  return path.substr(0, name) + std::string(temporary_prefix) + path.substr(name);
}

}  // namespace

data_folder data_folder::at(file_system& files, const std::string& data_dir, const std::string& log_dir) {
  return {files, data_dir + "/version-2", (log_dir.empty() ? data_dir : log_dir) + "/version-2"};
}

result<data_folder> data_folder::open(file_system& files, const std::string& data_dir, const std::string& log_dir) {
  data_folder folder = at(files, data_dir, log_dir);
  for (const std::string& one : {folder.snapshots_, folder.logs_}) {
    if (auto failed = files.make_directory(one); !failed) return std::move(failed).error();
  }
  return folder;
}

std::string data_folder::snapshot_path(std::int64_t zxid) const { return snapshots_ + "/" + name_of("snapshot", zxid); }
std::string data_folder::log_path(std::int64_t zxid) const { return logs_ + "/" + name_of("log", zxid); }

std::string data_folder::lock_path() const { return snapshots_ + "/" + std::string(lock_name); }

result<std::vector<data_file>> data_folder::list(const std::string& directory, std::string_view kind) const {
  const auto names = files_->list(directory);
  if (!names) return names.error();
  const std::string_view other = kind == "log" ? "snapshot" : "log";
  std::vector<data_file> found;
  for (const std::string& name : *names) {
    const auto path = fmt::format("{}/{}", directory, name);
    if (const auto zxid = zxid_in(name, kind)) found.push_back({*zxid, path});
    if (snapshots_ != logs_ && zxid_in(name, other)) {
      return error(errc::io_error, "open", path,
                   fmt::format("a {} does not belong into the folder for the {}s; are the two folders interchanged?",
                               other, kind));
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const data_file& a, const data_file& b) { return a.zxid < b.zxid; });
  return found;
}

result<std::vector<data_file>> data_folder::list_snapshots() const { return list(snapshots_, "snapshot"); }
result<std::vector<data_file>> data_folder::list_logs() const { return list(logs_, "log"); }

result<std::vector<std::unique_ptr<folder_lock>>> data_folder::lock() const {
  std::vector<std::unique_ptr<folder_lock>> locks;
  for (const std::string* one : {&snapshots_, &logs_}) {
    if (!locks.empty() && snapshots_ == logs_) break;
    auto taken = files_->lock(*one + "/" + std::string(lock_name));
    if (!taken) return std::move(taken).error();
    locks.push_back(*std::move(taken));
  }
  return locks;
}

result<void> data_folder::remove_leftovers() const {
  for (const std::string* directory : {&snapshots_, &logs_}) {
    const auto names = files_->list(*directory);
    if (!names) return names.error();
    for (const std::string& name : *names) {
      if (name.substr(0, temporary_prefix.size()) != temporary_prefix) continue;
      if (auto failed = files_->remove(*directory + "/" + name); !failed) return failed;
    }
    if (snapshots_ == logs_) break;
  }
  return {};
}

result<std::unique_ptr<file>> data_folder::begin(const std::string& path) const {
  return files_->open(temporary(path), open_mode::create);
}

result<void> data_folder::publish(const std::string& directory, const std::string& path, file& made) const {
  if (auto failed = made.sync(); !failed) return failed;
  if (auto failed = files_->rename(temporary(path), path); !failed) return failed;
  return files_->sync_directory(directory);
}

}  // namespace zkr::backend
