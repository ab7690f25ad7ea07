#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "server/storage/inspection.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/snapshots.hpp"
#include "server/storage_workload.hpp"

// A folder is explained as a start would find it, file by file, and stays as it is.
namespace zkr::testing {
namespace {

using namespace backend;
using ::testing::HasSubstr;
using condition = file_report::condition;

class inspection : public ::testing::Test {
 protected:
  inspection() {
    std::mt19937 numbers(7);
    history = random_history(60, [&](std::size_t bound) { return numbers() % bound; });
    save_snapshot(disk.folder, database()).value();
    write_log(0, 20);
    write_log(20, 40);
    snapshot_from_files(disk.folder, 20).value();
  }

  std::vector<std::string> part(std::size_t from, std::size_t to) const {
    return {history.begin() + static_cast<std::ptrdiff_t>(from), history.begin() + static_cast<std::ptrdiff_t>(to)};
  }
  void write_log(std::size_t from, std::size_t to) {
    disk.write(log(from), std::string(log_header()) + entries_of(part(from, to)));
  }
  std::string log(std::size_t from) const { return disk.folder.log_path(static_cast<std::int64_t>(from) + 1); }
  void flip(const std::string& path, std::size_t at) {
    std::string bytes = disk.read(path);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    disk.write(path, bytes);
  }
  std::vector<std::string> files() {
    std::vector<std::string> found = disk.files.list("/d/version-2").value();
    for (std::string& name : found) name += ": " + disk.read("/d/version-2/" + name);
    return found;
  }
  /// Looks, and checks that nothing was written.
  folder_report look() {
    const auto before = files();
    folder_report report = inspect(disk.folder).value();
    EXPECT_EQ(before, files());
    return report;
  }

  disk_in_memory disk;
  std::vector<std::string> history;
};

TEST_F(inspection, of_a_sound_folder) {
  const folder_report report = look();
  EXPECT_TRUE(report.is_sound());
  ASSERT_EQ(report.snapshots.size(), 2U);
  EXPECT_EQ(report.snapshots[0].nodes, 4U);
  EXPECT_EQ(report.snapshots[1].file.zxid, 20);
  EXPECT_EQ(report.snapshots[1].nodes, replayed(part(0, 20)).nodes().size());
  EXPECT_EQ(report.snapshots[1].sessions, replayed(part(0, 20)).sessions().size());
  ASSERT_EQ(report.logs.size(), 2U);
  EXPECT_EQ(report.logs[1].first_zxid, 21);
  EXPECT_EQ(report.logs[1].last_zxid, 40);
  EXPECT_EQ(report.logs[1].transactions, 20U);
  EXPECT_EQ(report.logs[1].bytes, disk.read(log(20)).size());
  EXPECT_EQ(report.start->snapshot, disk.folder.snapshot_path(20));
  EXPECT_EQ(report.start->transactions, 20U);
  EXPECT_EQ(fingerprint(report.state), fingerprint(replayed(part(0, 40))));
}

TEST_F(inspection, of_an_empty_folder) {
  disk_in_memory empty;
  const folder_report report = inspect(empty.folder).value();
  EXPECT_TRUE(report.is_sound());
  EXPECT_TRUE(report.start->fresh);
}

TEST_F(inspection, of_no_folder) {
  const auto nowhere = data_folder::at(disk.files, "/nowhere", "");
  EXPECT_EQ(inspect(nowhere).error().code(), errc::io_error);
  EXPECT_FALSE(disk.files.list("/nowhere/version-2"));
}

TEST_F(inspection, of_a_torn_end) {
  const std::string whole = disk.read(log(20));
  disk.write(log(20), whole.substr(0, whole.size() - 5));
  disk.write(log(40), "ZKLG");
  const folder_report report = look();
  EXPECT_TRUE(report.is_sound());
  EXPECT_EQ(report.logs[0].state, condition::sound);
  EXPECT_EQ(report.logs[1].state, condition::torn);
  EXPECT_EQ(report.logs[2].state, condition::torn);
  EXPECT_EQ(report.start->notes.size(), 2U);
  EXPECT_EQ(fingerprint(report.state), fingerprint(replayed(part(0, 39))));
  load_options repair;
  repair.at_ends = load_options::ends::repair;
  database started;
  EXPECT_EQ(load(disk.folder, started, repair)->notes, report.start->notes);
}

TEST_F(inspection, of_a_damaged_log) {
  flip(log(20), log_header_bytes + entry_head_bytes);
  const folder_report report = look();
  EXPECT_FALSE(report.is_sound());
  EXPECT_EQ(report.logs[1].state, condition::damaged);
  EXPECT_THAT(report.logs[1].problem, HasSubstr("at byte 16"));
  EXPECT_THAT(report.start.error().message(), HasSubstr("at byte 16"));
}

// The start succeeds, and yet an operator wants to know.
TEST_F(inspection, of_a_damaged_snapshot_beside_a_good_one) {
  flip(disk.folder.snapshot_path(20), 100);
  const folder_report report = look();
  EXPECT_FALSE(report.is_sound());
  EXPECT_EQ(report.snapshots[1].state, condition::damaged);
  EXPECT_THAT(report.snapshots[1].problem, HasSubstr("at byte"));
  EXPECT_EQ(report.start->snapshot, disk.folder.snapshot_path(0));
  EXPECT_EQ(report.start->transactions, 40U);
}

TEST_F(inspection, visits_transactions_up_to_the_damage) {
  flip(log(20), disk.read(log(20)).size() / 2);
  std::vector<std::int64_t> seen;
  const auto logs = visit_log(disk.folder, [&](const transaction& what) { seen.push_back(what.header.zxid); }).value();
  ASSERT_GT(seen.size(), 20U);
  EXPECT_LT(seen.size(), 40U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<std::int64_t>(i) + 1);
  EXPECT_EQ(logs[0].state, condition::sound);
  EXPECT_EQ(logs[1].state, condition::damaged);
}

}  // namespace
}  // namespace zkr::testing
