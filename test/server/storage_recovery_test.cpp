#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage/snapshot.hpp"
#include "server/storage/snapshots.hpp"
#include "server/storage_workload.hpp"
#include "wire/big_endian.hpp"

// What a folder holds comes back: all of it, or a refusal that names the file and the place.
namespace zkr::testing {
namespace {

using namespace backend;
using ::testing::HasSubstr;

using payloads = std::vector<std::string>;

class recovery : public ::testing::Test {
 protected:
  recovery() {
    std::mt19937 numbers(7);
    history = random_history(60, [&](std::size_t bound) { return numbers() % bound; });
    save_snapshot(disk.folder, database()).value();
  }

  payloads part(std::size_t from, std::size_t to) const {
    return {history.begin() + static_cast<std::ptrdiff_t>(from), history.begin() + static_cast<std::ptrdiff_t>(to)};
  }
  // The log of the transactions from + 1 to `to`, and its bytes.
  std::string write_log(std::size_t from, std::size_t to, const std::string& behind = "") {
    const std::string path = disk.folder.log_path(static_cast<std::int64_t>(from) + 1);
    disk.write(path, std::string(log_header()) + entries_of(part(from, to)) + behind);
    return path;
  }
  result<recovered> recover(load_options::ends ends = load_options::ends::repair) {
    state = database();
    load_options options;
    options.at_ends = ends;
    return load(disk.folder, state, options);
  }
  void expect_first(std::size_t count) { EXPECT_EQ(fingerprint(state), fingerprint(replayed(part(0, count)))); }
  void expect_refused(const std::string& file, const std::string& why) {
    const auto loaded = recover();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code(), errc::io_error);
    EXPECT_THAT(loaded.error().message(), HasSubstr(file));
    EXPECT_THAT(loaded.error().message(), HasSubstr(why));
  }

  disk_in_memory disk;
  payloads history;
  database state;
};

TEST_F(recovery, of_nothing) {
  disk_in_memory empty;
  EXPECT_TRUE(load(empty.folder, state).value().fresh);
}

TEST_F(recovery, of_a_snapshot_and_several_logs) {
  write_log(0, 20);
  write_log(20, 50, std::string(5000, '\0'));  // with room behind, as Apache leaves it
  write_log(50, history.size());
  const auto report = recover().value();
  expect_first(history.size());
  EXPECT_EQ(report.transactions, history.size());
  EXPECT_EQ(report.snapshot, "/d/version-2/snapshot.0");
  EXPECT_TRUE(report.notes.empty());
}

TEST_F(recovery, takes_the_newest_snapshot_that_can_be_read) {
  write_log(0, 20);
  write_log(20, 40);
  snapshot_from_files(disk.folder, 20).value();
  EXPECT_EQ(recover().value().transactions, 20U);
  expect_first(40);

  const std::string path = disk.folder.snapshot_path(20);
  const std::string whole = disk.read(path);
  for (const std::size_t kept : {std::size_t{0}, std::size_t{5}, whole.size() / 2, whole.size() - 1}) {
    disk.write(path, whole.substr(0, kept));
    const auto report = recover().value();
    EXPECT_EQ(report.transactions, 40U);
    ASSERT_EQ(report.notes.size(), 1U);
    EXPECT_THAT(report.notes[0], HasSubstr(path));
    expect_first(40);
  }
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
  disk.write(path, flipped);
  EXPECT_EQ(recover().value().transactions, 40U);
}

TEST_F(recovery, needs_a_snapshot) {
  write_log(0, 20);
  disk.files.remove(disk.folder.snapshot_path(0)).value();
  expect_refused("/d/version-2", "no snapshot");
  disk.write(disk.folder.snapshot_path(0), "");
  expect_refused("snapshot.0", "not complete");
}

TEST_F(recovery, of_a_log_that_was_cut_anywhere_in_its_last_entry) {
  const std::string before = std::string(log_header()) + entries_of(part(0, 19));
  const std::string all = std::string(log_header()) + entries_of(part(0, 20));
  const std::string path = disk.folder.log_path(1);
  for (std::size_t size = before.size(); size < all.size(); ++size) {
    for (const std::size_t zeros : {0, 100}) {
      disk.write(path, all.substr(0, size) + std::string(zeros, '\0'));
      const auto report = recover();
      ASSERT_TRUE(report) << size << " " << report.error().message();
      expect_first(19);
      // What is left is what Apache can read: the entries, or zeros behind them.
      EXPECT_EQ(disk.read(path).substr(0, before.size()), before);
      EXPECT_TRUE(recover().value().notes.empty());
      expect_first(19);
    }
  }
}

TEST_F(recovery, of_a_log_with_a_damaged_last_entry) {
  const std::string path = write_log(0, 20);
  const std::size_t last = (std::string(log_header()) + entries_of(part(0, 19))).size();
  const std::string whole = disk.read(path);
  for (std::size_t i = last; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x40);
    disk.write(path, flipped);
    const auto report = recover();
    ASSERT_TRUE(report) << i << " " << report.error().message();
    expect_first(19);
    ASSERT_EQ(report->notes.size(), 1U);
    EXPECT_THAT(report->notes[0], HasSubstr(path));
    EXPECT_EQ(disk.read(path).size(), last);
  }
}

