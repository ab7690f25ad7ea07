#include <gtest/gtest.h>

#include "sim/ensemble_world.hpp"

// Ensembles without faults, and their leaders' ends.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr create_options ephemeral() { return {.mode = create_mode::ephemeral}; }

TEST(sim_ensemble, serves_soon_after_its_start) {
  for (const std::size_t servers : {2U, 3U, 5U}) {
    SCOPED_TRACE(servers);
    simulation world({.servers = servers});
    ASSERT_TRUE(world.run_until([&] { return world.leader().has_value(); }, 2s));
    for (std::size_t i = 0; i < servers; ++i) {
      EXPECT_TRUE(world.run_until([&] { return world.serves(i); }, 2s));
    }
    EXPECT_EQ(world.leader(), servers - 1);  // equal histories: the highest number
  }
}

TEST(sim_ensemble, write_through_any_server_is_read_from_all) {
  ensemble_world at;
  member_client one(at.world, at.leader());
  member_client other(at.world, at.follower());
  ASSERT_TRUE(one.create("/a"));
  const auto made = other.create("/b");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_GT(made->stat.czxid, std::int64_t{1} << 32U);  // of the first epoch
  at.world.run_for(10ms);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(at.world.nodes_of(i), at.world.nodes()) << i;
  EXPECT_TRUE(one.get("/b"));
  EXPECT_EQ(other.set("/a", "x")->version, 1);
  EXPECT_EQ(other.get("/a")->data, "x");
}

TEST(sim_ensemble, another_leads_within_half_a_second_and_nothing_is_lost) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    const auto first = at.leader();
    member_client one(at.world, at.follower());
    ASSERT_TRUE(one.create("/a", ephemeral()));
    const auto before = at.world.now();
    at.world.kill_server(first);
    ASSERT_TRUE(one.set("/a", "x").has_value() || one.set("/a", "y").has_value());
    EXPECT_NE(at.leader(), first);
    EXPECT_LT(at.world.now() - before, 760ms);
    EXPECT_GT(at.world.now() - before, 200ms);
    EXPECT_EQ(one.zk.session().generation, 1U);
    EXPECT_EQ(one.zk.session().connection, 2U);  // all servers close their connections when the leader goes
    at.world.start_server(first);
    ASSERT_TRUE(at.wait_until([&] { return at.all_serve(); }, 2s));
    at.world.run_for(10ms);
    EXPECT_EQ(at.world.nodes_of(first), at.world.nodes());
  }
}

TEST(sim_ensemble, pipelined_writes_of_a_lost_leader_are_applied_as_a_prefix) {
  int answered = 0;
  int lost = 0;
  int applied_unanswered = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    member_client one(at.world, seed % 2 == 0 ? at.leader() : at.follower());
    one.process.use_servers({0, 1, 2});
    std::vector<member_client::answer<created>> answers;
    const auto name = [](int i) { return "/n" + std::to_string(100 + i); };
    for (int i = 0; i < 100; ++i) {
      answers.push_back(one.begin_create(name(i)));
      at.world.run_for(500us);
      if (i == 60) at.world.kill_server(at.leader());
    }
    ASSERT_TRUE(at.wait_until([&] { return at.world.leader().has_value(); }));
    at.world.run_for(10s);
    const auto there = at.world.nodes("/n");
    bool gap = false;
    for (int i = 0; i < 100; ++i) {
      const bool is_there = std::find(there.begin(), there.end(), name(i)) != there.end();
      ASSERT_TRUE(answers[static_cast<std::size_t>(i)]->has_value());
      const auto& got = **answers[static_cast<std::size_t>(i)];
      if (got) {
        ++answered;
        EXPECT_TRUE(is_there) << i;
        continue;
      }
      ++lost;
      if (got.error().outcome() == outcome::not_applied) continue;
      EXPECT_FALSE(gap && is_there) << i;
      gap = gap || !is_there;
      if (is_there) ++applied_unanswered;
    }
  }
  EXPECT_GT(answered, 1000);
  EXPECT_GT(lost, 100);
  EXPECT_GT(applied_unanswered, 0);
}

TEST(sim_ensemble, same_seed_gives_the_same_history) {
  const auto history = [](std::uint64_t seed) {
    ensemble_world at(seed);
    std::string told;
    std::vector<std::unique_ptr<member_client>> clients;
    for (std::size_t i = 0; i < 3; ++i) clients.push_back(std::make_unique<member_client>(at.world, i));
    const auto note = [&](std::string what) {
      told += std::to_string(at.world.now().time_since_epoch().count()) + " " + std::move(what) + "\n";
    };
    (void)clients[0]->create("/a");
    for (int round = 0; round < 50; ++round) {
      auto& one = *clients[static_cast<std::size_t>(round % 3)];
      one.zk.async_set("/a", std::to_string(round), any_version, [&note, round](const result<stat_t>& got) {
        note(std::to_string(round) + (got ? " zxid " + std::to_string(got->mzxid) : got.error().message()));
      });
      at.world.run_for(30ms);
      if (round == 20) at.world.kill_server(at.leader());
      if (round == 30) at.world.pause_server(0);
      if (round == 40) at.world.resume_server(0);
    }
    at.world.run_for(20s);
    return told;
  };
  const auto first = history(7);
  EXPECT_GT(std::count(first.begin(), first.end(), '\n'), 49);
  EXPECT_EQ(first, history(7));
  EXPECT_NE(first, history(8));
}

}  // namespace
}  // namespace zkr::testing
