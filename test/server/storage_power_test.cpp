#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "server/storage/log_writer.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage/snapshots.hpp"
#include "server/storage_workload.hpp"

// The power goes after every operation on the disk, again and again: nothing that was written durably is lost, and what
// is found is what there was at some moment.
namespace zkr::testing {
namespace {

using namespace backend;

class power : public ::testing::TestWithParam<unsigned> {
 protected:
  // A server's life: starts, writes in batches, makes a snapshot and removes old files now and then.
  // @return how many transactions are durable.
  std::size_t run(disk_in_memory& disk, std::size_t durable) {
    database state;
    if (!disk.folder.remove_leftovers()) return durable;
    load_options options;
    options.at_ends = load_options::ends::repair;
    const auto loaded = load(disk.folder, state, options);
    if (!loaded) {
      // The disk may have failed; what it holds must be good.
      refusal = loaded.error().message();
      return durable;
    }
    refusal.clear();
    if (loaded->fresh && !save_snapshot(disk.folder, state)) return durable;
    auto at = static_cast<std::size_t>(state.last_zxid());
    log_writer log(disk.folder);
    for (std::size_t batches = 0; at < history.size(); ++batches) {
      const std::size_t end = std::min(history.size(), at + 1 + numbers() % 4);
      const std::vector<std::string> batch(history.begin() + static_cast<std::ptrdiff_t>(at),
                                           history.begin() + static_cast<std::ptrdiff_t>(end));
      if (!log.append(entries_of(batch), static_cast<std::int64_t>(at) + 1)) return durable;
      at = durable = end;
      if (batches % 3 != 2) continue;
      log.roll();
      if (!snapshot_from_files(disk.folder, static_cast<std::int64_t>(at))) return durable;
      if (!remove_old_files(disk.folder, 2)) return durable;
    }
    over = true;
    return durable;
  }

  void expect_all(disk_in_memory& disk, std::size_t durable) {
    database state;
    load_options options;
    options.at_ends = load_options::ends::repair;
    const auto loaded = load(disk.folder, state, options);
    ASSERT_TRUE(loaded) << loaded.error().message();
    const auto found = static_cast<std::size_t>(state.last_zxid());
    ASSERT_GE(found, durable);
    ASSERT_LE(found, history.size());
    const std::vector<std::string> part(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(found));
    ASSERT_EQ(fingerprint(state), fingerprint(replayed(part)));
  }

  void lose_power(disk_in_memory& disk) {
    if (numbers() % 3 == 0) {
      disk.files.lose_power();
    } else {
      disk.files.lose_power([this](std::size_t bound) { return numbers() % bound; });
    }
  }

  std::mt19937 numbers{GetParam()};
  std::vector<std::string> history = random_history(40, [this](std::size_t bound) { return numbers() % bound; });
  bool over = false;
  std::string refusal;
};

TEST_P(power, goes_after_every_operation) {
  for (std::size_t operations = 0; !over; ++operations) {
    disk_in_memory disk;
    disk.files.fail_after(operations);
    const std::size_t durable = run(disk, 0);
    lose_power(disk);
    ASSERT_NO_FATAL_FAILURE(expect_all(disk, durable)) << "after " << operations << " operations";
  }
}

// EIO, or ENOSPC in the middle of a write; the server ends, and is started again on the same machine.
TEST_P(power, stays_and_one_operation_fails) {
  for (std::size_t operations = 0; !over; ++operations) {
    disk_in_memory disk;
    disk.files.fail_after(operations, memory_file_system::failing::once);
    const std::size_t durable = run(disk, 0);
    ASSERT_NO_FATAL_FAILURE(expect_all(disk, durable)) << "after " << operations << " operations";
  }
}

TEST_P(power, goes_again_and_again) {
  disk_in_memory disk;
  std::size_t durable = 0;
  for (int lives = 0; lives < 200 && !over; ++lives) {
    disk.files.fail_after(numbers() % 50);
    durable = run(disk, durable);
    lose_power(disk);
    ASSERT_NO_FATAL_FAILURE(expect_all(disk, durable)) << "in life " << lives << "; before: " << refusal;
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, power, ::testing::Range(1U, 31U));

}  // namespace
}  // namespace zkr::testing
