#include <gtest/gtest.h>

#include "sim/ensemble_world.hpp"

// What clients of servers see that have lost their quorum, and do not know it yet. The bounds are those that were measured
// with Apache ZooKeeper 3.8.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto wake_up = 20ms;  // what a member takes to notice, beyond its limit

TEST(sim_deposed, isolated_leader_answers_reads_and_syncs_from_the_past_until_it_steps_down) {
  int stale = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    const auto old = at.leader();
    member_client writer(at.world, old);
    member_client reader(at.world, old);
    member_client there(at.world, at.follower());
    ASSERT_TRUE(there.create("/a"));
    at.world.run_for(10ms);
    const auto cut = at.world.now();
    at.world.isolate_server(old);
    const auto write = writer.begin_set("/a", "lost");
    ASSERT_TRUE(at.wait_until([&] { return at.world.leader() != old; }));
    EXPECT_GE(at.world.now() - cut, ensemble_world::patience - ensemble_world::tick / 2);
    EXPECT_LE(at.world.now() - cut, ensemble_world::patience + 500ms);
    const auto set = there.begin_set("/a", "new");
    (void)at.wait_until([&] { return set->has_value() || !at.world.serves(old); });
    if (set->has_value() && *set && at.world.serves(old)) {  // both lead
      const auto sync = reader.begin<void>([&](auto done) { reader.zk.async_sync("/a", std::move(done)); });
      const auto read = reader.begin_get("/a");
      at.world.run_for(5ms);
      if (at.world.serves(old)) {
        ASSERT_TRUE(sync->has_value() && read->has_value());
        EXPECT_TRUE(**sync);
        EXPECT_EQ((*read)->value().data, "");
        ++stale;
      }
    }
    ASSERT_TRUE(at.wait_until([&] { return !at.world.serves(old); }));
    EXPECT_GE(at.world.now() - cut, ensemble_world::patience - ensemble_world::tick / 2);
    EXPECT_LE(at.world.now() - cut, ensemble_world::patience + ensemble_world::tick + wake_up);
    EXPECT_EQ(writer.end(write).error().outcome(), outcome::unknown);
    at.world.heal_servers();
    ASSERT_TRUE(at.wait_until([&] { return at.all_serve(); }, 2s));
    ASSERT_TRUE(there.set("/a", "newer"));
    ASSERT_TRUE(writer.end(writer.begin<void>([&](auto done) { writer.zk.async_sync("/a", std::move(done)); })));
    EXPECT_EQ(writer.get("/a")->data, "newer");
  }
  EXPECT_GT(stale, 0);
}

TEST(sim_deposed, follower_that_is_cut_off_answers_reads_until_its_patience_ends) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    const auto away = at.follower();
    member_client here(at.world, away);
    member_client there(at.world, at.leader());
    ASSERT_TRUE(there.create("/a"));
    at.world.run_for(10ms);
    const auto cut = at.world.now();
    at.world.isolate_server(away);
    const auto write = here.begin_create("/b");
    const auto after = here.begin_get("/a");
    ASSERT_TRUE(there.set("/a", "new"));
    at.world.run_for(2s);
    EXPECT_FALSE(write->has_value());
    EXPECT_FALSE(after->has_value());  // behind the write
    ASSERT_TRUE(at.wait_until([&] { return !at.world.serves(away); }));
    EXPECT_GE(at.world.now() - cut, ensemble_world::patience - ensemble_world::tick / 2 - wake_up);
    EXPECT_LE(at.world.now() - cut, ensemble_world::patience + wake_up);
    EXPECT_EQ(here.end(write).error().outcome(), outcome::unknown);
  }
}

TEST(sim_deposed, sync_limit_is_how_many_ticks_a_follower_bears_silence) {
  for (const std::size_t limit : {2U, 10U}) {
    simulation world({.servers = 3, .sync_limit = limit});
    ASSERT_TRUE(
        world.run_until([&] { return world.leader() && world.serves(0) && world.serves(1) && world.serves(2); }));
    const std::size_t away = *world.leader() == 0 ? 1 : 0;
    const auto cut = world.now();
    world.isolate_server(away);
    ASSERT_TRUE(world.run_until([&] { return !world.serves(away); }));
    const auto patience = static_cast<int>(limit) * ensemble_world::tick;
    EXPECT_GE(world.now() - cut, patience - ensemble_world::tick / 2 - wake_up);
    EXPECT_LE(world.now() - cut, patience + wake_up);
  }
}

