#include "zkrecipes/watch_stream.hpp"

#include "sim/one_client.hpp"

// A subscription that is asked, on virtual time.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct streams : ::testing::Test {
  template <typename Change>
  result<Change> next(watch_stream<Change>& of, call_options wait = {}) {
    return at.wait<Change>([&](handler<Change> done) { of.async_next(std::move(done), std::move(wait)); });
  }
  std::string data(watch_stream<node_change>& of) {
    const auto now = next(of);
    return now && now->node ? now->node->data : "none";
  }

  one_client at;
};

TEST_F(streams, give_the_present_state_and_then_what_follows) {
  watch_stream<node_change> states(at.zk, "/a");
  EXPECT_EQ(data(states), "none");
  ASSERT_TRUE(at.create("/a", "1"));
  EXPECT_EQ(data(states), "1");
  ASSERT_TRUE(at.set("/a", "2"));
  EXPECT_EQ(data(states), "2");
}

TEST_F(streams, pass_over_states_that_nobody_asks_for_but_never_the_last) {
  ASSERT_TRUE(at.create("/a", "0"));
  watch_stream<node_change> states(at.zk, "/a");
  EXPECT_EQ(data(states), "0");
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(at.set("/a", std::to_string(i)));
    at.world.run_for(100ms);
  }
  EXPECT_EQ(data(states), "5");
  EXPECT_EQ(next(states, {.timeout = 1s}).error().code(), errc::timed_out) << "there is nothing new";
}

TEST_F(streams, lose_nothing_by_calls_that_end_early) {
  ASSERT_TRUE(at.create("/a", "0"));
  watch_stream<node_change> states(at.zk, "/a");
  EXPECT_EQ(data(states), "0");
  const auto began = at.world.now();
  EXPECT_EQ(next(states, {.timeout = 300ms}).error().code(), errc::timed_out);
  EXPECT_EQ(at.world.now() - began, 300ms);
  std::stop_source stop;
  std::optional<errc> ended;
  states.async_next([&](const result<node_change>& answer) { ended = answer.error().code(); },
                    {.stop = stop.get_token()});
  stop.request_stop();
  EXPECT_FALSE(ended) << "not inside the call that stops";
  ASSERT_TRUE(at.world.run_until([&] { return ended.has_value(); }));
  EXPECT_EQ(ended, errc::cancelled);
  ASSERT_TRUE(at.set("/a", "1"));
  EXPECT_EQ(data(states), "1");
}

TEST_F(streams, go_on_in_a_new_session) {
  ASSERT_TRUE(at.create("/a", "1"));
  watch_stream<node_change> states(at.zk, "/a");
  watch_stream<session_info> sessions(at.zk);
  EXPECT_EQ(data(states), "1");
  EXPECT_EQ(next(sessions)->state, session_state::connected);
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().generation == 2; }));
  ASSERT_TRUE(at.set("/a", "2"));
  EXPECT_EQ(data(states), "2");
  const auto now = next(sessions);
  EXPECT_EQ(now->generation, 2U) << "what was between was passed over";
}

TEST_F(streams, of_children) {
  watch_stream<children_change> states(at.zk, "/");
  EXPECT_EQ(next(states)->children->names.size(), 1U);
  ASSERT_TRUE(at.create("/a"));
  EXPECT_EQ(next(states)->children->names.size(), 2U);
}

TEST_F(streams, answer_one_call_at_a_time) {
  watch_stream<node_change> states(at.zk, "/a");
  EXPECT_EQ(data(states), "none");
  std::optional<result<node_change>> first;
  states.async_next([&](result<node_change> answer) { first = std::move(answer); });
  EXPECT_EQ(next(states).error().code(), errc::invalid_state);
  ASSERT_TRUE(at.create("/a", "1"));
  ASSERT_TRUE(at.world.run_until([&] { return first.has_value(); }));
  EXPECT_EQ(first->value().node->data, "1") << "the refused one has taken nothing";
}

TEST_F(streams, end_with_the_client_and_with_themselves) {
  std::optional<watch_stream<node_change>> brief(std::in_place, at.zk, "/a");
  watch_stream<node_change> states(at.zk, "/a");
  watch_stream<session_info> sessions(at.zk);
  EXPECT_EQ(data(*brief), "none");
  std::optional<errc> ended;
  brief->async_next([&](const result<node_change>& answer) { ended = answer.error().code(); });
  brief.reset();
  ASSERT_TRUE(at.world.run_until([&] { return ended.has_value(); }));
  EXPECT_EQ(ended, errc::closed);

  EXPECT_EQ(data(states), "none");
  at.zk.close();
  EXPECT_EQ(next(states).error().code(), errc::closed);
  EXPECT_EQ(next(states).error().code(), errc::closed);
  EXPECT_EQ(next(sessions)->state, session_state::closed);
  EXPECT_EQ(next(sessions).error().code(), errc::closed);

  watch_stream<node_change> of_nobody{operations()};
  EXPECT_EQ(of_nobody.next().error().code(), errc::closed);
}

TEST_F(streams, may_be_destroyed_by_their_own_handler) {
  auto states = std::make_unique<watch_stream<node_change>>(at.zk, "/a");
  bool called = false;
  states->async_next([&](const result<node_change>& answer) {
    states.reset();
    called = answer.has_value();
  });
  ASSERT_TRUE(at.world.run_until([&] { return called; }));
  EXPECT_EQ(states, nullptr);
}

}  // namespace
}  // namespace zkr::testing
