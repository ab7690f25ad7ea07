#include <gtest/gtest.h>

#include <algorithm>

#include "server/processor_harness.hpp"
#include "unit/wire/hex.hpp"

// The handshake, re-attachment, expiry and the end of sessions.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using wire::create_flags;
using wire::event_type;
using wire::opcode;
using events = std::vector<seen_event>;

TEST(sessions, passwords_are_apaches) {
  EXPECT_EQ(to_hex(backend::view(backend::password_of(0x1000010ec030000))), "5f958a1200255e49d58c5496499d8518");
}

TEST(sessions, ids_carry_the_servers_number_and_the_clock) {
  const std::int64_t id = backend::first_session_id(1, 0x18'bcfe'5680);
  EXPECT_EQ(id >> 56, 1);
  EXPECT_EQ(id & 0xffff, 0);
  EXPECT_EQ(id >> 16 & 0xff'ffff'ffff, 0x18'bcfe'5680);
  processor_harness server;
  const auto first = server.connect();
  const auto second = server.connect();
  EXPECT_EQ(second.session_id, first.session_id + 1);
}

TEST(sessions, a_new_one_takes_a_zxid) {
  processor_harness server;
  EXPECT_EQ(server.zxid(), 0);
  auto client = server.connect();
  EXPECT_EQ(server.zxid(), 1);
  EXPECT_NE(client.session_id, 0);
  EXPECT_EQ(client.password.size(), 16U);
}

TEST(sessions, time_outs_are_negotiated_between_2_and_20_ticks) {
  backend::processor_options options;
  options.tick_time = 2000ms;
  processor_harness server(options);
  for (const auto& [asked, granted] : std::vector<std::pair<int, int>>{
           {1, 4000}, {0, 4000}, {-5, 4000}, {4000, 4000}, {7000, 7000}, {40'000, 40'000}, {1'000'000'000, 40'000}}) {
    EXPECT_EQ(server.connect(asked).timeout_ms, granted) << asked;
  }
}

