#include <gtest/gtest.h>

#include "sim/one_client.hpp"

// Processes that stop, go on, start anew and have clocks of their own.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

TEST(sim_process, nothing_of_a_paused_process_runs_and_all_of_it_when_it_goes_on) {
  one_client at;
  ASSERT_TRUE(at.create("/a", "x"));
  std::optional<result<node>> got;
  at.zk.async_get("/a", [&](result<node> answer) { got.emplace(std::move(answer)); });
  at.process.pause();
  at.world.run_for(2s);
  EXPECT_FALSE(got);
  at.process.resume();
  at.world.run_for(10ms);
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got);
  EXPECT_EQ(at.zk.session().generation, 1U);
}

TEST(sim_process, session_of_a_process_that_is_paused_for_too_long_ends) {
  one_client at;  // 4 s
  ASSERT_TRUE(at.create("/mine", "", {.mode = create_mode::ephemeral}));
  at.process.pause();
  at.world.run_for(5s);
  EXPECT_TRUE(at.world.nodes("/mine").empty());
  at.process.resume();
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().generation == 2U; }));
}

TEST(sim_process, fresh_process_takes_the_place_of_the_old_one) {
  one_client at;
  ASSERT_TRUE(at.create("/mine", "", {.mode = create_mode::ephemeral}));
  bool late = false;
  at.zk.async_get("/mine", [&](const result<node>&) { late = true; });
  at.process.restart();
  auto again = at.process.connect().value();
  ASSERT_TRUE(at.world.run_until([&] { return again.session().state == session_state::connected; }));
  EXPECT_EQ(at.world.nodes("/mine").size(), 1U);  // the old session lives
  at.world.run_for(5s);
  EXPECT_TRUE(at.world.nodes("/mine").empty());
  EXPECT_FALSE(late);
}

TEST(sim_process, clock_goes_at_its_own_rate) {
  for (const double rate : {0.5, 1.0, 2.0}) {
    SCOPED_TRACE(rate);
    simulation world;
    auto& process = world.add_process();
    process.set_clock_rate(rate);
    auto zk = process.connect().value();
    ASSERT_TRUE(world.run_until([&] { return zk.session().state == session_state::connected; }));
    process.cut();
    const auto began = world.now();
    bool over = false;
    zk.async_get("/", [&](const result<node>&) { over = true; }, {}, {.timeout = 1s});
    ASSERT_TRUE(world.run_until([&] { return over; }));
    EXPECT_NEAR(std::chrono::duration<double>(world.now() - began).count(), 1 / rate, 1e-6);
  }
}

TEST(sim_process, link_to_a_server_can_be_cut_in_one_direction) {
  one_client at;
  ASSERT_TRUE(at.create("/a", "0"));
  at.process.cut(0, cut_way::back);
  std::optional<result<stat_t>> got;
  at.zk.async_set("/a", "1", any_version, [&](result<stat_t> answer) { got.emplace(std::move(answer)); });
  at.world.run_for(100ms);
  EXPECT_FALSE(got);
  at.process.heal();
  at.world.run_for(1ms);
  ASSERT_TRUE(got);
  EXPECT_EQ((*got)->version, 1);  // it had reached the server
}

TEST(sim_process, server_that_is_paused_answers_when_it_goes_on) {
  one_client at;
  at.world.pause_server(0);
  std::optional<result<node>> got;
  at.zk.async_get("/", [&](result<node> answer) { got.emplace(std::move(answer)); });
  at.world.run_for(1s);
  EXPECT_FALSE(got);
  at.world.resume_server(0);
  at.world.run_for(10ms);
  EXPECT_TRUE(got);
}

TEST(sim_process, server_that_was_killed_keeps_sessions_and_data) {
  one_client at;
  ASSERT_TRUE(at.create("/mine", "", {.mode = create_mode::ephemeral}));
  at.world.kill_server(0);
  at.world.run_for(10s);
  EXPECT_EQ(at.zk.session().state, session_state::connecting);
  at.world.start_server(0);
  EXPECT_EQ(at.world.nodes("/mine").size(), 1U);
  at.world.run_for(5s);
  EXPECT_TRUE(at.world.nodes("/mine").empty());  // its whole time-out later
}

}  // namespace
}  // namespace zkr::testing
