#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <random>
#include <vector>

#include "server/raw_client.hpp"
#include "support/eventually.hpp"
#include "zkrecipes/server.hpp"

// Small forms of what bench/server-load measures, without times: what is done to a server by some is nothing to others.
namespace zkr::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

using namespace std::chrono_literals;
using clients = std::vector<std::unique_ptr<raw_client>>;

class attack : public ::testing::Test {
 protected:
  attack() {
    options.tick_time = 100ms;
    options.max_session_timeout = 600'000ms;
    options.max_connections_per_address = 0;
  }

  static bool is_served(raw_client& client) {
    client.send(wire::exists_request{"/", false});
    return client.receive_code() == errc::ok;
  }
  static std::int64_t greet_for_long(raw_client& client) { return client.greet({0, 0, 600'000, 0, {}, false}); }
  static std::size_t resident_bytes() {
    std::size_t all = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }

  server_options options;
};

TEST_F(attack, many_sessions_end_together_and_no_other) {
  server one = server::start(options).value();
  raw_client other(one.port());
  ASSERT_NE(greet_for_long(other), 0);
  const std::size_t nodes = one.statistics().nodes;
  clients all;
  // Both ends are in this process, which may have no more than 1024 descriptors.
  for (int i = 0; i < 300; ++i) {
    all.push_back(std::make_unique<raw_client>(one.port()));
    ASSERT_NE(all.back()->greet({0, 0, 5'000 * time_factor(), 0, {}, false}), 0);
    all.back()->send(wire::create_request{wire::opcode::create, "/ephemeral-", "", open_acl(), 3});
    ASSERT_EQ(all.back()->receive_code(), errc::ok);
  }
  ASSERT_EQ(one.statistics().nodes, nodes + 300);
  for (const auto& each : all) each->send(wire::ping_request{}, wire::xid_ping);
  EXPECT_TRUE(eventually([&] { return one.statistics().expired_sessions == 300; }));
  EXPECT_EQ(one.statistics().nodes, nodes);
  EXPECT_EQ(one.statistics().sessions, 1U);
  EXPECT_TRUE(eventually([&] { return one.statistics().connections == 1; }));
  EXPECT_TRUE(is_served(other));
}

TEST_F(attack, connections_beyond_the_limit_are_closed_and_the_others_served) {
  options.max_connections_per_address = 20;
  server one = server::start(options).value();
  clients within;
  for (int i = 0; i < 20; ++i) {
    within.push_back(std::make_unique<raw_client>(one.port()));
    ASSERT_NE(greet_for_long(*within.back()), 0);
  }
  for (int i = 0; i < 100; ++i) {
    raw_client beyond(one.port());
    EXPECT_TRUE(beyond.is_closed());
  }
  for (const auto& each : within) EXPECT_TRUE(is_served(*each));
  // A place that is free is given again.
  within.pop_back();
  EXPECT_TRUE(eventually([&] { return one.statistics().connections == 19; }));
  raw_client next(one.port());
  EXPECT_NE(greet_for_long(next), 0);
}

TEST_F(attack, frames_that_are_never_whole_cost_little_memory_and_no_session) {
  const server one = server::start(options).value();
  clients others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(std::make_unique<raw_client>(one.port()));
    ASSERT_NE(greet_for_long(*others.back()), 0);
  }
  const std::string all_but_one = std::string("\0\x0f\x42\x40", 4) + std::string(999'999, 'x');
  const std::size_t before = resident_bytes();
  clients attackers;
  for (int i = 0; i < 100; ++i) {
    attackers.push_back(std::make_unique<raw_client>(one.port()));
    if (i % 2 == 0) {
      ASSERT_NE(greet_for_long(*attackers.back()), 0);
    }
    attackers.back()->send(all_but_one);
  }
  EXPECT_TRUE(eventually([&] { return one.statistics().connections < 60; })) << "100 MB of frames are kept";
  // Sanitizers keep what is freed.
  if (!sanitized) {
    EXPECT_LT(resident_bytes() - before, std::size_t{64} << 20U);
  }
  for (const auto& each : others) EXPECT_TRUE(is_served(*each));
}

TEST_F(attack, noise_costs_no_session) {
  server one = server::start(options).value();
  raw_client other(one.port());
  ASSERT_NE(greet_for_long(other), 0);
  const auto seed = static_cast<std::uint32_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::string noise(1U << 20U, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  for (int i = 0; i < 100; ++i) {
    raw_client attacker(one.port());
    if (i % 2 == 0) attacker.greet();
    // Half of it in a frame that can be read, of a request that is known.
    std::string bytes;
    wire::append_request_frame(bytes, 1, wire::set_data_request{"/", std::string_view(noise).substr(0, 60'000), -1});
    for (std::size_t at = 8 + random() % 8; at < bytes.size(); at += 1 + random() % 5'000) {
      bytes[at] = static_cast<char>(random());
    }
    attacker.send(bytes);
    attacker.send(std::string_view(noise).substr(random() % (noise.size() / 2)));
  }
  EXPECT_TRUE(eventually([&] { return one.statistics().connections == 1; }));
  EXPECT_TRUE(is_served(other));
}

}  // namespace
}  // namespace zkr::testing
