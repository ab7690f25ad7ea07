#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "server/file.hpp"

namespace zkr::backend {

namespace {

error failure(std::string_view operation, const std::string& path, std::error_code why) {
  return error(errc::io_error, operation, path, why.message());
}
error failure(std::string_view operation, const std::string& path) {
  return failure(operation, path, std::error_code(errno, std::generic_category()));
}

/// Owns a descriptor.
class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

class posix_file final : public file {
 public:
  posix_file(descriptor open, std::string path) : open_(std::move(open)), path_(std::move(path)) {}

  result<void> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(open_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failure("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return {};
  }

  // Not repeated on any error: the kernel may have dropped the pages that it could not write.
  result<void> sync() override {
    if (::fdatasync(open_.number()) != 0) return failure("sync", path_);
    return {};
  }

  result<std::string> read(std::uint64_t offset, std::size_t size) override {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t more = ::pread(open_.number(), bytes.data() + got, size - got, static_cast<off_t>(offset + got));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) return failure("read", path_);
      if (more == 0) break;
      got += static_cast<std::size_t>(more);
    }
    bytes.resize(got);
    return bytes;
  }

  result<std::uint64_t> size() override {
    struct ::stat status {};
    if (::fstat(open_.number(), &status) != 0) return failure("stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(open_.number(), static_cast<off_t>(size)) != 0) return failure("truncate", path_);
    return {};
  }

 private:
  descriptor open_;
  std::string path_;
};

class posix_lock final : public folder_lock {
 public:
  explicit posix_lock(descriptor held) : held_(std::move(held)) {}

 private:
  descriptor held_;
};

int flags_of(open_mode mode) noexcept {
  switch (mode) {
    case open_mode::read: return O_RDONLY | O_CLOEXEC;
    case open_mode::write: return O_RDWR | O_CLOEXEC;
    case open_mode::create: return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  }
  return O_RDONLY;
}

class posix_file_system final : public file_system {
 public:
  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override {
    descriptor opened(::open(path.c_str(), flags_of(mode), 0644));
    if (!opened) return failure("open", path);
    return std::unique_ptr<file>(std::make_unique<posix_file>(std::move(opened), path));
  }

  result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failure("rename", from);
    return {};
  }

  result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failure("remove", path);
    return {};
  }

  result<void> make_directory(const std::string& path) override {
    std::error_code failed;
    std::filesystem::create_directories(path, failed);
    if (failed) return failure("make directory", path, failed);
    return {};
  }

  result<void> sync_directory(const std::string& path) override {
    const descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::fsync(opened.number()) != 0) return failure("sync directory", path);
    return {};
  }

  result<std::vector<std::string>> list(const std::string& directory) override {
    std::error_code failed;
    std::vector<std::string> names;
    std::filesystem::directory_iterator at(directory, failed);
    for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
      if (at->is_regular_file(failed)) names.push_back(at->path().filename().string());
    }
    if (failed) return failure("list", directory, failed);
    std::sort(names.begin(), names.end());
    return names;
  }

  result<std::unique_ptr<folder_lock>> lock(const std::string& path) override {
    descriptor held(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!held) return failure("open", path);
    if (::flock(held.number(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return failure("lock", path);
      return error(errc::io_error, "lock", path, "another server uses this folder");
    }
    return std::unique_ptr<folder_lock>(std::make_unique<posix_lock>(std::move(held)));
  }
};

}  // namespace

std::unique_ptr<file_system> make_posix_file_system() { return std::make_unique<posix_file_system>(); }

}  // namespace zkr::backend
