#include <gtest/gtest.h>

#include "sim/ensemble_world.hpp"

// Sessions in an ensemble: whose signs of life reach the leader, and when they end. T is 4 s, a tick 500 ms.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto timeout = 4s;
constexpr auto tick = ensemble_world::tick;
constexpr auto travel = 10ms;  // what messages take

constexpr create_options ephemeral() { return {.mode = create_mode::ephemeral}; }

/// A client with an ephemeral node falls silent. @return how long after its last packet and T the node is gone.
duration overtime(ensemble_world& at, std::size_t server, duration alive) {
  member_client one(at.world, server, {.session_timeout = timeout});
  EXPECT_TRUE(one.create("/mine", ephemeral()));
  at.world.run_for(alive);
  EXPECT_TRUE(one.get("/"));
  at.world.run_for(travel);
  const auto last = at.world.now();
  one.process.crash();
  EXPECT_TRUE(at.wait_until([&] { return at.world.nodes("/mine").empty(); }));
  return at.world.now() - last - timeout;
}

TEST(sim_ensemble_session, session_on_the_leader_ends_within_a_tick_of_its_time) {
  auto least = duration::max();
  auto most = duration::min();
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    ensemble_world at(seed);
    const auto late = overtime(at, at.leader(), 37ms * seed);
    least = std::min(least, late);
    most = std::max(most, late);
  }
  EXPECT_GE(least, -2 * travel);
  EXPECT_LE(most, tick + travel);
  EXPECT_LT(least, 100ms);
  EXPECT_GT(most, 400ms);
}

TEST(sim_ensemble_session, session_on_a_follower_lives_up_to_half_a_tick_longer) {
  auto most = duration::min();
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ensemble_world at(seed);
    const auto late = overtime(at, at.follower(), 37ms * seed);
    EXPECT_GE(late, -2 * travel) << seed;
    EXPECT_LE(late, tick + tick / 2 + travel) << seed;
    most = std::max(most, late);
  }
  EXPECT_GT(most, tick);
}

// The failure that leases have to withstand: an acknowledged write does not touch its session before the follower's next
// answer to a ping.
TEST(sim_ensemble_session, session_ends_right_after_an_acknowledged_write_through_a_follower) {
  constexpr auto short_timeout = 2s;
  int ended = 0;
  int alive = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    ensemble_world at(seed);
    member_client other(at.world, at.leader());
    ASSERT_TRUE(other.create("/b"));
    member_client one(at.world, at.follower(), {.session_timeout = short_timeout});
    ASSERT_TRUE(one.create("/mine", ephemeral()));
    at.world.run_for(1s + 13ms * seed);
    (void)one.begin_get("/");  // its reply waits until the process goes on, and keeps the connection then
    at.world.run_for(100us);
    one.process.pause();
    at.world.run_for(short_timeout + 7ms * seed);
    if (at.world.nodes("/mine").empty()) continue;
    one.process.resume();
    const auto write = one.begin_set("/b", "x");
    at.world.run_for(12ms);
    if (!write->has_value() || !**write || at.world.nodes("/mine").empty()) continue;
    const bool gone = at.wait_until([&] { return at.world.nodes("/mine").empty(); }, tick / 2);
    (gone ? ended : alive)++;
  }
  EXPECT_GT(ended, 3);
  EXPECT_GT(alive, 3);
}

TEST(sim_ensemble_session, new_leader_gives_each_session_its_whole_time_again) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    ensemble_world at(seed);
    member_client one(at.world, at.follower(), {.session_timeout = timeout});
    ASSERT_TRUE(one.create("/mine", ephemeral()));
    one.process.crash();
    at.world.run_for(3200ms + 20ms * seed);
    at.world.kill_server(at.leader());
    ASSERT_TRUE(at.wait_until([&] { return at.world.leader().has_value(); }));
    const auto serves = at.world.now();
    ASSERT_TRUE(at.wait_until([&] { return at.world.nodes("/mine").empty(); }));
    EXPECT_GE(at.world.now() - serves, timeout - travel);
    EXPECT_LE(at.world.now() - serves, timeout + tick + travel);
  }
}