TEST(sessions, limits_of_time_outs_can_be_set) {
  backend::processor_options options = processor_harness::fast();
  options.min_session_timeout = 50ms;
  options.max_session_timeout = 60'000ms;
  processor_harness server(options);
  EXPECT_EQ(server.connect(1).timeout_ms, 50);
  EXPECT_EQ(server.connect(90'000).timeout_ms, 60'000);
}

TEST(sessions, the_handshake_mirrors_the_read_only_byte) {
  processor_harness server;
  for (const bool with_byte : {true, false}) {
    auto client = server.dial();
    std::string frame;
    wire::connect_request asked{5, 0, 1000, 0, std::string_view("", 0), std::nullopt};
    if (with_byte) asked.read_only = true;
    wire::append_connect_request_frame(frame, asked);
    server.core.receive(client.id(), std::string_view(frame).substr(4), server.now);
    EXPECT_EQ(server.core.output(client.id()).size(), 4U + (with_byte ? 37U : 36U));
    const auto reply = wire::decode_connect_reply(std::string_view(server.core.output(client.id())).substr(4));
    EXPECT_EQ(reply->protocol_version, 0);
    EXPECT_EQ(reply->read_only, with_byte ? std::optional(false) : std::nullopt);
  }
}

TEST(sessions, nonsense_instead_of_a_handshake_closes_without_a_word) {
  processor_harness server;
  std::string ping;
  wire::append_request_frame(ping, -2, wire::ping_request{});
  for (const std::string& frame : {std::string(), std::string("abc"), ping.substr(4), std::string(27, '\0')}) {
    auto client = server.dial();
    client.send_frame(frame);
    EXPECT_TRUE(client.closed());
    EXPECT_TRUE(server.core.output(client.id()).empty());
  }
  EXPECT_EQ(server.zxid(), 0);
}

TEST(sessions, a_client_from_the_future_is_not_served) {
  processor_harness server;
  auto ahead = server.connect({0, 1, 1000, 0, {}, false});
  EXPECT_TRUE(ahead.closed());
  EXPECT_EQ(ahead.session_id, 0);
  server.connect();
  EXPECT_FALSE(server.connect({0, 1, 1000, 0, {}, false}).closed());
}

TEST(sessions, a_reattachment_keeps_the_session_and_closes_the_old_connection) {
  processor_harness server;
  auto before = server.connect(1000);
  before.create("/e", "", create_flags::ephemeral);
  const std::int64_t zxid = server.zxid();
  auto after = server.connect({0, zxid, 1500, before.session_id, before.password, false});
  EXPECT_EQ(after.session_id, before.session_id);
  EXPECT_EQ(after.password, before.password);
  EXPECT_EQ(after.timeout_ms, 1500) << "negotiated anew";
  EXPECT_EQ(server.zxid(), zxid);
  EXPECT_TRUE(before.closed());
  before.disconnect();
  EXPECT_TRUE(after.has("/e"));
  EXPECT_EQ(server.core.sessions().size(), 1U);
}

TEST(sessions, unknown_sessions_and_wrong_passwords_are_told_expired) {
  processor_harness server;
  auto owner = server.connect();
  const std::string wrong(16, 'x');
  for (const auto& [id, password] : std::vector<std::pair<std::int64_t, std::string>>{{owner.session_id, wrong},
                                                                                      {owner.session_id, ""},
                                                                                      {owner.session_id + 99, wrong},
                                                                                      {12345, owner.password}}) {
    auto client = server.dial();
    std::string frame;
    wire::append_connect_request_frame(frame, {0, 0, 1000, id, password, false});
    server.core.receive(client.id(), std::string_view(frame).substr(4), server.now);
    EXPECT_EQ(to_hex(server.core.output(client.id())),
              "00000025"
              "00000000"
              "00000000"
              "0000000000000000"
              "00000010"
              "00000000000000000000000000000000"
              "00");
    EXPECT_TRUE(client.closed());
  }
  EXPECT_FALSE(owner.closed()) << "a stranger cannot throw the owner out";
}

TEST(sessions, silence_ends_a_session_within_a_tick_after_its_time_out) {
  processor_harness server;
  auto silent = server.connect(1000);
  auto other = server.connect(2000);
  silent.create("/e", "", create_flags::ephemeral);
  other.get("/e", true);
  other.children("/", true);
  server.advance(999ms);
  EXPECT_TRUE(server.core.sessions().find(silent.session_id) != nullptr);
  const std::int64_t zxid = server.zxid();
  server.advance(102ms);
  EXPECT_TRUE(server.core.sessions().find(silent.session_id) == nullptr);
  EXPECT_EQ(server.zxid(), zxid + 1) << "one for the session and all of its nodes";
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(silent.receive().empty()) << "without a message";
  EXPECT_EQ(other.events(), (events{{event_type::removed, "/e"}, {event_type::children_changed, "/"}}));
  EXPECT_FALSE(other.has("/e"));
  auto again = server.connect({0, 0, 1000, silent.session_id, silent.password, false});
  EXPECT_EQ(again.timeout_ms, 0);
}

TEST(sessions, any_frame_keeps_a_session_alive) {
  processor_harness server;
  auto client = server.connect(1000);
  for (int i = 0; i < 20; ++i) {
    server.advance(900ms);
    EXPECT_EQ(client.call(wire::ping_request{}).header.xid, wire::xid_ping);
  }
  server.advance(900ms);
  client.send_frame(std::string("\0\0\0\1\0\0\0\4", 8));  // malformed
  server.advance(900ms);
  EXPECT_FALSE(client.closed());
  server.advance(1101ms);
  EXPECT_TRUE(client.closed());
}

TEST(sessions, a_lost_connection_does_not_end_one_but_time_does) {
  processor_harness server;
  auto client = server.connect(1000);
  client.create("/e", "", create_flags::ephemeral);
  client.disconnect();
  auto other = server.connect(2000);
  server.advance(900ms);
  EXPECT_TRUE(other.has("/e"));
  server.advance(201ms);
  EXPECT_FALSE(other.has("/e"));
}

TEST(sessions, a_shorter_time_out_counts_from_the_reattachment) {
  processor_harness server;
  auto client = server.connect(2000);
  auto after = server.connect({0, 0, 500, client.session_id, client.password, false});
  EXPECT_EQ(after.timeout_ms, 500);
  server.advance(601ms);
  EXPECT_TRUE(after.closed());
}

TEST(sessions, ephemerals_go_in_order_of_creation_and_the_parent_is_told_once) {
  processor_harness server;
  auto owner = server.connect(1000);
  auto other = server.connect(2000);
  for (const char* path : {"/m", "/c", "/z", "/b"}) {
    owner.create(path, "", create_flags::ephemeral);
    other.exists(path, true);
  }
  other.children("/", true);
  server.core.expire(owner.session_id, server.now);
  EXPECT_EQ(other.events(), (events{{event_type::removed, "/m"},
                                    {event_type::children_changed, "/"},
                                    {event_type::removed, "/c"},
                                    {event_type::removed, "/z"},
                                    {event_type::removed, "/b"}}));
}

TEST(sessions, closing_one_tells_its_own_watches_replies_and_closes) {
  processor_harness server;
  auto client = server.connect();
  client.create("/e", "", create_flags::ephemeral);
  client.get("/e", true);
  const std::int64_t zxid = server.zxid();
  client.send(wire::close_session_request{});
  client.send(wire::create_request{opcode::create, "/too-late", "", open_acl(), 0});
  const std::vector<incoming> got = client.receive();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].header.xid, wire::xid_notification);
  EXPECT_EQ(got[1].header.xid, 3);
  EXPECT_EQ(got[1].header.code, errc::ok);
  EXPECT_EQ(got[1].header.zxid, zxid + 1);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server.zxid(), zxid + 1);
  auto other = server.connect();
  EXPECT_FALSE(other.has("/e"));
  EXPECT_FALSE(other.has("/too-late"));
}

