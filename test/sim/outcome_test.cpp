#include <gtest/gtest.h>

#include "support/operation_cases.hpp"
#include "zkrecipes/testing/simulation.hpp"

// Every operation, with its request or its reply lost or late: what the error says of it, and what the server has.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

class sim_outcome : public ::testing::TestWithParam<operation_case> {
 protected:
  static constexpr auto one_way = 10ms;
  simulation world{{.least_latency = one_way, .most_latency = one_way}};
  simulation::process& process = world.add_process();
  simulation::process& other_process = world.add_process();
  client zk = process.connect({.session_timeout = 4s}).value();
  client other = other_process.connect({.session_timeout = 4s}).value();
  std::optional<result<void>> got;

  void SetUp() override {
    EXPECT_TRUE(wait<created>([&](auto done) { other.async_create("/node", "old", {}, std::move(done)); }));
    EXPECT_TRUE(wait<created>([&](auto done) { other.async_create("/leaf", "", {}, std::move(done)); }));
    EXPECT_TRUE(world.run_until([&] { return zk.session().state == session_state::connected; }));
  }

  template <typename T, typename Start>
  result<T> wait(Start start) {
    std::optional<result<T>> answer;
    start(handler<T>([&answer](result<T> value) { answer.emplace(std::move(value)); }));
    EXPECT_TRUE(world.run_until([&] { return answer.has_value(); }));
    return *std::move(answer);
  }
  void start(call_options how = {}) {
    const auto take = [this](result<void> answer) {
      EXPECT_FALSE(got) << "a second answer";
      got.emplace(std::move(answer));
    };
    GetParam().start(zk, take, how);
  }
  void finish() {
    ASSERT_TRUE(world.run_until([&] { return got.has_value(); }));
  }

  /// Whether the server shows it, once; nothing shows a read.
  bool applied() {
    const auto& what = GetParam();
    if (world.nodes("/made").size() != what.made) return false;
    return !what.applied || what.applied([&](std::string path) {
      return wait<node>([&](auto done) { other.async_get(path, std::move(done)); });
    });
  }
  bool untouched() {
    const auto now = wait<node>([&](auto done) { other.async_get("/node", std::move(done)); });
    return world.nodes("/made").empty() && world.nodes("/leaf").size() == 1 && now && now->stat.version == 0 &&
           now->stat.aversion == 0;
  }
  void expect_failure(errc code, outcome what, bool sent) {
    ASSERT_FALSE(*got);
    EXPECT_EQ(got->error().code(), code) << got->error().message();
    EXPECT_EQ(got->error().outcome(), what) << got->error().message();
    EXPECT_EQ(got->error().sent(), sent);
    EXPECT_FALSE(got->error().operation().empty());
  }
  /// Of a read: not_applied. It changes nothing, so nothing of it can be in doubt.
  [[nodiscard]] static outcome in_doubt() { return GetParam().write ? outcome::unknown : outcome::not_applied; }
};

TEST_P(sim_outcome, reply_lost_after_it_was_applied) {
  world.lose_next_reply(process);
  start();
  finish();
  if (!GetParam().write) {
    EXPECT_TRUE(*got) << "reads are repeated: " << got->error().message();
    return;
  }
  expect_failure(errc::connection_loss, outcome::unknown, true);
  EXPECT_TRUE(applied()) << "once, and not repeated";
  world.run_for(10s);
  EXPECT_TRUE(applied());
}

TEST_P(sim_outcome, request_lost_before_it_was_applied) {
  world.lose_next_request(process);
  start();
  finish();
  if (!GetParam().write) {
    EXPECT_TRUE(*got) << "reads are repeated: " << got->error().message();
    return;
  }
  expect_failure(errc::connection_loss, outcome::unknown, true);
  world.run_for(10s);
  EXPECT_TRUE(untouched()) << "not repeated";
}

TEST_P(sim_outcome, reply_delayed_past_the_deadline) {
  start({.timeout = 5 * one_way});
  world.run_for(one_way * 3 / 2);  // the request has arrived, the reply is on its way
  process.cut();
  finish();
  expect_failure(errc::timed_out, in_doubt(), true);
  EXPECT_TRUE(applied());
  process.heal();  // the late reply comes, and finds nobody
  world.run_for(1s);
  EXPECT_TRUE(applied());
  EXPECT_EQ(zk.session().connection, 1U);
}

TEST_P(sim_outcome, request_delayed_past_the_deadline_is_applied_after_it) {
  start({.timeout = 5 * one_way});
  process.cut();
  finish();
  expect_failure(errc::timed_out, in_doubt(), true);
  EXPECT_TRUE(untouched());
  process.heal();
  world.run_for(1s);
  EXPECT_TRUE(applied()) << "unknown means: it may still be applied";
}

TEST_P(sim_outcome, stopped_on_its_way) {
  std::stop_source stop;
  start({.stop = stop.get_token()});
  world.run_for(one_way / 2);
  stop.request_stop();
  finish();
  expect_failure(errc::cancelled, in_doubt(), true);
  world.run_for(1s);
  EXPECT_TRUE(applied());
}

TEST_P(sim_outcome, deadline_while_there_is_no_connection) {
  world.drop_connections(process);
  ASSERT_TRUE(world.run_until([&] { return zk.session().state == session_state::suspended; }));
  process.cut();
  start({.timeout = 5 * one_way});
  finish();
  expect_failure(errc::timed_out, outcome::not_applied, false);
  process.heal();
  world.run_for(10s);
  EXPECT_TRUE(untouched()) << "what was not sent in time is not sent later";
}

TEST_P(sim_outcome, session_ends_on_the_way) {
  start();
  world.run_for(one_way / 2);
  world.expire_sessions(process);  // before the request arrives
  finish();
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().outcome(), in_doubt()) << got->error().message();
  EXPECT_TRUE(got->error().sent());
  world.run_for(10s);
  EXPECT_EQ(zk.session().generation, 2U);
  EXPECT_TRUE(untouched()) << "nothing of a lost session is repeated on the next";
}

INSTANTIATE_TEST_SUITE_P(all, sim_outcome, ::testing::ValuesIn(all_operations()), name_of_operation);

}  // namespace
}  // namespace zkr::testing