TEST_F(recovery, refuses_a_damaged_entry_before_others) {
  const std::string path = write_log(0, 20);
  const std::string whole = disk.read(path);
  const std::size_t from = (std::string(log_header()) + entries_of(part(0, 10))).size();
  const std::size_t to = (std::string(log_header()) + entries_of(part(0, 11))).size();
  for (std::size_t i = from; i < to; ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x40);
    disk.write(path, flipped);
    expect_refused(path, "at byte " + std::to_string(from));
    EXPECT_EQ(disk.read(path), flipped) << "a refused file must stay as it is";
  }
  // A page that never came to the disk.
  std::string hole = whole;
  std::fill(hole.begin() + static_cast<std::ptrdiff_t>(from), hole.begin() + static_cast<std::ptrdiff_t>(to), '\0');
  disk.write(path, hole);
  expect_refused(path, "at byte " + std::to_string(from));
}

// Each sixteenth byte begins what could be an entry of 2 MB, and is none: minutes, if all of them were added up.
TEST_F(recovery, of_a_log_that_was_made_to_keep_it_busy) {
  const std::string path = write_log(0, 20);
  const std::string whole = disk.read(path);
  std::string behind;
  while (behind.size() < (std::size_t{4} << 20U)) {
    behind += std::string("\0\0\0\0\0\0\0\x1\0\x1f\xff\xf0", 12) + "B\x7f\x7f\x7f";
  }
  disk.write(path, whole + "\x7f\x7f\x7f\x7f" + behind);
  EXPECT_EQ(recover().value().notes.size(), 1U);
  expect_first(20);
  EXPECT_EQ(disk.read(path).size(), whole.size());
  // One true entry, far behind: this is no end.
  const std::string entry = entries_of(part(20, 21));
  disk.write(path, whole + "\x7f\x7f\x7f\x7f" + behind + entry);
  expect_refused(path, "at byte " + std::to_string(whole.size()));
}

TEST_F(recovery, of_a_log_with_any_bit_flipped) {
  constexpr std::size_t count = 8;
  const std::string path = write_log(0, count);
  const std::string whole = disk.read(path);
  const std::size_t last = log_header_bytes + entries_of(part(0, count - 1)).size();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    disk.write(path, flipped);
    const bool unused = bit / 8 >= 4 && bit / 8 < log_header_bytes;  // version and number: Apache does not look either
    if (bit / 8 < last && !unused) {
      ASSERT_NO_FATAL_FAILURE(expect_refused(path, "at byte ")) << bit;
      continue;
    }
    const auto report = recover();
    ASSERT_TRUE(report) << bit << " " << report.error().message();
    ASSERT_EQ(report->notes.size(), unused ? 0U : 1U) << bit;
    ASSERT_EQ(fingerprint(state), fingerprint(replayed(part(0, unused ? count : count - 1)))) << bit;
  }
}