TEST(sessions, own_ephemerals_are_listed_by_prefix) {
  processor_harness server;
  auto client = server.connect();
  auto other = server.connect();
  client.create("/app");
  client.create("/app/e1", "", create_flags::ephemeral);
  client.create("/e2", "", create_flags::ephemeral);
  other.create("/e3", "", create_flags::ephemeral);
  const auto list = [&](std::string_view prefix) {
    const incoming reply = client.call(wire::get_ephemerals_request{prefix});
    const wire::reply body = reply.as(opcode::get_ephemerals);
    const auto& paths = std::get<wire::get_ephemerals_reply>(body).paths;
    return std::vector<std::string>(paths.begin(), paths.end());
  };
  const std::vector<std::string> all{"/app/e1", "/e2"};
  EXPECT_EQ(list({}), all);
  EXPECT_EQ(list(""), all);
  EXPECT_EQ(list("/"), all);
  EXPECT_EQ(list("/ap"), std::vector<std::string>{"/app/e1"});
  EXPECT_EQ(list("/x"), std::vector<std::string>{});
}

TEST(sessions, a_clock_that_only_ticks_costs_nothing_for_live_sessions) {
  backend::session_tracker tracker(100ms);
  const time_point start(std::chrono::hours(1));
  EXPECT_FALSE(tracker.next_check().has_value());
  for (std::int64_t id = 1; id <= 1000; ++id) tracker.add(id, 1000ms, start);
  EXPECT_EQ(tracker.next_check(), start + 1000ms);
  EXPECT_TRUE(tracker.take_expired(start + 999ms).empty());
  EXPECT_EQ(tracker.take_expired(start + 1000ms).size(), 1000U);
  EXPECT_TRUE(tracker.take_expired(start + 5000ms).empty()) << "each is reported once";
}

TEST(sessions, renegotiated_sessions_are_reported_once) {
  backend::session_tracker tracker(100ms);
  const time_point start(std::chrono::hours(1));
  backend::session& one = tracker.add(1, 1000ms, start);
  tracker.set_timeout(one, 300ms, start);
  tracker.set_timeout(one, 1000ms, start + 10ms);
  EXPECT_TRUE(tracker.take_expired(start + 1000ms).empty());
  EXPECT_EQ(tracker.take_expired(start + 1100ms).size(), 1U);
  EXPECT_TRUE(tracker.take_expired(start + 5000ms).empty());
}

TEST(sessions, end_some_at_a_time_and_those_that_are_heard_from_meanwhile_live_on) {
  processor_harness server;
  std::vector<processor_harness::client> all;
  for (int i = 0; i < 10; ++i) all.push_back(server.connect(1000));
  server.now.now += 1100ms;
  server.core.tick(server.now, 4);
  EXPECT_EQ(server.core.sessions().size(), 6U);
  EXPECT_LE(server.core.next_tick(), server.now.now) << "there are more";
  const auto heard = std::find_if(all.begin(), all.end(), [](const auto& one) { return !one.closed(); });
  EXPECT_EQ(heard->get("/").code(), errc::ok);
  server.core.tick(server.now, 4);
  server.core.tick(server.now, 4);
  EXPECT_EQ(server.core.sessions().size(), 1U);
  EXPECT_FALSE(heard->closed()) << "it was answered: from then on it has its whole time-out";
  EXPECT_GT(server.core.next_tick(), server.now.now);
}

TEST(sessions, containers_and_ttl_nodes_are_reaped) {
  backend::processor_options options = processor_harness::fast();
  options.reap_interval = 1000ms;
  options.max_session_timeout = 600'000ms;
  processor_harness server(options);
  auto client = server.connect(600'000);
  client.call(wire::create_request{opcode::create_container, "/unused", "", open_acl(), 4});
  client.call(wire::create_request{opcode::create_container, "/used", "", open_acl(), 4});
  client.create("/used/x");
  client.call(wire::create_request{opcode::create_ttl, "/ttl", "", open_acl(), 5, 1500});
  client.exists("/used", true);
  server.advance(1001ms);
  EXPECT_TRUE(client.has("/used"));
  client.remove("/used/x");
  const std::int64_t zxid = server.zxid();
  server.advance(1000ms);
  EXPECT_FALSE(client.has("/used"));
  EXPECT_EQ(server.zxid(), zxid + 2);
  EXPECT_FALSE(client.has("/ttl"));
  EXPECT_TRUE(client.has("/unused")) << "nothing was ever in it";
  EXPECT_EQ(client.events(), (events{{event_type::removed, "/used"}}));
}

TEST(sessions, setting_the_data_renews_a_ttl_and_children_prevent_its_end) {
  backend::processor_options options = processor_harness::fast();
  options.reap_interval = 1000ms;
  options.max_session_timeout = 600'000ms;
  processor_harness server(options);
  auto client = server.connect(600'000);
  client.call(wire::create_request{opcode::create_ttl, "/set", "", open_acl(), 5, 1500});
  client.call(wire::create_request{opcode::create_ttl, "/parent", "", open_acl(), 5, 1500});
  client.create("/parent/child");
  server.advance(1000ms);
  client.set("/set", "");
  server.advance(1000ms);
  EXPECT_TRUE(client.has("/set"));
  server.advance(2000ms);
  EXPECT_FALSE(client.has("/set"));
  EXPECT_TRUE(client.has("/parent"));
}

}  // namespace
}  // namespace zkr::testing
