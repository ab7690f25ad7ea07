#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include "server/storage/checksum.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "server/storage/snapshot.hpp"
#include "server/storage_workload.hpp"
#include "wire/writer.hpp"

// The bytes are Apache's: entries and numbers that its server has written or accepted without a warning.
namespace zkr::testing {
namespace {

using namespace backend;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

constexpr std::int64_t session = 0x0100000000000001;

struct golden {
  const char* name;
  transaction what;
  std::optional<std::uint64_t> digest;
  const char* entry;
};

std::vector<golden> goldens() {
  create_record created;
  created.path = "/a";
  created.data = "hi";
  created.acl = open_acl();
  created.parent_creations = 1;
  return {
      {"create_session",
       {{session, 0, 1, 1700000000001}, create_session_record{30'000}},
       0x51c6d660,
       "0000000096fa09940000003001000000000000010000000000000000000000010000018bcfe56801fffffff600007530000000020000000"
       "0"
       "51c6d66042"},
      {"create",
       {{session, 1, 2, 1700000000002}, created},
       0xde942836,
       "000000006ed10ac60000005801000000000000010000000100000000000000020000018bcfe5680200000001000000022f6100000002686"
       "9"
       "000000010000001f00000005776f726c6400000006616e796f6e6500000000010000000200000000de94283642"},
      {"error",
       {{session, 2, 3, 1700000000003}, error_record{errc::node_exists}},
       std::nullopt,
       "00000000430c0a3e0000002401000000000000010000000200000000000000030000018bcfe56803ffffffffffffff9242"},
      {"close_session",
       {{session, 3, 4, 1700000000004}, close_session_record{}},
       0xde942836,
       "000000008f30087a0000003001000000000000010000000300000000000000040000018bcfe56804fffffff500000000000000020000000"
       "0"
       "de94283642"},
  };
}

TEST(log_format, entries_are_apaches_bytes) {
  for (const golden& one : goldens()) {
    std::string entry(entry_head_bytes, '\0');
    append_payload(entry, one.what, one.digest);
    finish_entry(entry, 0);
    EXPECT_EQ(entry, from_hex(one.entry)) << one.name;
  }
}

TEST(log_format, apaches_entries_are_read_and_their_digests_are_ours) {
  database state;
  for (const golden& one : goldens()) {
    const std::string entry = from_hex(one.entry);
    const auto decoded =
        decode_payload(std::string_view(entry).substr(entry_head_bytes, entry.size() - entry_head_bytes - 1));
    ASSERT_TRUE(decoded) << one.name;
    EXPECT_EQ(decoded->digest, one.digest) << one.name;
    std::string again;
    append_payload(again, decoded->what, decoded->digest);
    EXPECT_EQ(again, entry.substr(entry_head_bytes, again.size())) << one.name;
    state = replayed({again});
    if (one.digest && std::holds_alternative<create_record>(decoded->what.record)) {
      EXPECT_EQ(digest_of(state.nodes()), *one.digest);
    }
  }
}

TEST(log_format, records_of_other_releases) {
  const auto header = [](std::int32_t type) {
    std::string bytes;
    wire::writer to(bytes);
    to.int64(session);
    to.int32(1);
    to.int64(7);
    to.int64(1700000000000);
    to.int32(type);
    return bytes;
  };
  // The first form of a create has no counter of the parent.
  std::string old_create = header(1);
  wire::writer to(old_create);
  to.string("/a");
  to.int32(-1);
  to.int32(-1);
  to.boolean(true);
  const auto created = decode_payload(old_create);
  ASSERT_TRUE(created);
  EXPECT_EQ(std::get<create_record>(created->what.record).parent_creations, -1);
  EXPECT_EQ(std::get<create_record>(created->what.record).kind, node_kind::ephemeral);
  EXPECT_FALSE(std::get<create_record>(created->what.record).data.has_value());

  // The first form of the end of a session has no paths.
  const std::string old_close = header(-11);
  EXPECT_TRUE(decode_payload(old_close));

  // A check of its own changes nothing.
  std::string check = header(13);
  wire::writer(check).string("/a");
  wire::writer(check).int32(3);
  ASSERT_TRUE(decode_payload(check));
  EXPECT_EQ(std::get<error_record>(decode_payload(check)->what.record).code, errc::ok);

  EXPECT_FALSE(decode_payload(header(99)));
  EXPECT_FALSE(decode_payload(header(1)));
  EXPECT_FALSE(decode_payload("short"));
}

std::string snapshot_of(const database& state) {
  memory_file_system files;
  static_cast<void>(files.make_directory("/d"));
  auto to = files.open("/d/s", open_mode::create).value();
  write_snapshot(*to, state).value();
  return to->read(0, std::size_t{1} << 30U).value();
}

result<database> read_back(std::string_view bytes, const std::string& name = "snapshot.7", std::int64_t zxid = 7) {
  memory_file_system files;
  static_cast<void>(files.make_directory("/d"));
  auto of = files.open("/d/" + name, open_mode::create).value();
  of->write(0, bytes).value();
  database state;
  if (auto failed = read_snapshot(*of, "/d/" + name, zxid, state); !failed) return std::move(failed).error();
  return state;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(bytes.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(snapshot_format, of_nothing_is_apaches_bytes) {
  const std::string bytes = snapshot_of(database());
  ASSERT_EQ(bytes.size(), 457U);
  EXPECT_EQ(bytes.substr(411, 8), from_hex("00000000b8a23b49"));
  EXPECT_EQ(bytes.substr(bytes.size() - 13), from_hex("0000000095b93d59000000012f"));
  EXPECT_EQ(digest_of(database().nodes()), 1371985504U);
}

TEST(snapshot_format, compressed_and_with_what_other_releases_have) {
  const std::string bytes = snapshot_of(database());
  const std::string expected = fingerprint(read_back(bytes).value());
  EXPECT_EQ(fingerprint(read_back(gzip(bytes), "snapshot.7.gz").value()), expected);
  // Without the digest, as before 3.6; and with one part more, as 3.9 has it.
  EXPECT_EQ(fingerprint(read_back(bytes.substr(0, 411 + 13)).value()), expected);
  EXPECT_EQ(fingerprint(read_back(bytes + from_hex("0000000000000007")).value()), expected);
  EXPECT_EQ(read_back(bytes, "snapshot.7.snappy").error().code(), errc::unsupported);
}

TEST(snapshot_format, whatever_byte_is_damaged_is_found) {
  const std::string bytes = snapshot_of(database());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    // Version and number of the file are looked at by nobody, but they are part of the checksum.
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    const auto read = read_back(damaged);
    ASSERT_FALSE(read) << i;
    EXPECT_NE(read.error().message().find("/d/snapshot.7"), std::string::npos);
    EXPECT_NE(read.error().message().find("at byte"), std::string::npos);
    EXPECT_FALSE(read_back(bytes.substr(0, i)).has_value() && i != 411 + 13) << i;
  }
}

std::vector<std::string> some_history() {
  return random_history(*rc::gen::inRange<std::size_t>(0, 150), [](std::size_t bound) {
    return *rc::gen::resize(100, rc::gen::inRange<std::size_t>(0, bound));
  });
}

RC_GTEST_PROP(storage_properties, payloads_survive_decoding, ()) {
  for (const std::string& payload : some_history()) {
    std::string again;
    append_payload(again, decode_payload(payload)->what);
    RC_ASSERT(again == payload);
  }
}

RC_GTEST_PROP(storage_properties, snapshots_survive_reading, ()) {
  const std::vector<std::string> history = some_history();
  const database state = replayed(history);
  const auto back = read_back(snapshot_of(state), "snapshot.7", state.last_zxid());
  RC_ASSERT(back.has_value());
  RC_ASSERT(fingerprint(*back) == fingerprint(state));
}

// A snapshot that Apache takes while it goes on holds parts of what came later: replaying it gives the same state.
RC_GTEST_PROP(storage_properties, replay_over_a_newer_state_gives_the_same, ()) {
  const std::vector<std::string> history = some_history();
  const auto from = *rc::gen::inRange<std::size_t>(0, history.size() + 1);
  const std::vector<std::string> tail(history.begin() + static_cast<std::ptrdiff_t>(from), history.end());
  std::vector<std::string> twice = history;
  twice.insert(twice.end(), tail.begin(), tail.end());
  RC_ASSERT(replayed(twice).nodes().size() == replayed(history).nodes().size());
}

}  // namespace
}  // namespace zkr::testing