// Then the one before it is loaded, and the logs lead to the same state.
TEST_F(recovery, of_a_snapshot_with_any_bit_flipped) {
  write_log(0, 6);
  snapshot_from_files(disk.folder, 6).value();
  const std::string path = disk.folder.snapshot_path(6);
  const std::string whole = disk.read(path);
  const std::string expected = fingerprint(replayed(part(0, 6)));
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    disk.write(path, flipped);
    const auto report = recover();
    ASSERT_TRUE(report) << bit << " " << report.error().message();
    ASSERT_EQ(report->notes.size(), 1U) << bit;
    ASSERT_THAT(report->notes[0], HasSubstr(path)) << bit;
    ASSERT_EQ(fingerprint(state), expected) << bit;
  }
}

TEST_F(recovery, refuses_transactions_that_are_missing_or_come_again) {
  write_log(0, 20);
  const std::string gap = write_log(21, 40);
  expect_refused(gap, "transactions 0x15 to 0x15 are missing");
  disk.files.remove(gap).value();
  const std::string again = write_log(19, 40);
  expect_refused(again, "transaction 0x14 comes after 0x14");
  disk.files.remove(again).value();
  EXPECT_TRUE(recover());
}

TEST_F(recovery, of_what_an_ensemble_left) {
  write_log(0, 20);
  // A new leader starts a new epoch.
  payloads later = part(20, 40);
  std::int64_t zxid = std::int64_t{1} << 32U;
  for (std::string& one : later) wire::store_big_endian(one.data() + 12, static_cast<std::uint64_t>(++zxid));
  disk.write(disk.folder.log_path((std::int64_t{1} << 32U) + 1), std::string(log_header()) + entries_of(later));
  EXPECT_EQ(recover().value().transactions, 40U);
  EXPECT_EQ(state.last_zxid(), zxid);
}

TEST_F(recovery, of_an_end_that_apache_left_in_the_middle) {
  const std::string cut = entries_of(part(20, 21));
  write_log(0, 20, cut.substr(0, cut.size() / 2) + std::string(500, '\0'));
  write_log(20, 40);
  EXPECT_TRUE(recover().value().notes.empty());
  expect_first(40);
}

TEST_F(recovery, refuses_files_that_are_no_logs) {
  write_log(0, 20);
  const std::string path = disk.folder.log_path(21);
  disk.write(path, std::string(200, '\0'));
  expect_refused(path, "not a transaction log");
  std::string nonsense = std::string(log_header()) + entries_of({std::string(40, 'x')});
  disk.write(path, nonsense);
  expect_refused(path, "at byte 16");
  disk.write(path, log_header());
  EXPECT_TRUE(recover());
  expect_first(20);
}

// Found by fuzzing: nodes that could never be removed, or never be reached.
TEST_F(recovery, of_transactions_that_no_server_writes) {
  const auto create = [](std::string path, node_kind kind) {
    create_record record;
    record.path = std::move(path);
    record.kind = kind;
    record.acl = open_acl();
    return record;
  };
  payloads written;
  for (const transaction_record& one :
       {transaction_record(create("/mine", node_kind::ephemeral)), transaction_record(create("/mine/a", {})),
        transaction_record(create("a", {})), transaction_record(remove_record{"/zookeeper/config"}),
        transaction_record(create("/a", {}))}) {
    const auto zxid = static_cast<std::int64_t>(written.size()) + 1;
    append_payload(written.emplace_back(), {{7, 0, zxid, 0}, one});
  }
  disk.write(disk.folder.log_path(1), std::string(log_header()) + entries_of(written));
  EXPECT_EQ(recover().value().transactions, 5U);
  EXPECT_NE(state.nodes().find("/mine"), nullptr);
  EXPECT_EQ(state.nodes().find("/mine/a"), nullptr);
  EXPECT_EQ(state.nodes().find("a"), nullptr);
  EXPECT_NE(state.nodes().find("/zookeeper/config"), nullptr);
  EXPECT_NE(state.nodes().find("/a"), nullptr);
}

