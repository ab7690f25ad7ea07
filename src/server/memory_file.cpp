#include "server/memory_file.hpp"

#include <algorithm>

namespace zkr::backend {

namespace {

error failure(std::string_view operation, const std::string& path, const char* why) {
  return error(errc::io_error, operation, path, why);
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

class memory_file_system::memory_file final : public file {
 public:
  memory_file(memory_file_system& disk, std::shared_ptr<contents> of, std::string path)
      : disk_(disk), contents_(std::move(of)), path_(std::move(path)) {}

  result<void> write(std::uint64_t offset, std::string_view bytes) override {
    auto may = disk_.spend("write", path_);
    if (!may && disk_.how_ == failing::for_good) return may;
    if (!may) bytes = bytes.substr(0, bytes.size() / 2);
    std::string& now = contents_->now;
    if (now.size() < offset + bytes.size()) now.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), now.begin() + static_cast<std::ptrdiff_t>(offset));
    return may;
  }
  result<void> sync() override {
    if (auto failed = disk_.spend("sync", path_); !failed) return failed;
    contents_->synced = contents_->now;
    return {};
  }
  result<std::string> read(std::uint64_t offset, std::size_t size) override {
    if (auto failed = disk_.spend("read", path_); !failed) return std::move(failed).error();
    if (offset >= contents_->now.size()) return std::string();
    return contents_->now.substr(offset, size);
  }
  result<std::uint64_t> size() override {
    if (auto failed = disk_.spend("size", path_); !failed) return std::move(failed).error();
    return std::uint64_t{contents_->now.size()};
  }
  result<void> truncate(std::uint64_t size) override {
    if (auto failed = disk_.spend("truncate", path_); !failed) return failed;
    contents_->now.resize(size);
    return {};
  }

 private:
  memory_file_system& disk_;
  std::shared_ptr<contents> contents_;
  std::string path_;
};

result<void> memory_file_system::spend(std::string_view operation, const std::string& path) {
  if (calls_left_ == 0) {
    has_failed_ = true;
    if (how_ == failing::once) calls_left_ = never;
    return failure(operation, path, "the disk has failed");
  }
  if (calls_left_ != never) --calls_left_;
  return {};
}

result<std::unique_ptr<file>> memory_file_system::open(const std::string& path, open_mode mode) {
  if (auto failed = spend("open", path); !failed) return std::move(failed).error();
  auto found = names_.find(path);
  if (mode == open_mode::create) {
    if (found != names_.end()) return failure("open", path, "the file exists");
    if (directories_.count(directory_of(path)) == 0) return failure("open", path, "no such directory");
    found = names_.emplace(path, std::make_shared<contents>()).first;
  } else if (found == names_.end()) {
    return failure("open", path, "no such file");
  }
  return std::unique_ptr<file>(std::make_unique<memory_file>(*this, found->second, path));
}

result<void> memory_file_system::rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return failure("rename", from, "no such file");
  if (auto failed = spend("rename", from); !failed) return failed;
  names_[to] = found->second;
  names_.erase(from);
  return {};
}

result<void> memory_file_system::remove(const std::string& path) {
  if (names_.count(path) == 0) return failure("remove", path, "no such file");
  if (auto failed = spend("remove", path); !failed) return failed;
  names_.erase(path);
  return {};
}

result<void> memory_file_system::make_directory(const std::string& path) {
  if (auto failed = spend("make directory", path); !failed) return failed;
  directories_.insert(path);
  return {};
}

result<void> memory_file_system::sync_directory(const std::string& path) {
  if (directories_.count(path) == 0) return failure("sync directory", path, "no such directory");
  if (auto failed = spend("sync directory", path); !failed) return failed;
  const auto inside = [&](const auto& entry) { return directory_of(entry.first) == path; };
  for (auto entry = synced_names_.begin(); entry != synced_names_.end();) {
    entry = inside(*entry) ? synced_names_.erase(entry) : std::next(entry);
  }
  std::copy_if(names_.begin(), names_.end(), std::inserter(synced_names_, synced_names_.end()), inside);
  return {};
}

result<std::vector<std::string>> memory_file_system::list(const std::string& directory) {
  if (directories_.count(directory) == 0) return failure("list", directory, "no such directory");
  if (auto failed = spend("list", directory); !failed) return std::move(failed).error();
  std::vector<std::string> found;
  for (const auto& [path, of] : names_) {
    if (directory_of(path) == directory) found.push_back(path.substr(directory.size() + 1));
  }
  return found;
}

class memory_file_system::memory_lock final : public folder_lock {
 public:
  memory_lock(std::shared_ptr<std::set<std::string>> among, std::string path)
      : among_(std::move(among)), path_(std::move(path)) {}
  memory_lock(const memory_lock&) = delete;
  memory_lock& operator=(const memory_lock&) = delete;
  ~memory_lock() override { among_->erase(path_); }

 private:
  std::shared_ptr<std::set<std::string>> among_;
  std::string path_;
};

result<std::unique_ptr<folder_lock>> memory_file_system::lock(const std::string& path) {
  if (auto failed = spend("lock", path); !failed) return std::move(failed).error();
  if (!locks_->insert(path).second) return failure("lock", path, "another server uses this folder");
  return std::unique_ptr<folder_lock>(std::make_unique<memory_lock>(locks_, path));
}

void memory_file_system::lose_power() {
  names_ = synced_names_;
  for (auto& [path, of] : names_) of->now = of->synced;
  locks_ = std::make_shared<std::set<std::string>>();
  calls_left_ = never;
}

void memory_file_system::lose_power(const chance& pick) {
  for (const auto& [path, of] : names_) {
    if (pick(2) == 1) synced_names_[path] = of;
  }
  for (auto entry = synced_names_.begin(); entry != synced_names_.end();) {
    const bool goes = names_.count(entry->first) == 0 && pick(2) == 1;
    entry = goes ? synced_names_.erase(entry) : std::next(entry);
  }
  for (auto& [path, of] : synced_names_) {
    const std::string& now = of->now;
    std::string& kept = of->synced;
    if (now.size() <= kept.size() || now.compare(0, kept.size(), kept) != 0) continue;
    const std::size_t unsynced = now.size() - kept.size();
    const std::size_t arrived = pick(unsynced + 1);
    kept.append(now, kept.size(), arrived);
    if (pick(2) == 1) kept.append(pick(unsynced - arrived + 1), '\0');
  }
  lose_power();
}

}  // namespace zkr::backend
