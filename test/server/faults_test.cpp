#include "zkrecipes/faults.hpp"

#include <gtest/gtest.h>

#include "server/raw_client.hpp"
#include "zkrecipes/server.hpp"

// Every fault, as a client sees it that hides nothing.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto long_delay = 60'000ms;
constexpr auto patience = 20'000ms;

server_options fast() { return {.tick_time = 50ms, .min_session_timeout = 100ms, .max_session_timeout = 100'000ms}; }

wire::create_request make(std::string_view path, std::int32_t flags = 0) {
  return {wire::opcode::create, path, "", open_acl(), flags};
}

struct faults : ::testing::Test {
  server zookeeper = server::start(fast()).value();
  raw_client client{zookeeper.port()};
  std::int64_t session = client.greet({0, 0, 90'000, 0, {}, false});

  fault_id add(fault_rule rule) { return zookeeper.faults().add(std::move(rule)).value(); }
  bool fired(fault_id which, std::uint64_t times = 1) { return zookeeper.faults().wait(which, times, patience); }
  /// As another client sees it.
  errc look(std::string_view path) {
    raw_client other(zookeeper.port());
    other.greet();
    other.send(wire::exists_request{path});
    return other.receive_code();
  }
  std::int32_t next_xid(raw_client& of) {
    std::string frame = of.receive_frame();
    std::string_view rest = frame;
    const auto header = wire::decode_reply_header(rest);
    return header ? header->xid : 0;
  }
};

TEST_F(faults, drop_request_is_neither_applied_nor_answered) {
  const fault_id id = add({.at = fault_point::create, .action = fault_action::drop_request, .path = "/a"});
  client.send(make("/a"), 1);
  ASSERT_TRUE(fired(id));
  client.send(make("/b"), 2);
  EXPECT_EQ(next_xid(client), 2);
  EXPECT_EQ(look("/a"), errc::no_node);
}

TEST_F(faults, drop_reply_is_applied_and_others_learn_of_it) {
  raw_client watcher(zookeeper.port());
  watcher.greet();
  watcher.send(wire::exists_request{"/a", true}, 5);
  EXPECT_EQ(watcher.receive_code(), errc::no_node);
  client.send(wire::exists_request{"/a", true}, 1);
  EXPECT_EQ(client.receive_code(), errc::no_node);
  const fault_id id = add({.at = fault_point::create, .action = fault_action::drop_reply});
  client.send(make("/a"), 2);
  ASSERT_TRUE(fired(id));
  EXPECT_EQ(next_xid(watcher), -1) << "the event";
  client.send(make("/b"), 3);
  EXPECT_EQ(next_xid(client), -1) << "its own event is not lost";
  EXPECT_EQ(next_xid(client), 3);
  EXPECT_EQ(look("/a"), errc::ok);
}

TEST_F(faults, delay_request_holds_what_follows_until_the_clock_gets_there) {
  const fault_id id = add({.at = fault_point::create, .action = fault_action::delay_request, .delay = long_delay});
  client.send(make("/a"), 1);
  client.send(make("/b"), 2);
  ASSERT_TRUE(fired(id));
  EXPECT_EQ(look("/a"), errc::no_node);
  EXPECT_EQ(look("/b"), errc::no_node);
  zookeeper.step_clock(long_delay);
  EXPECT_EQ(next_xid(client), 1);
  EXPECT_EQ(next_xid(client), 2);
  EXPECT_EQ(look("/a"), errc::ok);
}

TEST_F(faults, delay_request_ends_by_itself) {
  const fault_id id = add({.action = fault_action::delay_request, .delay = 20ms});
  client.send(make("/a"), 1);
  EXPECT_EQ(client.receive_code(), errc::ok);
  EXPECT_TRUE(fired(id));
}

TEST_F(faults, delay_reply_applies_at_once) {
  const fault_id id = add({.at = fault_point::create, .action = fault_action::delay_reply, .delay = long_delay});
  client.send(make("/a"), 1);
  client.send(wire::exists_request{"/a"}, 2);
  ASSERT_TRUE(fired(id));
  EXPECT_EQ(look("/a"), errc::ok);
  EXPECT_TRUE(client.is_quiet(0ms));
  zookeeper.step_clock(long_delay);
  EXPECT_EQ(next_xid(client), 1);
  EXPECT_EQ(next_xid(client), 2);
}

TEST_F(faults, close_before_and_close_after) {
  add({.at = fault_point::create, .action = fault_action::close_before, .path = "/a"});
  add({.at = fault_point::create, .action = fault_action::close_after, .path = "/b"});
  client.send(make("/a"));
  EXPECT_EQ(client.receive_all(), "");
  raw_client again(zookeeper.port());
  again.greet();
  again.send(make("/b"));
  EXPECT_EQ(again.receive_all(), "");
  EXPECT_EQ(look("/a"), errc::no_node);
  EXPECT_EQ(look("/b"), errc::ok);
}

TEST_F(faults, expire_session_takes_its_ephemeral_nodes) {
  client.send(make("/e", 1));
  EXPECT_EQ(client.receive_code(), errc::ok);
  add({.at = fault_point::get, .action = fault_action::expire_session, .session_id = session});
  client.send(wire::get_data_request{"/e"});
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(zookeeper.statistics().expired_sessions, 1U);
  EXPECT_EQ(look("/e"), errc::no_node);
}

TEST_F(faults, connections_are_refused_while_the_rule_stands) {
  const fault_id id =
      add({.at = fault_point::connection, .action = fault_action::close_before, .times = fault_rule::always});
  raw_client refused(zookeeper.port());
  EXPECT_TRUE(refused.is_closed());
  EXPECT_TRUE(fired(id));
  EXPECT_TRUE(zookeeper.faults().remove(id));
  EXPECT_EQ(look("/"), errc::ok);
  client.send(wire::exists_request{"/"});
  EXPECT_EQ(client.receive_code(), errc::ok) << "connections that were there are left alone";
}

TEST_F(faults, resumption_is_refused_while_the_session_lives_on) {
  client.send(make("/e", 1));
  EXPECT_EQ(client.receive_code(), errc::ok);
  const wire::connect_request back{0, 0, 90'000, session, client.password, false};
  add({.at = fault_point::resumed_session, .action = fault_action::refuse_session});
  raw_client refused(zookeeper.port());
  EXPECT_EQ(refused.greet(back), 0);
  EXPECT_TRUE(refused.is_closed());
  EXPECT_EQ(look("/e"), errc::ok);
  raw_client again(zookeeper.port());
  EXPECT_EQ(again.greet(back), session);
  add({.at = fault_point::resumed_session, .action = fault_action::expire_session});
  raw_client expired(zookeeper.port());
  EXPECT_EQ(expired.greet(back), 0);
  EXPECT_EQ(look("/e"), errc::no_node);
}

TEST_F(faults, handshake_is_never_answered) {
  const fault_id none = add({.at = fault_point::new_session, .action = fault_action::drop_request});
  std::string hello;
  wire::append_connect_request_frame(hello, {0, 0, 10'000, 0, {}, false});
  raw_client silent(zookeeper.port());
  silent.send(hello);
  ASSERT_TRUE(fired(none));
  EXPECT_EQ(zookeeper.sessions().size(), 1U);
  const fault_id lost = add({.at = fault_point::new_session, .action = fault_action::drop_reply});
  raw_client orphan(zookeeper.port());
  orphan.send(hello);
  ASSERT_TRUE(fired(lost));
  EXPECT_EQ(zookeeper.sessions().size(), 2U) << "a session that nobody knows of";
  EXPECT_TRUE(orphan.is_quiet(0ms));
}

TEST_F(faults, stepped_clock_ends_sessions_at_once) {
  client.send(make("/e", 1));
  EXPECT_EQ(client.receive_code(), errc::ok);
  zookeeper.step_clock(89'000ms);
  EXPECT_EQ(zookeeper.sessions().size(), 1U);
  zookeeper.step_clock(2'000ms);
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(look("/e"), errc::no_node);
}

TEST_F(faults, sequence_numbers_start_anywhere) {
  const auto made = [&] {
    client.send(make("/n-", 2));
    const std::string frame = client.receive_frame();
    return frame.size() > 20 ? frame.substr(20) : "none";
  };
  EXPECT_FALSE(zookeeper.set_next_sequence("/none", 1));
  EXPECT_TRUE(zookeeper.set_next_sequence("/", 2147483646));
  EXPECT_EQ(made(), "/n-2147483646");
  EXPECT_EQ(made(), "/n-2147483647");
  EXPECT_TRUE(zookeeper.set_next_sequence("/", std::numeric_limits<std::int32_t>::min()));
  EXPECT_EQ(made(), "/n--2147483648");
  EXPECT_EQ(made(), "/n--2147483647");
}

TEST(fault_options, counters_start_anywhere) {
  server_options options = fast();
  options.first_session_id = 42;
  options.last_zxid = 0xffff'fffe;
  server zookeeper = server::start(options).value();
  raw_client client(zookeeper.port());
  EXPECT_EQ(client.greet(), 42);
  EXPECT_EQ(zookeeper.statistics().last_zxid, 0xffff'ffff);
  client.send(make("/a"));
  EXPECT_EQ(client.receive_code(), errc::ok);
  EXPECT_EQ(zookeeper.statistics().last_zxid, 0x1'0000'0000);
  options.first_session_id = -1;
  EXPECT_EQ(server::start(options).error().code(), errc::invalid_argument);
}

TEST(fault_injector, outlives_its_server_and_works_while_it_is_paused) {
  server zookeeper = server::start(fast()).value();
  zookeeper.pause();
  fault_injector inject = zookeeper.faults();
  EXPECT_EQ(inject.add({.times = 0}).error().message(), "add fault: invalid_argument (times: must be 1 or more)");
  const fault_id id = inject.add({}).value();
  zookeeper.stop();
  EXPECT_EQ(inject.rules().size(), 1U);
  EXPECT_FALSE(inject.wait(id, 1, 1ms));
  inject.clear();
  EXPECT_TRUE(inject.rules().empty());
}

}  // namespace
}  // namespace zkr::testing
