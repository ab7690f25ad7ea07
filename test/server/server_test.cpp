#include "zkrecipes/server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/raw_client.hpp"
#include "unit/wire/hex.hpp"

// The whole server, on sockets.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

server start(server_options options = {}) {
  options.tick_time = 50ms;
  options.min_session_timeout = 100ms;
  options.max_session_timeout = 60'000ms;
  return server::start(std::move(options)).value();
}

wire::create_request make(std::string_view path, std::int32_t flags = 0) {
  return {wire::opcode::create, path, "", open_acl(), flags};
}

TEST(server, serves_from_the_moment_it_is_started) {
  server one = start();
  EXPECT_NE(one.port(), 0);
  EXPECT_EQ(one.connect_string(), "127.0.0.1:" + std::to_string(one.port()));
  raw_client client(one.port());
  const std::int64_t session = client.greet();
  EXPECT_EQ(one.sessions(), std::vector<std::int64_t>{session});
  client.send(make("/a"));
  EXPECT_EQ(client.receive_code(), errc::ok);
  const server_statistics counted = one.statistics();
  EXPECT_EQ(counted.requests, (std::map<std::int32_t, std::uint64_t>{{1, 1}}));
  EXPECT_EQ(counted.packets_received, 2U);
  EXPECT_EQ(counted.packets_sent, 2U);
  EXPECT_EQ(counted.connections, 1U);
  EXPECT_EQ(counted.sessions, 1U);
  EXPECT_EQ(counted.nodes, 5U);
  EXPECT_EQ(counted.last_zxid, 2);
}

TEST(server, refuses_options_out_of_range) {
  const auto code = [](server_options options) {
    const result<server> started = server::start(std::move(options));
    return started ? errc::ok : started.error().code();
  };
  EXPECT_EQ(code({.tick_time = 0ms}), errc::invalid_argument);
  EXPECT_EQ(code({.min_session_timeout = 0ms}), errc::invalid_argument);
  EXPECT_EQ(code({.min_session_timeout = 5000ms, .max_session_timeout = 4000ms}), errc::invalid_argument);
  EXPECT_EQ(code({.reap_interval = 0ms}), errc::invalid_argument);
  EXPECT_EQ(code({.max_frame_bytes = 1}), errc::invalid_argument);
  EXPECT_EQ(code({.handshake_timeout = 0ms}), errc::invalid_argument);
  EXPECT_EQ(code({.address = "localhost"}), errc::resolve_failed);
  EXPECT_EQ(code({.address = "203.0.113.1"}), errc::io_error);
  const server one = start();
  EXPECT_EQ(code({.port = one.port()}), errc::io_error) << "in use";
}

TEST(server, listens_on_all_addresses_if_told_so) {
  EXPECT_EQ(start({.address = "0.0.0.0"}).connect_string().substr(0, 10), "127.0.0.1:");
}

TEST(server, names_its_thread_as_it_is_told) {
  const auto threads_named = [](const std::string& name) {
    int found = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string text;
      std::getline(std::ifstream(thread.path() / "comm"), text);
      found += text == name ? 1 : 0;
    }
    return found;
  };
  server_options options;
  options.thread_name = "zk-of-a-test";
  const server one = start(options);
  const server other = start();
  for (const auto* each : {&one, &other}) (void)each->statistics();  // made on the thread, which has begun then
  EXPECT_EQ(threads_named("zk-of-a-test"), 1);
  EXPECT_EQ(threads_named("zkr-server"), 1);
}

TEST(server, stops_once_and_leaves_its_port_to_the_next) {
  server first = start();
  const std::uint16_t port = first.port();
  raw_client client(port);
  client.greet();
  first.stop();
  first.stop();
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(first.statistics().sessions, 1U) << "what it counted can still be read";
  EXPECT_FALSE(first.expire_session(1));
  first.drop_connections();
  for (int i = 0; i < 5; ++i) {
    server next = start({.port = port});
    raw_client again(port);
    EXPECT_NE(again.greet(), 0);
  }
}

