#pragma once

#include <functional>
#include <map>
#include <set>

#include "server/file.hpp"

namespace zkr::backend {

/// A disk in memory that forgets on demand. It keeps what was written beside what was synced, contents and names apart:
/// `lose_power` leaves what a real disk may be left with in the worst case, only what was synced.
class memory_file_system final : public file_system {
 public:
  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override;
  result<void> rename(const std::string& from, const std::string& to) override;
  result<void> remove(const std::string& path) override;
  result<void> make_directory(const std::string& path) override;
  result<void> sync_directory(const std::string& path) override;
  result<std::vector<std::string>> list(const std::string& directory) override;
  result<std::unique_ptr<folder_lock>> lock(const std::string& path) override;

  /// Drops everything that was not synced. Files that are open stay usable, as those of a process that died do not.
  /// Locks are gone.
  void lose_power();
  /// A number below its argument.
  using chance = std::function<std::size_t(std::size_t)>;
  /// The same, but some of what was not synced has come to the disk by itself: of each name's change all or nothing, of
  /// what was appended to a file a part, then zeros for a part of the rest.
  void lose_power(const chance& pick);
  enum class failing {
    for_good,  ///< All calls after it fail too.
    once,      ///< Those after it succeed, as on a disk that was full; a write that fails has written a half.
  };
  /// Makes the `count`-th call from now fail, of this object or of its files.
  void fail_after(std::size_t count, failing how = failing::for_good) noexcept {
    calls_left_ = count;
    how_ = how;
    has_failed_ = false;
  }
  [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }

 private:
  struct contents {
    std::string now;
    std::string synced;
  };
  using names = std::map<std::string, std::shared_ptr<contents>>;
  class memory_file;
  class memory_lock;

  [[nodiscard]] result<void> spend(std::string_view operation, const std::string& path);

  names names_;
  names synced_names_;
  std::set<std::string> directories_;
  std::shared_ptr<std::set<std::string>> locks_ = std::make_shared<std::set<std::string>>();
  static constexpr auto never = static_cast<std::size_t>(-1);
  std::size_t calls_left_ = never;
  failing how_ = failing::for_good;
  bool has_failed_ = false;
};

}  // namespace zkr::backend
