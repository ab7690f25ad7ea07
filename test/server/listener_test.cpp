#include "server/listener.hpp"

#include <gtest/gtest.h>

#include "server/memory_network.hpp"
#include "unit/wire/hex.hpp"

// The listener on connections without a network, in virtual time.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using backend::listener;
using backend::listener_options;

std::int64_t fixed_wall_ms() { return 1'700'000'000'000; }

std::string hello() {
  std::string bytes;
  wire::append_connect_request_frame(bytes, {0, 0, 10'000, 0, {}, false});
  return bytes;
}

std::string request(const wire::request& body, std::int32_t xid = 1) {
  std::string bytes;
  wire::append_request_frame(bytes, xid, body);
  return bytes;
}

class listener_test : public ::testing::Test {
 protected:
  explicit listener_test(listener_options options = {}) {
    door = std::make_unique<listener>(core, time, network.make_acceptor(), std::move(options), fixed_wall_ms);
    door->start();
  }
  std::shared_ptr<memory_wire> greeted() {
    auto on = network.connect();
    network.send(on, hello());
    on->from_server.clear();
    return on;
  }
  void advance(duration by) { time.run_for(by); }

  detail::virtual_scheduler time;
  backend::processor core{{}, {time.now(), fixed_wall_ms()}};
  memory_network network{time};
  std::unique_ptr<listener> door;
};

TEST_F(listener_test, takes_input_byte_by_byte) {
  auto on = network.connect();
  for (const char byte : hello() + request(wire::ping_request{}) + request(wire::sync_request{"/"}, 9)) {
    network.send(on, std::string_view(&byte, 1));
  }
  EXPECT_EQ(on->from_server.size(), 41U + 20U + 25U);
  EXPECT_FALSE(on->server_gone);
}

TEST_F(listener_test, takes_many_requests_at_once_and_keeps_their_order) {
  auto on = greeted();
  std::string many;
  for (std::int32_t xid = 1; xid <= 10'000; ++xid) many += request(wire::exists_request{"/missing", false}, xid);
  network.send(on, many);
  ASSERT_EQ(on->from_server.size(), 10'000U * 20U);
  for (std::int32_t xid = 1; xid <= 10'000; ++xid) {
    EXPECT_EQ(
        wire::reader(std::string_view(on->from_server).substr((static_cast<std::size_t>(xid) - 1) * 20 + 4)).int32(),
        xid);
  }
}

TEST_F(listener_test, connections_that_send_without_end_do_not_delay_the_others_by_a_read_of_each) {
  const auto readable = [&](const std::shared_ptr<memory_wire>& on, const std::string& bytes) {
    on->to_server = bytes;
    time.post([on] { std::exchange(on->on_readable, nullptr)(); });
  };
  std::string endless;
  while (endless.size() < std::size_t{256} << 10U) endless += request(wire::ping_request{});
  std::vector<std::shared_ptr<memory_wire>> greedy;
  for (int i = 0; i < 20; ++i) greedy.push_back(greeted());
  auto other = greeted();
  for (const auto& one : greedy) readable(one, endless);
  for (std::size_t i = 0; i < greedy.size(); ++i) time.run_one();
  const auto left = [&] {
    std::size_t bytes = 0;
    for (const auto& one : greedy) bytes += one->to_server.size();
    return bytes;
  };
  const std::size_t before = left();
  EXPECT_LT(before, greedy.size() * endless.size()) << "each has had its first turn";
  readable(other, request(wire::ping_request{}));
  while (other->from_server.empty()) ASSERT_TRUE(time.run_one());
  EXPECT_LE(before - left(), std::size_t{128} << 10U) << "two reads of one of them";
  network.settle();
  EXPECT_EQ(left(), 0U);
}

TEST_F(listener_test, garbage_closes_its_connection_and_nothing_else) {
  auto good = greeted();
  for (const char* garbage : {"ffffffff", "80000000", "00100000", "00000000", "00000004 00000001", "47455420 2f204854",
                              "00000007 00000001 000000"}) {
    auto before_hello = network.connect();
    network.send(before_hello, from_hex(garbage));
    EXPECT_TRUE(before_hello->server_gone) << garbage;
    EXPECT_TRUE(before_hello->from_server.empty());
    auto after_hello = greeted();
    network.send(after_hello, from_hex(garbage));
    EXPECT_TRUE(after_hello->server_gone) << garbage;
    EXPECT_TRUE(after_hello->from_server.empty());
  }
  network.send(good, request(wire::ping_request{}));
  EXPECT_EQ(good->from_server.size(), 20U);
  EXPECT_EQ(door->connections(), 1U);
}

TEST_F(listener_test, four_letter_words_after_the_handshake_are_garbage) {
  auto on = greeted();
  network.send(on, "ruok");
  EXPECT_TRUE(on->server_gone);
}

TEST_F(listener_test, four_letter_words_may_come_in_pieces_and_with_a_newline) {
  auto at_once = network.connect();
  network.send(at_once, "ruok\n");
  EXPECT_EQ(at_once->from_server, "imok");
  EXPECT_TRUE(at_once->server_gone);
  auto in_pieces = network.connect();
  for (const char* piece : {"r", "uo", "k"}) network.send(in_pieces, piece);
  EXPECT_EQ(in_pieces->from_server, "imok");
  auto with_mask = network.connect();
  network.send(with_mask, "stmk");
  EXPECT_FALSE(with_mask->server_gone);
  network.send(with_mask, std::string(7, '\0') + "\2");
  EXPECT_EQ(with_mask->from_server, "2");
  auto mask = network.connect();
  network.send(mask, "gtmk");
  EXPECT_EQ(mask->from_server, "2");
  EXPECT_EQ(door->connections(), 0U);
}

class choosy_listener_test : public listener_test {
 protected:
  static listener_options choosy() {
    listener_options options;
    options.four_letter_words = {"srvr"};
    options.max_connections_per_address = 2;
    options.max_connections = 3;
    options.max_unsent_bytes = 1000;
    options.max_frame_bytes = 100;
    return options;
  }
  choosy_listener_test() : listener_test(choosy()) {}
};

class crowded_listener_test : public listener_test {
 protected:
  static listener_options crowded() {
    listener_options options;
    options.max_input_bytes = 130;
    return options;
  }
  crowded_listener_test() : listener_test(crowded()) {}
};

TEST_F(crowded_listener_test, the_largest_of_too_many_frames_that_are_not_whole_pays) {
  auto small = network.connect("10.0.0.1");
  auto large = network.connect("10.0.0.2");
  network.send(small, from_hex("00000050") + std::string(20, 'x'));
  network.send(large, from_hex("00000050") + std::string(70, 'x'));
  EXPECT_FALSE(large->server_gone);
  auto last = network.connect("10.0.0.3");
  network.send(last, from_hex("00000050") + std::string(40, 'x'));
  EXPECT_TRUE(large->server_gone);
  // What it kept busy is free again.
  network.send(small, std::string(30, 'x'));
  EXPECT_FALSE(small->server_gone);
  EXPECT_FALSE(last->server_gone);
  EXPECT_EQ(door->connections(), 2U);
}

TEST_F(choosy_listener_test, words_that_are_not_listed_are_refused) {
  auto on = network.connect();
  network.send(on, "mntr");
  EXPECT_EQ(on->from_server, "mntr is not executed because it is not in the whitelist.\n");
  EXPECT_TRUE(on->server_gone);
  auto allowed = network.connect();
  network.send(allowed, "srvr");
  EXPECT_EQ(allowed->from_server.find("Zookeeper version: 3.8.0-"), 0U);
}

TEST_F(choosy_listener_test, connections_have_limits) {
  auto first = network.connect("10.0.0.1");
  auto second = network.connect("10.0.0.1");
  EXPECT_TRUE(network.connect("10.0.0.1")->server_gone);
  auto third = network.connect("10.0.0.2");
  EXPECT_FALSE(third->server_gone);
  EXPECT_TRUE(network.connect("10.0.0.3")->server_gone);
  network.hang_up(first);
  EXPECT_FALSE(network.connect("10.0.0.1")->server_gone);
}

TEST_F(choosy_listener_test, frames_have_a_limit) {
  auto on = greeted();
  network.send(on, request(wire::sync_request{std::string(100 - 8 - 4, 'x')}));
  EXPECT_FALSE(on->server_gone);
  network.send(on, request(wire::sync_request{std::string(100 - 8 - 4 + 1, 'x')}));
  EXPECT_TRUE(on->server_gone);
}

TEST_F(choosy_listener_test, who_does_not_take_replies_is_not_read_from) {
  auto on = greeted();
  network.grant(on, 0);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += request(wire::ping_request{});
  network.send(on, many);
  EXPECT_LT(core.statistics().received, 100U) << "stopped once more than the bound was unsent";
  network.send(on, many);
  EXPECT_EQ(on->to_server.size(), many.size()) << "what comes later is left to the network";
  network.grant(on, static_cast<std::size_t>(-1));
  EXPECT_EQ(on->from_server.size(), 2000U * 20U);
  EXPECT_FALSE(on->server_gone);
}

TEST_F(listener_test, sessions_that_end_together_let_others_in_between) {
  std::vector<std::shared_ptr<memory_wire>> all;
  for (int i = 0; i < 60; ++i) all.push_back(network.connect("10.0.0." + std::to_string(i)));
  for (int i = 60; i < 200; ++i) all.push_back(network.connect("10.0.1." + std::to_string(i)));
  for (const auto& each : all) network.send(each, hello());
  ASSERT_EQ(core.sessions().size(), 200U);
  const time_point end = *core.next_tick();
  std::size_t left = 0;
  // Behind the listener's timer, before those that it sets then.
  time.schedule(end, [&] { left = core.sessions().size(); });
  advance(end - time.now());
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, 200U);
  EXPECT_EQ(core.sessions().size(), 0U);
  EXPECT_EQ(door->connections(), 0U);
}

TEST_F(listener_test, who_never_says_hello_is_dropped) {
  auto silent = network.connect();
  auto slow = network.connect();
  network.send(slow, hello().substr(0, 20));
  auto good = greeted();
  advance(9999ms);
  EXPECT_FALSE(silent->server_gone);
  network.send(good, request(wire::ping_request{}));
  advance(2ms);
  EXPECT_TRUE(silent->server_gone);
  EXPECT_TRUE(slow->server_gone);
  EXPECT_FALSE(good->server_gone);
}

TEST_F(listener_test, sessions_expire_by_themselves) {
  auto on = greeted();
  advance(12'001ms);
  EXPECT_TRUE(on->server_gone);
  EXPECT_EQ(core.sessions().size(), 0U);
}

TEST_F(listener_test, a_client_that_hangs_up_keeps_its_session) {
  auto on = greeted();
  network.hang_up(on);
  EXPECT_EQ(door->connections(), 0U);
  EXPECT_EQ(core.connections().size(), 0U);
  EXPECT_EQ(core.sessions().size(), 1U);
}

TEST_F(listener_test, the_last_reply_is_sent_before_the_end) {
  auto on = greeted();
  network.grant(on, 5);
  network.send(on, request(wire::close_session_request{}, 7) + request(wire::ping_request{}));
  EXPECT_FALSE(on->server_gone);
  network.grant(on, 100);
  EXPECT_TRUE(on->server_gone);
  EXPECT_EQ(to_hex(on->from_server),
            "00000010"
            "00000007"
            "0000000000000002"
            "00000000");
}

TEST_F(listener_test, events_reach_connections_that_only_listen) {
  auto watcher = greeted();
  auto writer = greeted();
  network.send(watcher, request(wire::exists_request{"/a", true}));
  watcher->from_server.clear();
  network.send(writer, request(wire::create_request{wire::opcode::create, "/a", "", open_acl(), 0}));
  EXPECT_EQ(watcher->from_server.size(), 4U + 16U + 8U + 6U);
}

TEST_F(listener_test, everything_can_be_dropped) {
  auto one = greeted();
  auto two = network.connect();
  door->drop_connections();
  EXPECT_TRUE(one->server_gone);
  EXPECT_TRUE(two->server_gone);
  EXPECT_EQ(core.sessions().size(), 1U);
}

}  // namespace
}  // namespace zkr::testing
