#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "server/storage/checksum.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage_workload.hpp"

// Files that Apache ZooKeeper 3.8.0 wrote, in the folder apache-3.8.0: a log of every kind of transaction (creates of all
// kinds, failed requests, good, failed and empty multis, the ends of sessions by their client and by time, reaping; without
// the zeros at its end), and the snapshot that it made of it when it was started again.
namespace zkr::testing {
namespace {

using namespace backend;

std::string apaches(const std::string& name) {
  std::ifstream from(std::string(ZKRECIPES_TEST_FILES) + "/apache-3.8.0/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << from.rdbuf();
  return bytes.str();
}

std::vector<std::string> payloads_of_log() {
  disk_in_memory disk;
  const std::string path = disk.folder.log_path(1);
  disk.write(path, apaches("log.1"));
  const auto log = disk.files.open(path, open_mode::read).value();
  log_reader entries(*log, path);
  entries.start().value();
  std::vector<std::string> payloads;
  while (const auto payload = entries.next().value()) payloads.emplace_back(*payload);
  EXPECT_EQ(entries.end(), log_end::clean);
  EXPECT_EQ(entries_of(payloads), apaches("log.1").substr(log_header_bytes));
  return payloads;
}

TEST(apaches_files, the_entries_of_a_log_are_written_the_same) {
  std::set<std::size_t> kinds;
  for (const std::string& payload : payloads_of_log()) {
    const auto decoded = decode_payload(payload);
    ASSERT_TRUE(decoded);
    kinds.insert(decoded->what.record.index());
    std::string again;
    append_payload(again, decoded->what, decoded->digest);
    EXPECT_EQ(again, payload) << decoded->what.header.zxid;
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<transaction_record>);
}

TEST(apaches_files, the_digests_of_a_log_are_ours) {
  std::vector<std::string> so_far;
  std::size_t compared = 0;
  for (const std::string& payload : payloads_of_log()) {
    so_far.push_back(payload);
    const auto decoded = decode_payload(payload);
    if (!decoded->digest) continue;
    EXPECT_EQ(digest_of(replayed(so_far).nodes()), *decoded->digest) << decoded->what.header.zxid;
    ++compared;
  }
  EXPECT_GT(compared, 30U);
}

TEST(apaches_files, a_log_leads_to_the_state_of_the_snapshot) {
  disk_in_memory disk;
  disk.write(disk.folder.snapshot_path(0x26), apaches("snapshot.26"));
  database loaded;
  EXPECT_EQ(load(disk.folder, loaded).value().snapshot, disk.folder.snapshot_path(0x26));
  EXPECT_EQ(fingerprint(loaded), fingerprint(replayed(payloads_of_log())));
  EXPECT_EQ(loaded.nodes().containers().size(), 2U);
  EXPECT_EQ(loaded.nodes().ttl_nodes().size(), 3U);
  EXPECT_EQ(loaded.nodes().ephemerals(), 3U);
}

}  // namespace
}  // namespace zkr::testing
