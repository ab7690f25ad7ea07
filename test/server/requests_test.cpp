#include <gtest/gtest.h>

#include "server/processor_harness.hpp"
#include "unit/wire/hex.hpp"

// What holds for every request: xids, zxids, malformed and unknown ones, order of answers.
namespace zkr::testing {
namespace {

using wire::opcode;

TEST(requests, echo_their_xid_and_pings_do_not) {
  processor_harness server;
  auto client = server.connect();
  for (const char* xid : {"00000005", "fffffff8", "7fffffff", "00000000"}) {
    const incoming sync = client.call_frame(from_hex(std::string(xid) + "00000009 00000001 2f"));
    EXPECT_EQ(sync.header.xid, static_cast<std::int32_t>(std::stoul(xid, nullptr, 16)));
    const incoming ping = client.call_frame(from_hex(std::string(xid) + "0000000b"));
    EXPECT_EQ(ping.header.xid, -2);
    EXPECT_EQ(ping.header.zxid, 1);
  }
}

TEST(requests, too_short_for_a_header_closes) {
  processor_harness server;
  for (std::size_t length = 0; length < 8; ++length) {
    auto client = server.connect();
    client.send_frame(std::string(length, '\0'));
    EXPECT_TRUE(client.closed()) << length;
    EXPECT_TRUE(client.receive().empty());
  }
}

TEST(requests, of_unknown_types_are_unimplemented_and_end_the_connection) {
  processor_harness server;
  for (const std::int32_t type : {0, 10, 13, 20, 23, 99, 108, 1000, -1, -10, -12}) {
    auto client = server.connect();
    const std::int64_t before = server.zxid();
    std::string frame;
    wire::writer to(frame);
    wire::write(to, wire::request_header{7, static_cast<opcode>(type)});
    wire::write(to, wire::check_request{"/", -1});
    client.send_frame(frame);
    client.send(wire::create_request{opcode::create, "/behind", "", open_acl(), 0});
    const std::vector<incoming> got = client.receive();
    ASSERT_EQ(got.size(), 1U) << type;
    EXPECT_EQ(got[0].code(), errc::unimplemented) << type;
    EXPECT_EQ(got[0].header.zxid, -1) << type;
    EXPECT_EQ(got[0].header.xid, 7);
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(server.zxid(), before);
    EXPECT_NE(server.core.sessions().find(client.session_id), nullptr) << "its session lives on";
  }
}

TEST(requests, malformed_ones_are_answered_and_a_malformed_write_has_a_zxid) {
  processor_harness server;
  auto client = server.connect();
  for (const std::int32_t type : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 19, 21, 22, 101, 103, 104, 105, 106}) {
    std::string frame;
    wire::writer to(frame);
    wire::write(to, wire::request_header{7, static_cast<opcode>(type)});
    to.int32(1000);
    const std::int64_t before = server.zxid();
    const incoming reply = client.call_frame(frame);
    EXPECT_EQ(reply.code(), errc::marshalling_error) << type;
    const bool write =
        type == 1 || type == 2 || type == 5 || type == 7 || type == 14 || type == 15 || type == 19 || type == 21;
    EXPECT_EQ(server.zxid(), before + (write ? 1 : 0)) << type;
    EXPECT_EQ(reply.header.zxid, server.zxid());
    EXPECT_FALSE(client.closed());
  }
}

TEST(requests, answers_keep_the_order) {
  processor_harness server;
  auto client = server.connect();
  client.create("/a");
  std::vector<std::int32_t> sent;
  for (int i = 0; i < 5; ++i) {
    sent.push_back(client.send(wire::get_data_request{"/a", false}));
    sent.push_back(client.send(wire::auth_request{0, "digest", "u:p"}));
    sent.push_back(client.send(wire::set_data_request{"/a", "", -1}));
  }
  std::vector<std::int32_t> got;
  for (const incoming& message : client.receive()) got.push_back(message.header.xid);
  EXPECT_EQ(got, sent);
}

TEST(requests, sync_echoes_whatever_path) {
  processor_harness server;
  auto client = server.connect();
  for (const char* path : {"/", "/missing", "not a path", ""}) {
    const incoming reply = client.call(wire::sync_request{path});
    EXPECT_EQ(std::get<wire::sync_reply>(reply.as(opcode::sync)).path, path);
  }
}

TEST(requests, reconfig_and_sasl_are_not_there) {
  processor_harness server;
  auto client = server.connect();
  EXPECT_EQ(client.call(wire::reconfig_request{}).code(), errc::reconfig_disabled);
  const std::int64_t before = server.zxid();
  EXPECT_EQ(client.call_frame(from_hex("00000005 00000010 00")).code(), errc::marshalling_error);
  EXPECT_EQ(server.zxid(), before) << "the one write without a zxid when it is malformed";
  const incoming sasl = client.call(wire::sasl_request{""});
  EXPECT_EQ(sasl.header.zxid, 0);
  EXPECT_FALSE(std::get<wire::sasl_reply>(sasl.as(opcode::sasl)).token.has_value());
}

TEST(requests, statistics_count_them_by_type) {
  processor_harness server;
  auto client = server.connect();
  client.create("/a");
  client.get("/a");
  client.get("/missing");
  const backend::processor_statistics& counted = server.core.statistics();
  EXPECT_EQ(counted.requests[backend::processor_statistics::slot(opcode::get_data)], 2U);
  EXPECT_EQ(counted.requests[backend::processor_statistics::slot(opcode::create2)], 1U);
  EXPECT_EQ(counted.received, 4U);
  EXPECT_EQ(counted.sent, 4U);
}

TEST(requests, ready_connections_are_named_once) {
  processor_harness server;
  auto client = server.connect();
  auto watcher = server.connect();
  std::vector<backend::connection_id> ready;
  server.core.take_ready(ready);
  EXPECT_EQ(ready, (std::vector<backend::connection_id>{client.id(), watcher.id()}));
  watcher.exists("/a", true);
  client.create("/a");
  client.get("/a");
  server.core.take_ready(ready);
  EXPECT_EQ(ready, (std::vector<backend::connection_id>{watcher.id(), client.id()}));
  server.core.take_ready(ready);
  EXPECT_TRUE(ready.empty());
}

}  // namespace
}  // namespace zkr::testing
