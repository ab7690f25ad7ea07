#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <random>

#include "server/storage/record_codec.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage/store.hpp"
#include "server/storage_workload.hpp"
#include "support/eventually.hpp"

// A store, threads and all, on a disk of which one call fails, each in turn: it ends once, and keeps what it called durable.
namespace zkr::testing {
namespace {

using namespace backend;

/// A disk in memory that several threads use, and that outlives the store.
class shared_disk {
 public:
  disk_in_memory disk;
  std::mutex mutex;
};

class shared_file final : public file {
 public:
  shared_file(shared_disk& on, std::unique_ptr<file> of) : on_(on), of_(std::move(of)) {}
  result<void> write(std::uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(on_.mutex);
    return of_->write(offset, bytes);
  }
  result<void> sync() override {
    const std::lock_guard lock(on_.mutex);
    return of_->sync();
  }
  result<std::string> read(std::uint64_t offset, std::size_t size) override {
    const std::lock_guard lock(on_.mutex);
    return of_->read(offset, size);
  }
  result<std::uint64_t> size() override {
    const std::lock_guard lock(on_.mutex);
    return of_->size();
  }
  result<void> truncate(std::uint64_t size) override {
    const std::lock_guard lock(on_.mutex);
    return of_->truncate(size);
  }

 private:
  shared_disk& on_;
  std::unique_ptr<file> of_;
};

class shared_files final : public file_system {
 public:
  explicit shared_files(shared_disk& on) : on_(on) {}
  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override {
    const std::lock_guard lock(on_.mutex);
    auto opened = files().open(path, mode);
    if (!opened) return opened;
    return std::unique_ptr<file>(std::make_unique<shared_file>(on_, *std::move(opened)));
  }
  result<void> rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(on_.mutex);
    return files().rename(from, to);
  }
  result<void> remove(const std::string& path) override {
    const std::lock_guard lock(on_.mutex);
    return files().remove(path);
  }
  result<void> make_directory(const std::string& path) override {
    const std::lock_guard lock(on_.mutex);
    return files().make_directory(path);
  }
  result<void> sync_directory(const std::string& path) override {
    const std::lock_guard lock(on_.mutex);
    return files().sync_directory(path);
  }
  result<std::vector<std::string>> list(const std::string& directory) override {
    const std::lock_guard lock(on_.mutex);
    return files().list(directory);
  }
  result<std::unique_ptr<folder_lock>> lock(const std::string& path) override {
    const std::lock_guard lock(on_.mutex);
    return files().lock(path);
  }

 private:
  memory_file_system& files() { return on_.disk.files; }
  shared_disk& on_;
};

using failing = memory_file_system::failing;

class store_faults : public ::testing::TestWithParam<failing> {
 protected:
  store_faults() {
    std::mt19937 numbers(7);
    history = random_history(40, [&](std::size_t bound) { return numbers() % bound; });
    for (const std::string& one : history) transactions.push_back(decode_payload(one)->what);
  }

  /// @return what was called durable.
  std::size_t live(shared_disk& on) {
    database state;
    auto opened = store::open(std::make_unique<shared_files>(on), {"/d", "", 8, 2}, state);
    if (!opened) {
      EXPECT_EQ(opened.error().code(), errc::io_error);
      return 0;
    }
    store& one = **opened;
    std::atomic<int> failures = 0;
    one.start([] {}, [&](const error&) { ++failures; });
    for (const transaction& what : transactions) {
      one.append(what);
      one.submit();
    }
    const auto last = static_cast<std::int64_t>(history.size());
    EXPECT_TRUE(eventually([&] { return failures > 0 || one.durable() == last; }));
    one.stop();
    EXPECT_LE(failures, 1);
    return static_cast<std::size_t>(one.durable());
  }

  std::vector<std::string> history;
  std::vector<transaction> transactions;
};

TEST_P(store_faults, lose_nothing_that_was_durable) {
  bool failed = true;
  for (std::size_t call = 0; failed; ++call) {
    for (const bool power_too : {false, true}) {
      shared_disk on;
      on.disk.files.fail_after(call, GetParam());
      const std::size_t durable = live(on);
      failed = on.disk.files.has_failed();
      on.disk.files.fail_after(static_cast<std::size_t>(-1));
      if (power_too) on.disk.files.lose_power();
      database state;
      load_options options;
      options.at_ends = load_options::ends::repair;
      const auto loaded = load(on.disk.folder, state, options);
      ASSERT_TRUE(loaded) << "call " << call << ": " << loaded.error().message();
      const auto found = static_cast<std::size_t>(state.last_zxid());
      ASSERT_GE(found, durable) << "call " << call;
      ASSERT_LE(found, history.size());
      const std::vector<std::string> part(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(found));
      ASSERT_EQ(fingerprint(state), fingerprint(replayed(part))) << "call " << call;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(kinds, store_faults, ::testing::Values(failing::for_good, failing::once),
                         [](const auto& one) { return one.param == failing::once ? "once" : "for_good"; });

}  // namespace
}  // namespace zkr::testing
