#include <gtest/gtest.h>

#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/testing/simulation.hpp"

// A session that outlives its process, on virtual time.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

/// A process that has a session with the ephemeral node /mine, and dies.
struct resumed_session : ::testing::Test {
  resumed_session() {
    auto& process = world.add_process();
    auto zk = process.connect({.session_timeout = 4s}).value();
    std::optional<result<created>> made;
    zk.async_create("/mine", "", {.mode = create_mode::ephemeral}, [&](result<created> done) { made = done; });
    EXPECT_TRUE(world.run_until([&] { return made.has_value(); }));
    first = zk.session();
    ticket = zk.ticket().value();
    process.crash();
  }

  client resume(client_options options = {}) {
    options.session_timeout = 4s;
    options.resume = ticket;
    return later.connect(std::move(options)).value();
  }
  bool connected(const client& zk) {
    return world.run_until([&] { return zk.session().state == session_state::connected; });
  }

  simulation world;
  simulation::process& later = world.add_process();
  session_info first;
  std::optional<session_ticket> ticket;
};

TEST_F(resumed_session, goes_on_with_its_nodes) {
  auto zk = resume();
  ASSERT_TRUE(connected(zk));
  EXPECT_EQ(zk.session().id, first.id);
  EXPECT_EQ(zk.session().generation, 1U);
  EXPECT_TRUE(zk.session().resumed);
  world.run_for(1min);
  EXPECT_EQ(world.nodes("/mine").size(), 1U);
  EXPECT_EQ(zk.session().id, first.id);
}

TEST_F(resumed_session, that_is_over_is_followed_by_a_new_one_and_the_client_says_so) {
  world.run_for(10s);
  EXPECT_TRUE(world.nodes("/mine").empty());
  auto zk = resume();
  std::vector<session_state> states;
  const auto watching = zk.watch_session([&](const session_info& info) { states.push_back(info.state); });
  ASSERT_TRUE(connected(zk));
  world.run_for(10ms);
  EXPECT_EQ(states, (std::vector{session_state::connecting, session_state::lost, session_state::connecting,
                                 session_state::connected}));
  EXPECT_NE(zk.session().id, first.id);
  EXPECT_EQ(zk.session().generation, 2U);
  EXPECT_FALSE(zk.session().resumed);
}

TEST_F(resumed_session, that_is_over_is_not_followed_by_another_where_none_is_wanted) {
  world.run_for(10s);
  auto zk = resume({.on_session_loss = session_loss::stay_closed});
  ASSERT_TRUE(world.run_until([&] { return zk.session().state == session_state::lost; }));
  world.run_for(1min);
  EXPECT_EQ(zk.session().generation, 1U);
  EXPECT_EQ(zk.ticket().error().code(), errc::session_lost);
}

TEST_F(resumed_session, what_waited_for_it_is_not_done_in_another) {
  world.run_for(10s);
  auto zk = resume();
  std::optional<error> why;
  zk.async_create("/late", "", {}, [&](result<created> done) { why = done.error(); });
  ASSERT_TRUE(world.run_until([&] { return why.has_value(); }));
  EXPECT_EQ(why->code(), errc::session_lost);
  EXPECT_EQ(why->outcome(), outcome::not_applied);
  ASSERT_TRUE(connected(zk));
  EXPECT_TRUE(world.nodes("/late").empty());
}

TEST_F(resumed_session, with_a_wrong_password_is_none) {
  ticket.emplace(first.id, session_ticket::password{});
  auto zk = resume();
  ASSERT_TRUE(connected(zk));
  EXPECT_NE(zk.session().id, first.id);
  EXPECT_EQ(zk.session().generation, 2U);
}

TEST_F(resumed_session, is_refused_by_recipes_until_it_is_adopted) {
  auto zk = resume();
  leader_election election(zk, {.path = "/elect", .id = "a"});
  const auto campaign = [&] {
    std::optional<result<leadership>> got;
    election.async_campaign([&](result<leadership> answer) { got.emplace(std::move(answer)); });
    EXPECT_TRUE(world.run_until([&] { return got.has_value(); }));
    return std::move(*got);
  };
  const auto refused = campaign();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::invalid_state);
  EXPECT_NE(refused.error().message().find("adopt_session"), std::string::npos);
  EXPECT_TRUE(world.nodes("/elect").empty());
  zk.adopt_session();
  const auto led = campaign();
  ASSERT_TRUE(led) << led.error().message();
  EXPECT_TRUE(led->held());
}

TEST_F(resumed_session, a_new_one_in_its_place_is_not_refused_by_recipes) {
  world.run_for(10s);
  auto zk = resume();
  ASSERT_TRUE(connected(zk));
  leader_election election(zk, {.path = "/elect", .id = "a"});
  std::optional<result<leadership>> got;
  election.async_campaign([&](result<leadership> answer) { got.emplace(std::move(answer)); });
  ASSERT_TRUE(world.run_until([&] { return got.has_value(); }));
  EXPECT_TRUE(*got);
}

TEST_F(resumed_session, its_close_ends_it) {
  auto zk = resume();
  ASSERT_TRUE(connected(zk));
  zk.close();
  world.run_for(100ms);
  EXPECT_TRUE(world.nodes("/mine").empty());
}

}  // namespace
}  // namespace zkr::testing