TEST(sim_deposed, read_on_a_follower_that_is_cut_off_is_stale) {
  ensemble_world at;
  member_client here(at.world, at.follower());
  member_client there(at.world, at.leader());
  ASSERT_TRUE(there.create("/a"));
  at.world.run_for(10ms);
  at.world.isolate_server(at.follower());
  ASSERT_TRUE(there.set("/a", "new"));
  EXPECT_EQ(here.get("/a")->data, "");
  const auto sync = here.begin<void>([&](auto done) { here.zk.async_sync("/a", std::move(done)); });
  at.world.run_for(2s);
  EXPECT_FALSE(sync->has_value());  // the leader has to say it
}

TEST(sim_deposed, paused_leader_that_goes_on_answers_from_the_past_for_a_tick_at_most) {
  int stale = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    const auto old = at.leader();
    member_client here(at.world, old, {.session_timeout = 10s});
    member_client there(at.world, at.follower());
    there.process.use_servers({0, 1, 2});
    ASSERT_TRUE(there.create("/a"));
    at.world.run_for(10ms);
    at.world.pause_server(old);
    const auto paused = at.world.now();
    ASSERT_TRUE(at.wait_until([&] { return at.world.leader() != old; }));
    EXPECT_GE(at.world.now() - paused, ensemble_world::patience - ensemble_world::tick / 2);
    EXPECT_LE(at.world.now() - paused, ensemble_world::patience + 500ms);
    const auto set = there.set("/a", "new");
    ASSERT_TRUE(set || there.set("/a", "new"));
    const auto read = here.begin_get("/a");
    at.world.run_for(100ms);
    EXPECT_FALSE(read->has_value());
    at.world.resume_server(old);
    const auto resumed = at.world.now();
    at.world.run_for(8ms);
    if (read->has_value() && at.world.serves(old)) {
      EXPECT_EQ((*read)->value().data, "");
      ++stale;
    }
    ASSERT_TRUE(at.wait_until([&] { return !at.world.serves(old); }));
    EXPECT_LE(at.world.now() - resumed, ensemble_world::tick + wake_up);
  }
  EXPECT_GT(stale, 5);
}

TEST(sim_deposed, write_to_an_isolated_leader_comes_true_or_not) {
  int came_true = 0;
  int vanished = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    const auto old = at.leader();
    member_client here(at.world, old);
    here.process.use_servers({0, 1, 2});
    at.world.isolate_server(old);
    const auto write = here.begin_create("/a");
    // Healed before the others have another leader, or after.
    if (seed % 2 == 0) {
      ASSERT_TRUE(at.wait_until([&] { return at.world.leader() != old; }));
    } else {
      at.world.run_for(1s);
    }
    at.world.heal_servers();
    at.world.run_for(5s);
    ASSERT_TRUE(write->has_value());
    const bool there = !at.world.nodes("/a").empty();
    (there ? came_true : vanished)++;
    if (!there) {
      EXPECT_EQ((*write)->error().outcome(), outcome::unknown);
    }
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(at.world.nodes_of(i), at.world.nodes());
  }
  EXPECT_GT(came_true, 5);
  EXPECT_GT(vanished, 5);
}

TEST(sim_deposed, no_majority_no_service) {
  ensemble_world at;
  member_client one(at.world, at.leader());
  const auto began = at.world.now();
  at.world.kill_server(at.follower(0));
  at.world.kill_server(at.follower(1));
  ASSERT_TRUE(at.wait_until([&] { return !at.world.leader().has_value(); }));
  EXPECT_LE(at.world.now() - began, ensemble_world::patience + ensemble_world::tick + wake_up);
  at.world.run_for(20s);
  EXPECT_FALSE(at.world.leader());
  at.world.start_server(0);
  at.world.start_server(1);
  at.world.start_server(2);
  EXPECT_TRUE(at.wait_until([&] { return at.all_serve(); }, 2s));
}

}  // namespace
}  // namespace zkr::testing
