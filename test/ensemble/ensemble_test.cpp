#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

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

TEST(ensemble_of_one, is_made_as_its_options_say) {
  const std::filesystem::path folder = ::testing::TempDir() + "zkr-ensemble-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  {
    const auto one =
        apache_ensemble::start(
            {.members = 1, .tick_time = 300ms, .init_limit = 7, .sync_limit = 4, .folder = folder.string()})
            .value();
    EXPECT_EQ(one.size(), 1U);
    EXPECT_EQ(one.leader(), 0U);
    client zk = client::connect({.hosts = one.connect_string(), .session_timeout = 1h}, {.timeout = 30s}).value();
    EXPECT_EQ(zk.session().timeout, 6s) << "twenty ticks";
  }
  std::ifstream file(folder / "member-1/zoo.cfg");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find("\ninitLimit=7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nsyncLimit=4\n"), std::string::npos) << text;
  EXPECT_TRUE(std::filesystem::exists(folder / "member-1/data/version-2")) << "what was named stays";
  std::filesystem::remove_all(folder);
}

// ---- partitions -----------------------------------------------------------------------------------------------------

struct partitioned : ::testing::Test {
  void SetUp() override {
    if (!apache_ensemble::can_partition()) GTEST_SKIP() << "network namespaces take root and iproute2";
    servers.emplace(apache_ensemble::start({.tick_time = 200ms, .links = ensemble_links::separate}).value());
  }
  std::optional<apache_ensemble> servers;
};

TEST_F(partitioned, an_isolated_leader_loses_its_place_and_follows_when_it_is_back) {
  const auto first = servers->leader().value();
  ASSERT_TRUE(servers->isolate(first));
  EXPECT_TRUE(eventually([&] { return servers->status()[first].role == member_role::not_serving; }))
      << "and can still be asked";
  EXPECT_TRUE(eventually([&] { return servers->leader().value_or(first) != first; }));
  ASSERT_TRUE(servers->heal());
  EXPECT_TRUE(servers->wait_until_serving());
  EXPECT_EQ(servers->status()[first].role, member_role::follower);
}

TEST_F(partitioned, one_direction_is_enough_to_lose_a_follower) {
  for (const auto way : {cut_way::there, cut_way::back}) {
    const auto cut_off = (servers->leader().value() + 1) % servers->size();
    ASSERT_TRUE(servers->cut(cut_off, *servers->leader(), way));
    EXPECT_TRUE(eventually([&] { return servers->status()[cut_off].role == member_role::not_serving; }));
    ASSERT_TRUE(servers->heal());
    EXPECT_TRUE(servers->wait_until_serving());
  }
}

TEST_F(partitioned, clients_at_a_gate_are_cut_off_alone_in_the_direction_that_was_named) {
  client inside = client::connect({.hosts = servers->gate_string(0), .session_timeout = 4s}, {.timeout = 30s}).value();
  client other = client::connect({.hosts = servers->connect_string(0)}, {.timeout = 30s}).value();
  (void)other.create("/a").value();
  ASSERT_TRUE(inside.sync());
  const auto ask = [&] { return inside.set("/a", "x", any_version, {.timeout = 300ms}); };
  ASSERT_TRUE(ask());

  ASSERT_TRUE(servers->cut_gate(0, cut_way::back));
  EXPECT_EQ(ask().error().outcome(), outcome::unknown);
  EXPECT_TRUE(eventually([&] { return other.get("/a").value().stat.version == 2; })) << "it went there all the same";
  ASSERT_TRUE(servers->heal());
  EXPECT_TRUE(eventually([&] { return ask().has_value(); }));

  const auto version = other.get("/a").value().stat.version;
  ASSERT_TRUE(servers->cut_gate(0, cut_way::there));
  EXPECT_EQ(ask().error().outcome(), outcome::unknown);
  EXPECT_EQ(other.get("/a").value().stat.version, version);
  ASSERT_TRUE(servers->heal());
  EXPECT_TRUE(eventually([&] { return ask().has_value(); }));
}

TEST_F(ensemble, on_the_loopback_has_no_links_to_cut) {
  EXPECT_EQ(servers.cut(0, 1).error().code(), errc::unsupported);
  EXPECT_EQ(servers.isolate(0).error().code(), errc::unsupported);
  EXPECT_EQ(servers.cut_gate(0).error().code(), errc::unsupported);
  EXPECT_EQ(servers.heal().error().code(), errc::unsupported);
}

}  // namespace
}  // namespace zkr::testing
