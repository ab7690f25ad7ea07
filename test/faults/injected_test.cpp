#include <gtest/gtest.h>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// What a client makes of requests that are lost: whether it says truthfully what is known of them.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct injected : ::testing::Test {
  server zookeeper = server::start({.tick_time = 50ms}).value();
  client zk = connect();
  client other = connect();

  client connect() { return client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 1s}).value(); }
  fault_id add(fault_rule rule) { return zookeeper.faults().add(std::move(rule)).value(); }
};

TEST_F(injected, connection_lost_after_a_create_was_applied) {
  const fault_id id = add({.at = fault_point::create, .action = fault_action::close_after, .path = "/a"});
  const auto made = zk.create("/a");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().outcome(), outcome::unknown) << made.error().message();
  EXPECT_TRUE(other.get("/a"));
  EXPECT_TRUE(zookeeper.faults().wait(id, 1, 20s));
}

TEST_F(injected, connection_lost_before_a_create_was_applied) {
  add({.at = fault_point::create, .action = fault_action::close_before, .path = "/a"});
  const auto made = zk.create("/a");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().outcome(), outcome::unknown) << made.error().message();
  EXPECT_EQ(other.get("/a").error().code(), errc::no_node);
}

TEST_F(injected, lost_reply_of_a_set_is_unknown_and_applied) {
  (void)zk.create("/a", "0").value();
  const fault_id id = add({.at = fault_point::set, .action = fault_action::drop_reply});
  const auto set = zk.set("/a", "1", any_version, {.timeout = 300ms});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().outcome(), outcome::unknown) << set.error().message();
  EXPECT_EQ(other.get("/a").value().data, "1");
  EXPECT_TRUE(zookeeper.faults().wait(id, 1, 20s));
}

TEST_F(injected, delayed_reply_is_a_timeout_with_unknown_outcome) {
  add({.at = fault_point::create, .action = fault_action::delay_reply, .path = "/a", .delay = 1h});
  const auto made = zk.create("/a", "", {}, {.timeout = 100ms});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), errc::timed_out);
  EXPECT_EQ(made.error().outcome(), outcome::unknown);
  EXPECT_TRUE(other.get("/a"));
  zookeeper.drop_connections();  // else the client's goodbye would wait behind that reply
}

TEST_F(injected, stale_reads_of_a_member_that_lags_end_with_a_sync) {
  (void)other.create("/a", "old").value();
  zookeeper.begin_lag();
  client behind = connect();
  (void)other.set("/a", "new").value();
  EXPECT_EQ(behind.get("/a").value().data, "old");
  EXPECT_TRUE(behind.sync("/a"));
  EXPECT_EQ(behind.get("/a").value().data, "new");
}

TEST_F(injected, client_that_has_seen_more_than_a_lagging_member_comes_back_when_it_has_caught_up) {
  zookeeper.begin_lag();
  (void)zk.create("/a").value();
  const std::int64_t session = zk.session().id;
  zookeeper.drop_connections();
  const fault_id tried = add({.at = fault_point::resumed_session,
                              .action = fault_action::delay_request,
                              .session_id = session,
                              .skip = 1,
                              .delay = 1ms});
  EXPECT_TRUE(zookeeper.faults().wait(tried, 1, 20s)) << "turned away, and asks again";
  zookeeper.end_lag();
  EXPECT_TRUE(eventually([&] { return zk.exists("/a").has_value(); }));
}

TEST_F(injected, session_that_may_not_be_resumed_is_followed_by_a_new_one_while_its_nodes_stay) {
  (void)zk.create("/e", "", {.mode = create_mode::ephemeral}).value();
  const std::int64_t old = zk.session().id;
  const fault_id id =
      add({.at = fault_point::resumed_session, .action = fault_action::refuse_session, .session_id = old});
  zookeeper.drop_connections();
  EXPECT_TRUE(zookeeper.faults().wait(id, 1, 20s));
  EXPECT_TRUE(eventually([&] { return zk.session().generation == 2 && zk.get("/").has_value(); }));
  EXPECT_NE(zk.session().id, old);
  EXPECT_TRUE(eventually([&] {
    const auto left = zk.get("/e");
    return !left && left.error().code() == errc::no_node;
  })) << "gone when the old session has timed out";
}

}  // namespace
}  // namespace zkr::testing