TEST(server, can_be_moved_and_used_from_many_threads) {
  server one = start();
  server moved = std::move(one);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&moved] {
      for (int n = 0; n < 50; ++n) {
        static_cast<void>(moved.statistics());
        raw_client client(moved.port());
        moved.expire_session(client.greet());
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(moved.statistics().sessions, 0U);
  EXPECT_EQ(moved.statistics().expired_sessions, 200U);
}

TEST(server, takes_the_largest_frame_and_not_one_byte_more) {
  server one = start();
  raw_client client(one.port());
  client.greet();
  const std::size_t overhead = 8 + 4;
  client.send(wire::sync_request{std::string(1'048'575 - overhead, 'x')});
  EXPECT_EQ(client.receive_frame().size(), 16U + 4U + 1'048'575U - overhead);
  client.send(wire::sync_request{std::string(1'048'576 - overhead, 'x')});
  EXPECT_TRUE(client.is_closed());
}

TEST(server, input_may_come_in_any_pieces) {
  server one = start();
  raw_client client(one.port());
  std::string bytes;
  wire::append_connect_request_frame(bytes, {0, 0, 10'000, 0, {}, false});
  wire::append_request_frame(bytes, 1, make("/a"));
  for (const char byte : bytes) client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.receive(41).size(), 41U);
  EXPECT_EQ(client.receive_code(), errc::ok);
}

// More than the buffers between hold: the server must stop reading, and go on when the client takes its replies.
TEST(server, a_flood_that_nobody_reads_does_not_get_stuck) {
  server one = start();
  raw_client client(one.port());
  client.greet();
  const std::string large(200'000, 'x');
  client.send(wire::create_request{wire::opcode::create, "/large", large, open_acl(), 0});
  ASSERT_EQ(client.receive_code(), errc::ok);
  constexpr std::size_t requests = 500;
  std::string flood;
  for (std::size_t i = 0; i < requests; ++i)
    wire::append_request_frame(flood, 2, wire::get_data_request{"/large", false});
  client.send(flood);
  raw_client other(one.port());
  other.greet();
  other.send(make("/b"));
  EXPECT_EQ(other.receive_code(), errc::ok);
  const std::size_t reply = 4 + 16 + 4 + large.size() + 68;
  for (std::size_t i = 0; i < requests; ++i) ASSERT_EQ(client.receive(reply).size(), reply);
}

TEST(server, garbage_does_not_disturb_others) {
  server one = start({.max_connections_per_address = 0});
  raw_client good(one.port());
  good.greet();
  std::uint32_t seed = 1;
  for (int i = 0; i < 100; ++i) {
    raw_client bad(one.port());
    std::string noise;
    for (int n = 0; n < 300; ++n) {
      seed = seed * 1664525 + 1013904223;
      noise.push_back(static_cast<char>(seed >> 24U));
    }
    if (i % 2 == 0) bad.greet();
    bad.send(noise);
  }
  good.send(make("/a"));
  EXPECT_EQ(good.receive_code(), errc::ok);
}

TEST(server, answers_four_letter_words) {
  server one = start({.four_letter_words = {"ruok"}});
  raw_client allowed(one.port());
  allowed.send("ruok");
  EXPECT_EQ(allowed.receive_all(), "imok");
  raw_client refused(one.port());
  refused.send("stat");
  EXPECT_EQ(refused.receive_all(), "stat is not executed because it is not in the whitelist.\n");
}

TEST(server, connections_from_one_address_are_limited) {
  server one = start({.max_connections_per_address = 1});
  raw_client first(one.port());
  first.greet();
  raw_client second(one.port());
  EXPECT_TRUE(second.is_closed());
  first.send(wire::ping_request{});
  EXPECT_EQ(first.receive_code(), errc::ok);
}

TEST(server, ends_silent_sessions_and_silent_strangers) {
  server one = start({.handshake_timeout = 100ms});
  raw_client stranger(one.port());
  raw_client client(one.port());
  client.greet({0, 0, 150, 0, {}, false});
  EXPECT_TRUE(stranger.is_closed());
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(one.statistics().sessions, 0U);
}

TEST(server, faults_drop_connections_and_expire_sessions) {
  server one = start();
  raw_client client(one.port());
  const std::int64_t session = client.greet();
  client.send(make("/e", 1));
  ASSERT_EQ(client.receive_code(), errc::ok);
  one.drop_connections();
  EXPECT_TRUE(client.is_closed());

  raw_client back(one.port());
  EXPECT_EQ(back.greet({0, 0, 10'000, session, client.password, false}), session);
  back.send(wire::exists_request{"/e", true});
  EXPECT_EQ(back.receive_code(), errc::ok);
  raw_client other(one.port());
  other.greet();
  other.send(wire::exists_request{"/e", true});
  EXPECT_EQ(other.receive_code(), errc::ok);
  EXPECT_TRUE(one.expire_session(session));
  EXPECT_FALSE(one.expire_session(session));
  EXPECT_TRUE(back.is_closed());
  const std::string event = other.receive_frame();
  EXPECT_EQ(to_hex(event),
            "ffffffff"
            "ffffffffffffffff"
            "00000000"
            "00000002"
            "00000003"
            "00000002"
            "2f65");
  raw_client too_late(one.port());
  EXPECT_EQ(too_late.greet({0, 0, 10'000, session, client.password, false}), 0);
}

TEST(server, a_paused_one_does_nothing_and_counts_the_time_all_the_same) {
  server one = start();
  raw_client patient(one.port());
  patient.greet({0, 0, 60'000, 0, {}, false});
  raw_client hasty(one.port());
  hasty.greet({0, 0, 100, 0, {}, false});
  one.pause();
  patient.send(make("/a"));
  raw_client newcomer(one.port());
  newcomer.send("ruok");
  EXPECT_TRUE(patient.is_quiet(300ms));
  EXPECT_TRUE(newcomer.is_quiet(0ms));
  EXPECT_EQ(one.statistics().sessions, 2U) << "frozen, but it can be looked at";
  hasty.send(wire::ping_request{});
  one.resume();
  EXPECT_EQ(patient.receive_code(), errc::ok);
  EXPECT_EQ(newcomer.receive_all(), "imok");
  EXPECT_TRUE(hasty.is_closed()) << "its time was over before its ping was read";
}

TEST(server, shows_its_figures_paused_and_stopped_too) {
  server one = start();
  one.pause();
  const auto has = [&](std::string_view text, std::string_view part) { return text.find(part) != std::string::npos; };
  for (const bool stopped : {false, true}) {
    if (stopped) one.stop();
    EXPECT_TRUE(has(one.metrics(), "\nznode_count 4\n"));
    EXPECT_TRUE(has(one.admin("srvr"), "\"node_count\": 4"));
    EXPECT_TRUE(has(one.admin("\xff"), "Unknown command"));
  }
  for (const std::string& name : server::admin_commands()) EXPECT_FALSE(has(one.admin(name), "Unknown")) << name;
}

TEST(server, tells_its_log) {
  std::vector<std::string> lines;
  {
    server_options options;
    options.log = [&](log_level, const std::string& line) { lines.push_back(line); };
    server one = server::start(options).value();
    raw_client(one.port()).greet();
  }
  ASSERT_EQ(lines.size(), 2U) << "debug is not told";
  EXPECT_EQ(lines.front().rfind("event=started version=3.8.0-zkrecipes address=127.0.0.1 port=", 0), 0U);
  EXPECT_EQ(lines.back().rfind("event=stopped uptime_ms=", 0), 0U);
}

TEST(server, can_be_stopped_while_it_is_paused) {
  server one = start();
  raw_client client(one.port());
  client.greet();
  one.pause();
  one.stop();
  EXPECT_TRUE(client.is_closed());
}

}  // namespace
}  // namespace zkr::testing
