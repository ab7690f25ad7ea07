#include <gtest/gtest.h>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/testing/apache_ensemble.hpp"

// Clients of three real servers, of which some fail.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct ensemble : ::testing::Test {
  apache_ensemble servers = apache_ensemble::start({.tick_time = 500ms}).value();

  client connect(const std::string& hosts) {
    return client::connect({.hosts = hosts, .session_timeout = 8s}, {.timeout = 30s}).value();
  }
  std::size_t a_follower() { return (servers.leader().value() + 1) % servers.size(); }
};

TEST_F(ensemble, one_leads_and_the_others_follow) {
  const auto all = servers.status();
  ASSERT_EQ(all.size(), 3U);
  const auto leader = servers.leader();
  ASSERT_TRUE(leader);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].role, i == *leader ? member_role::leader : member_role::follower) << i;
    EXPECT_EQ(all[i].version, "3.8.0");
  }
}

TEST_F(ensemble, session_and_nodes_survive_the_leaders_death) {
  client zk = connect(servers.connect_string());
  (void)zk.create("/mine", "x", {.mode = create_mode::ephemeral}).value();
  const auto session = zk.session().id;
  const auto dead = servers.leader().value();
  servers.kill(dead);
  EXPECT_TRUE(eventually([&] { return zk.set("/mine", "y", any_version, {.timeout = 5s}).has_value(); }, 60s));
  EXPECT_EQ(zk.session().id, session);
  EXPECT_NE(servers.leader(), dead);
  ASSERT_TRUE(servers.restart(dead));
  EXPECT_TRUE(servers.wait_until_serving());
  client there = connect(servers.connect_string(dead));
  EXPECT_TRUE(there.sync("/mine"));
  EXPECT_EQ(there.get("/mine").value().data, "y");
}

TEST_F(ensemble, client_leaves_a_member_that_is_frozen) {
  const auto frozen = a_follower();
  client zk = connect(servers.connect_string());
  (void)zk.create("/mine", "", {.mode = create_mode::ephemeral}).value();
  const auto session = zk.session().id;
  servers.pause(frozen);
  EXPECT_TRUE(eventually([&] { return zk.set("/mine", "y", any_version, {.timeout = 5s}).has_value(); }, 60s));
  EXPECT_EQ(zk.session().id, session);
  servers.resume(frozen);
  EXPECT_TRUE(servers.wait_until_serving());
}

TEST_F(ensemble, without_a_quorum_nothing_is_written_and_with_it_all_goes_on) {
  client zk = connect(servers.connect_string());
  (void)zk.create("/a").value();
  servers.kill(0);
  servers.kill(1);
  const auto refused = zk.set("/a", "x", any_version, {.timeout = 5s});
  EXPECT_FALSE(refused);
  EXPECT_TRUE(eventually([&] { return !servers.leader(); })) << "the last one notices when it has heard of nobody";
  ASSERT_TRUE(servers.restart(0));
  EXPECT_TRUE(servers.wait_until_serving());
  EXPECT_TRUE(eventually([&] { return zk.set("/a", "y", any_version, {.timeout = 5s}).has_value(); }, 60s));
}

}  // namespace
}  // namespace zkr::testing
