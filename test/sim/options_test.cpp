#include "sim/one_client.hpp"
#include "zkrecipes/recipes/leader_election.hpp"

// The effect of each of client_options that has to do with time, and of simulation_options.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

time_point lost_at(one_client& at) {
  EXPECT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::lost; }));
  return at.world.now();
}

TEST(sim_options, session_timeout_is_asked_for_and_clamped) {
  EXPECT_EQ(one_client({.session_timeout = 7s}).zk.session().timeout, 7s);
  EXPECT_EQ(one_client({.session_timeout = 100ms}).zk.session().timeout, 1s) << "two ticks";
  EXPECT_EQ(one_client({.session_timeout = 1h}).zk.session().timeout, 10s) << "twenty ticks";
}

TEST(sim_options, operation_timeout_is_the_deadline_where_a_call_names_none) {
  one_client at({.session_timeout = 4s, .operation_timeout = 700ms});
  at.process.cut();
  const auto began = at.world.now();
  EXPECT_EQ(at.get("/").error().code(), errc::timed_out);
  EXPECT_EQ(at.world.now() - began, 700ms);
}

TEST(sim_options, loss_timeout_is_when_a_silent_session_counts_as_lost) {
  const auto until_lost = [](std::optional<duration> loss_timeout) {
    one_client at({.session_timeout = 4s, .loss_timeout = loss_timeout});
    EXPECT_TRUE(at.get("/"));
    const auto heard = at.world.now();
    at.process.cut();
    return lost_at(at) - heard;
  };
  // Answers to pings are not seen: it counts from the last that must have come, which may be a third of T later, and the
  // simulated transport notices silence a twelfth of T late.
  constexpr duration timeout = 4s;
  const duration unseen = timeout / 3 + timeout / 12 + 10ms;
  const auto usual = until_lost(std::nullopt);
  EXPECT_GE(usual, timeout * 4 / 3 - 10ms);
  EXPECT_LE(usual, timeout * 4 / 3 + unseen);
  const auto longer = until_lost(20s);
  EXPECT_GE(longer, 20s - 10ms);
  EXPECT_LE(longer, 20s + unseen);
}

/// A leader, and how its lease is renewed.
struct leading : one_client {
  explicit leading(client_options options) : one_client(std::move(options)) {
    election.async_campaign([this](result<leadership> answer) { lead = *std::move(answer); });
    EXPECT_TRUE(world.run_until([&] { return lead.held(); }));
    world.run_for(1min);
  }
  /// The least that is left of the lease before a renewal.
  duration least() {
    auto found = duration::max();
    const auto end = world.now() + 1min;
    (void)world.run_until([&] {
      found = std::min(found, lead.remaining());
      return world.now() >= end;
    });
    EXPECT_TRUE(lead.held());
    return found;
  }

  leader_election election{zk, {.path = "/e", .id = "a"}};
  leadership lead;
};

TEST(sim_options, tick_time_lets_heartbeats_go_out_twice_as_often) {
  const auto usual = leading({.session_timeout = 8s}).least();
  const auto often = leading({.session_timeout = 8s, .tick_time = 500ms}).least();
  EXPECT_GT(often, usual + 8s / 4);
  EXPECT_LT((leading({.session_timeout = 8s, .tick_time = 4s}).least()), usual + 8s / 8) << "too long to be of use";
}

TEST(sim_options, follower_timeout_lets_one_heartbeat_renew_instead_of_two) {
  const auto usual = leading({.session_timeout = 8s}).least();
  EXPECT_GT((leading({.session_timeout = 8s, .follower_timeout = 4s}).least()), usual + 8s / 8);
  EXPECT_LT((leading({.session_timeout = 8s, .follower_timeout = 5s}).least()), usual + 8s / 8);
}

TEST(sim_options, lease_margin_is_taken_off_each_lease) {
  const auto usual = leading({.session_timeout = 8s, .follower_timeout = 4s}).least();
  const auto wider = leading({.session_timeout = 8s, .follower_timeout = 4s, .lease_margin = 2s}).least();
  EXPECT_NEAR(static_cast<double>((usual - wider).count()), static_cast<double>(duration(2s - 800ms).count()), 2e7);
}

TEST(sim_options, warn_before_is_when_at_risk_fires) {
  for (const duration before : {100ms, 1500ms}) {
    leading at({.session_timeout = 8s, .follower_timeout = 4s, .warn_before = before});
    const auto at_risk = at.lead.at_risk();
    at.process.cut();
    ASSERT_TRUE(at.world.run_until([&] { return at_risk.stop_requested(); }));
    EXPECT_EQ(at.lead.remaining(), before);
  }
}

TEST(simulation_effects, tick_time_is_how_late_sessions_end_at_most) {
  for (const duration tick : {duration(200ms), duration(1s)}) {
    simulation world({.tick_time = tick});
    auto& process = world.add_process();
    auto zk = process.connect({.session_timeout = 4s}).value();
    auto other = world.add_process().connect({.session_timeout = 4s}).value();
    std::optional<result<created>> made;
    zk.async_create("/mine", "", {.mode = create_mode::ephemeral}, [&](result<created> done) { made = done; });
    ASSERT_TRUE(world.run_until([&] { return made.has_value(); }));
    const auto heard = world.now();
    process.crash();
    ASSERT_TRUE(world.run_until([&] { return world.nodes("/mine").empty(); }));
    EXPECT_GE(world.now() - heard, 4s - 10ms);
    EXPECT_LE(world.now() - heard, 4s + tick + 10ms);
  }
}

TEST(simulation_effects, latencies_are_what_a_message_takes) {
  simulation world({.least_latency = 30ms, .most_latency = 50ms});
  auto zk = world.add_process().connect({.session_timeout = 4s}).value();
  ASSERT_TRUE(world.run_until([&] { return zk.session().state == session_state::connected; }));
  auto least = duration::max();
  auto most = duration::zero();
  for (int i = 0; i < 200; ++i) {
    std::optional<result<stat_t>> answer;
    const auto began = world.now();
    zk.async_exists("/", [&](result<stat_t> done) { answer = done; });
    ASSERT_TRUE(world.run_until([&] { return answer.has_value(); }));
    least = std::min(least, world.now() - began);
    most = std::max(most, world.now() - began);
  }
  EXPECT_GE(least, 60ms);
  EXPECT_LT(least, 75ms);
  EXPECT_GT(most, 85ms);
  EXPECT_LE(most, 101ms);
}

}  // namespace
}  // namespace zkr::testing