TEST(sim_ensemble_session, all_ephemeral_nodes_of_a_session_go_at_once_on_each_server) {
  ensemble_world at;
  member_client one(at.world, at.follower(), {.session_timeout = timeout});
  for (const auto* path : {"/m1", "/m2", "/m3"}) ASSERT_TRUE(one.create(path, ephemeral()));
  one.process.crash();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(at.wait_until([&] { return at.world.nodes_of(i, "/m").size() != 3; }));
    EXPECT_TRUE(at.world.nodes_of(i, "/m").empty());
  }
}

TEST(sim_ensemble_session, session_moves_to_another_server_and_keeps_its_nodes) {
  ensemble_world at;
  member_client one(at.world, at.follower(0), {.session_timeout = timeout});
  one.process.use_servers({0, 1, 2});
  ASSERT_TRUE(one.create("/mine", ephemeral()));
  auto moving = at.world.add_process().connect({.session_timeout = timeout}).value();
  ASSERT_TRUE(at.wait_until([&] { return moving.session().state == session_state::connected; }));
  const auto generation = moving.session().generation;
  for (std::size_t server = 0; server < 3; ++server) {
    at.world.kill_server(server);
    at.world.run_for(5s);
    ASSERT_TRUE(at.wait_until([&] { return moving.session().state == session_state::connected; }));
    at.world.start_server(server);
    ASSERT_TRUE(at.wait_until([&] { return at.all_serve(); }));
  }
  EXPECT_EQ(moving.session().generation, generation);
}

TEST(sim_ensemble_session, server_that_is_behind_what_a_client_has_seen_is_no_server_for_it) {
  ensemble_world at;
  auto& process = at.world.add_process();
  process.use_servers({at.leader(), at.follower()});
  auto zk = process.connect({.session_timeout = timeout}).value();
  ASSERT_TRUE(at.wait_until([&] { return zk.session().state == session_state::connected; }));
  const auto here = *process.server();
  const auto next = here == at.leader() ? at.follower() : at.leader();
  member_client writer(at.world, here);
  at.world.lag_server(next, 1s);
  ASSERT_TRUE(writer.create("/a"));
  std::optional<result<node>> seen;
  zk.async_get("/a", [&](result<node> got) { seen.emplace(std::move(got)); });
  ASSERT_TRUE(at.wait_until([&] { return seen.has_value(); }));
  ASSERT_TRUE(*seen);
  at.world.drop_connections(process);
  const auto lost = at.world.now();
  at.world.run_for(5ms);
  process.cut(here);  // the other one is left
  at.world.run_for(500ms);
  EXPECT_NE(zk.session().state, session_state::connected);
  ASSERT_TRUE(at.wait_until([&] { return zk.session().state == session_state::connected; }, 4s));
  EXPECT_GE(at.world.now() - lost, 1s - 2 * travel);
  EXPECT_EQ(process.server(), next);
  std::optional<result<node>> again;
  zk.async_get("/a", [&](result<node> got) { again.emplace(std::move(got)); });
  ASSERT_TRUE(at.wait_until([&] { return again.has_value(); }));
  EXPECT_TRUE(*again);
}

TEST(sim_ensemble_session, read_on_a_server_that_lags_is_stale_and_not_after_a_sync) {
  ensemble_world at;
  member_client here(at.world, at.follower());
  member_client there(at.world, at.leader());
  ASSERT_TRUE(there.create("/a"));
  at.world.run_for(travel);
  at.world.lag_server(at.follower(), 1s);
  ASSERT_TRUE(there.set("/a", "new"));
  at.world.run_for(travel);
  EXPECT_EQ(here.get("/a")->data, "");
  const auto began = at.world.now();
  ASSERT_TRUE(here.end(here.begin<void>([&](auto done) { here.zk.async_sync("/a", std::move(done)); })));
  EXPECT_EQ(here.get("/a")->data, "new");
  EXPECT_LE(at.world.now() - began, 1s + 2 * travel);
}

}  // namespace
}  // namespace zkr::testing