TEST(snapshots, hold_no_nodes_that_cannot_be) {
  database state;
  node ephemeral;
  ephemeral.owner = 7;
  EXPECT_TRUE(state.restore_node("/mine", std::move(ephemeral), open_acl()));
  EXPECT_FALSE(state.restore_node("/mine/a", node(), open_acl()));
  EXPECT_FALSE(state.restore_node("a", node(), open_acl()));
  EXPECT_FALSE(state.restore_node("/b/a", node(), open_acl()));
  EXPECT_FALSE(state.restore_node("/mine", node(), open_acl()));
}

TEST_F(recovery, removes_last_logs_without_a_header) {
  write_log(0, 20);
  disk.write(disk.folder.log_path(21), std::string(log_header().substr(0, 15)));
  disk.write(disk.folder.log_path(22), "");
  EXPECT_EQ(recover().value().notes.size(), 2U);
  expect_first(20);
  EXPECT_EQ(disk.folder.list_logs().value().size(), 1U);
  disk.write(disk.folder.log_path(1), "ZKLG");
  write_log(20, 40);
  expect_refused("log.1", "ends inside of its header");
}

TEST_F(recovery, keeps_what_the_kept_snapshots_need) {
  for (const std::size_t from : {0U, 10U, 20U, 30U}) {
    write_log(from, from + 10);
    snapshot_from_files(disk.folder, static_cast<std::int64_t>(from) + 10).value();
  }
  remove_old_files(disk.folder, 2).value();
  EXPECT_EQ(disk.files.list("/d/version-2").value(),
            (std::vector<std::string>{"log.15", "log.1f", "snapshot.1e", "snapshot.28"}));
  recover().value();
  expect_first(40);
  disk.files.remove(disk.folder.snapshot_path(40)).value();
  recover().value();
  expect_first(40);
}

TEST_F(recovery, snapshots_must_come_to_where_they_are_wanted) {
  write_log(0, 20);
  EXPECT_THAT(snapshot_from_files(disk.folder, 21).error().message(), HasSubstr("end at transaction 0x14"));
}

TEST(data_folders, names) {
  disk_in_memory disk;
  for (const char* name : {"log.0A", "log.5.gz", "log.zz", "log.", "logx.1", "snapshot.1f.gz", "snapshot.", "x"}) {
    disk.write(std::string("/d/version-2/") + name, "");
  }
  const auto logs = disk.folder.list_logs().value();
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(logs[0].zxid, 5);
  EXPECT_EQ(logs[1].zxid, 10);
  ASSERT_EQ(disk.folder.list_snapshots().value().size(), 1U);
  EXPECT_EQ(disk.folder.list_snapshots().value()[0].zxid, 0x1f);
}

TEST(data_folders, interchanged) {
  disk_in_memory disk;
  disk.write("/d/version-2/log.1", "");
  const auto folder = data_folder::open(disk.files, "/d", "/l").value();
  EXPECT_THAT(folder.list_snapshots().error().message(), HasSubstr("/d/version-2/log.1"));
}

TEST(data_folders, have_one_user) {
  disk_in_memory disk;
  {
    const auto held = disk.folder.lock().value();
    EXPECT_EQ(disk.folder.lock().error().code(), errc::io_error);
  }
  EXPECT_TRUE(disk.folder.lock());
}

}  // namespace
}  // namespace zkr::testing
