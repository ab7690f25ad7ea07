#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/recipes/claim_election.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/server.hpp"

// Both elections with the bundled server, real threads and libzookeeper.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto tick = std::chrono::milliseconds(50) * time_factor();
const duration session_timeout = 20 * tick;

template <typename T>
errc code_of(const result<T>& outcome) {
  return outcome ? errc::ok : outcome.error().code();
}

struct Elections : ::testing::Test {
  server zk = server::start({.tick_time = tick}).value();

  client connect() {
    return client::connect({.hosts = zk.connect_string(), .session_timeout = session_timeout}).value();
  }
};

struct LeaderElections : Elections {
  client one = connect();
  client two = connect();
  client three = connect();

  static leader_election election(const operations& on, std::string id = "someone") {
    return {on, {.path = "/app/election", .id = std::move(id)}};
  }
  std::vector<std::string> nodes() {
    auto list = one.children("/app/election");
    return list ? list->names : std::vector<std::string>{};
  }
};

TEST_F(LeaderElections, one_leads_the_others_wait_and_tokens_grow) {
  auto first = election(one).campaign().value();
  EXPECT_TRUE(first.held());
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  EXPECT_EQ(waiting.wait_for(5 * tick), std::future_status::timeout);

  ASSERT_TRUE(first.resign());
  auto second = waiting.get();
  EXPECT_TRUE(second.held());
  EXPECT_FALSE(first.held());
  EXPECT_GT(second.fencing_token(), first.fencing_token());
}

TEST_F(LeaderElections, lays_its_nodes_out_as_curators_leader_latch_does) {
  auto lead = election(one, "host-1:8080").campaign().value();
  const auto all = nodes();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all.front(), ::testing::MatchesRegex(
                               "_c_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-latch-0000000000"));
  const auto read = one.get("/app/election/" + all.front()).value();
  EXPECT_EQ(read.data, "host-1:8080");
  EXPECT_EQ(read.stat.ephemeral_owner, one.session().id);
  EXPECT_EQ(read.stat.czxid, lead.fencing_token());
  EXPECT_EQ(lead.path(), "/app/election/" + all.front());
}

TEST_F(LeaderElections, directories_are_containers) {
  zk = server::start({.tick_time = tick, .reap_interval = tick}).value();
  auto here = connect();
  election(here).campaign().value().resign().value();
  EXPECT_TRUE(eventually([&] { return !here.exists("/app"); }));
}

TEST_F(LeaderElections, waits_for_candidates_of_curators_and_not_for_other_nodes) {
  election(one).campaign().value().resign().value();  // makes the directory
  (void)one.create("/app/election/notes").value();
  const auto theirs = one.create("/app/election/_c_f4b1b5a1-0f0b-4bd8-8d13-35b3a0b1f8c7-latch-", "curator",
                                 {.mode = create_mode::ephemeral_sequential})
                          .value();
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 3; }));
  EXPECT_EQ(waiting.wait_for(3 * tick), std::future_status::timeout);
  one.remove(theirs.path).value();
  EXPECT_TRUE(waiting.get().held());
}

TEST_F(LeaderElections, costs_two_requests_without_contention_and_one_to_resign) {
  election(one).campaign().value().resign().value();  // the directory is there, the lease is warm
  constexpr int remove_code = 2;
  constexpr int list_code = 12;
  constexpr int create_code = 15;
  auto count = [&](int code) { return zk.statistics().requests[code]; };
  const auto creates = count(create_code), lists = count(list_code), removes = count(remove_code);
  auto lead = election(one).campaign().value();
  EXPECT_EQ(count(create_code), creates + 1);
  EXPECT_EQ(count(list_code), lists + 1);
  lead.resign().value();
  EXPECT_EQ(count(remove_code), removes + 1);
  EXPECT_EQ(count(list_code), lists + 1);
}

TEST_F(LeaderElections, an_expired_leader_is_followed_and_knows_it) {
  auto first = election(one).campaign().value();
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  const auto lost = first.lost();
  zk.expire_session(one.session().id);
  auto second = waiting.get();
  EXPECT_TRUE(second.held());
  EXPECT_GT(second.fencing_token(), first.fencing_token());
  EXPECT_TRUE(eventually([&] { return lost.stop_requested() && !first.held(); }));
  EXPECT_EQ(code_of(first.release()), errc::ownership_lost);
}

TEST_F(LeaderElections, a_closed_leader_is_followed_at_once) {
  auto first = election(one).campaign().value();
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign().value(); });
  ASSERT_TRUE(eventually([&] { return two.children("/app/election").value().names.size() == 2; }));
  one.close();
  EXPECT_FALSE(first.held());
  EXPECT_TRUE(waiting.get().held());
}

TEST_F(LeaderElections, a_cancelled_campaign_returns_at_once_and_leaves_nothing) {
  auto lead = election(one).campaign().value();
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign({.stop = stop.get_token()}); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  stop.request_stop();
  EXPECT_EQ(code_of(waiting.get()), errc::cancelled);
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
  EXPECT_TRUE(lead.held());
}

TEST_F(LeaderElections, a_campaign_ends_at_its_deadline_also_while_the_server_is_silent) {
  auto lead = election(one).campaign().value();
  EXPECT_EQ(code_of(election(two).campaign({.timeout = 2 * tick})), errc::timed_out);
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
  zk.pause();
  const auto begun = boot_clock::now();
  EXPECT_EQ(code_of(election(two).campaign({.timeout = 2 * tick})), errc::timed_out);
  EXPECT_LT(boot_clock::now() - begun, 2 * tick + 100ms * time_factor());
  zk.resume();
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
  EXPECT_EQ(code_of(election(two).campaign({.timeout = 0ns})), errc::timed_out);
}

TEST_F(LeaderElections, a_lapsed_lease_is_noticed_while_the_server_still_knows_nothing) {
  auto first = election(one).campaign().value();
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  const auto lost = first.lost();
  zk.pause();
  EXPECT_TRUE(eventually([&] { return lost.stop_requested(); }, session_timeout * 2));
  EXPECT_FALSE(first.held());
  EXPECT_EQ(waiting.wait_for(0s), std::future_status::timeout);
  zk.resume();
  EXPECT_GT(waiting.get().fencing_token(), first.fencing_token());
  EXPECT_TRUE(election(one).campaign().value().held()) << "a new campaign begins anew";
}

TEST_F(LeaderElections, several_campaigns_on_one_client_take_their_turns) {
  std::mutex mutex;
  std::vector<leadership> won;
  const auto size = [&] {
    const std::scoped_lock lock(mutex);
    return won.size();
  };
  for (int i = 0; i < 3; ++i) {
    election(one).async_campaign([&](result<leadership> outcome) {
      const std::scoped_lock lock(mutex);
      won.push_back(std::move(outcome).value());
    });
  }
  std::int64_t last = 0;
  for (std::size_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(eventually([&] { return size() == i; }));
    const std::scoped_lock lock(mutex);
    EXPECT_GT(won.back().fencing_token(), last);
    last = won.back().fencing_token();
    won.back() = {};
  }
}

TEST_F(LeaderElections, participants_come_in_the_order_of_their_turn) {
  EXPECT_THAT(election(one).participants().value(), IsEmpty());
  EXPECT_EQ(code_of(election(one).leader()), errc::no_node);
  auto lead = election(one, "a").campaign().value();
  std::stop_source stop;
  election(two, "b").async_campaign([](const result<leadership>&) {}, {.stop = stop.get_token()});
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  election(three, "c").async_campaign([](const result<leadership>&) {}, {.stop = stop.get_token()});
  ASSERT_TRUE(eventually([&] { return nodes().size() == 3; }));

  const auto all = election(three).participants().value();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0], (participant{"a", lead.path(), lead.fencing_token(), true}));
  EXPECT_EQ(all[1].id, "b");
  EXPECT_FALSE(all[1].leads);
  EXPECT_EQ(all[2].id, "c");
  EXPECT_EQ(election(two).leader().value(), all[0]);
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
}

TEST_F(LeaderElections, observers_are_told_of_every_change) {
  std::mutex mutex;
  std::vector<std::string> seen;
  auto observation = election(three).observe([&](const leader_change& now) {
    const std::scoped_lock lock(mutex);
    seen.push_back(now.problem ? "?" : now.leader ? now.leader->id : "-");
  });
  const auto saw = [&](const std::vector<std::string>& all) {
    return eventually([&] {
      const std::scoped_lock lock(mutex);
      return seen == all;
    });
  };
  EXPECT_TRUE(saw({"-"}));
  auto first = election(one, "a").campaign().value();
  EXPECT_TRUE(saw({"-", "a"}));
  auto waiting = std::async(std::launch::async, [&] { return election(two, "b").campaign().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  zk.drop_connections();
  first.resign().value();
  auto second = waiting.get();
  EXPECT_TRUE(saw({"-", "a", "b"}));
  observation = {};
  second.resign().value();
  const std::scoped_lock lock(mutex);
  EXPECT_THAT(seen, ElementsAre("-", "a", "b"));
}

TEST_F(LeaderElections, run_leads_again_and_again_until_it_is_stopped) {
  std::stop_source stop;
  std::vector<std::int64_t> tokens;
  const auto end = election(one).run(
      [&](leadership& lead) {
        EXPECT_TRUE(lead.held());
        tokens.push_back(lead.fencing_token());
        if (tokens.size() == 2) zk.expire_session(one.session().id);
        if (tokens.size() == 4) stop.request_stop();
      },
      {.stop = stop.get_token()});
  EXPECT_EQ(code_of(end), errc::cancelled);
  ASSERT_THAT(tokens, SizeIs(4));
  EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end()));
  EXPECT_TRUE(eventually([&] { return nodes().empty(); }));
  EXPECT_EQ(code_of(election(one).run([](leadership&) {}, {.timeout = 3 * tick})), errc::timed_out);
}

TEST_F(LeaderElections, callbacks_may_not_block) {
  std::promise<errc> code;
  auto election_of_one = election(one);
  one.async_exists(
      "/", [&](const result<stat_t>&) { code.set_value(election_of_one.campaign({.timeout = 1s}).error().code()); });
  EXPECT_EQ(code.get_future().get(), errc::would_deadlock);
}

TEST_F(LeaderElections, bad_input_and_a_closed_client_are_refused) {
  for (const auto* path : {"", "app", "/app/", "/a//b", "/a/../b"}) {
    EXPECT_EQ(code_of(leader_election(one, {.path = path}).campaign()), errc::invalid_path) << path;
    EXPECT_EQ(code_of(leader_election(one, {.path = path}).participants()), errc::invalid_path) << path;
    EXPECT_EQ(code_of(claim_election(one, {.path = path}).campaign()), errc::invalid_path) << path;
  }
  EXPECT_EQ(code_of(claim_election(one, {.path = "/"}).campaign()), errc::invalid_path);
  EXPECT_EQ(code_of(claim_election(one, {.path = "/c", .epoch_path = "/c"}).campaign()), errc::invalid_argument);
  one.close();
  EXPECT_EQ(code_of(election(one).campaign()), errc::closed);
  EXPECT_EQ(code_of(leader_election({}, {.path = "/e"}).campaign()), errc::closed);
}

TEST_F(LeaderElections, an_acl_that_forbids_it_fails_and_leaves_nothing) {
  (void)one.create("/sealed", "", {.acl = read_acl()}).value();
  EXPECT_EQ(code_of(leader_election(one, {.path = "/sealed"}).campaign()), errc::no_auth);
  EXPECT_EQ(code_of(leader_election(one, {.path = "/sealed/deep"}).campaign()), errc::no_auth);
  EXPECT_EQ(code_of(claim_election(one, {.path = "/sealed/c", .epoch_path = "/e"}).campaign()), errc::no_auth);
  EXPECT_THAT(one.children("/sealed").value().names, IsEmpty());
}

// ---- claim election -------------------------------------------------------------------------------------------------

struct ClaimElections : Elections {
  client one = connect();
  client two = connect();

  static claim_election election(const operations& on, std::string id = "someone") {
    return {on, {.path = "/controller", .id = std::move(id), .epoch_path = "/controller_epoch"}};
  }
};

TEST_F(ClaimElections, lays_its_nodes_out_as_kafka_does) {
  auto lead = election(one, R"({"version":1,"brokerid":7})").campaign().value();
  const auto node = one.get("/controller").value();
  EXPECT_EQ(node.data, R"({"version":1,"brokerid":7})");
  EXPECT_EQ(node.stat.ephemeral_owner, one.session().id);
  EXPECT_EQ(node.stat.czxid, lead.fencing_token());
  const auto epoch = one.get("/controller_epoch").value();
  EXPECT_EQ(epoch.data, "1");
  EXPECT_EQ(epoch.stat.version, 1);
  EXPECT_EQ(epoch.stat.ephemeral_owner, 0);
  lead.resign().value();
  EXPECT_EQ(code_of(one.exists("/controller")), errc::no_node);
  auto again = election(two).campaign().value();
  EXPECT_EQ(one.get("/controller_epoch").value().data, "2");
}

TEST_F(ClaimElections, leaders_follow_each_other_and_tokens_grow) {
  auto first = election(one).campaign().value();
  auto waiting = std::async(std::launch::async, [&] { return election(two).campaign().value(); });
  EXPECT_EQ(waiting.wait_for(3 * tick), std::future_status::timeout);
  const auto lost = first.lost();
  zk.expire_session(one.session().id);
  auto second = waiting.get();
  EXPECT_GT(second.fencing_token(), first.fencing_token());
  EXPECT_TRUE(eventually([&] { return lost.stop_requested(); }));
}

TEST_F(ClaimElections, a_removed_node_ends_the_leadership_at_once) {
  auto lead = election(one).campaign().value();
  const auto lost = lead.lost();
  two.remove("/controller").value();
  EXPECT_TRUE(eventually([&] { return lost.stop_requested(); }));
  EXPECT_FALSE(lead.held());
  EXPECT_TRUE(election(one).campaign().value().held());
}

TEST_F(ClaimElections, a_removed_or_garbled_epoch_ends_the_leadership_and_is_a_clear_error) {
  auto lead = election(one).campaign().value();
  const auto lost = lead.lost();
  (void)two.set("/controller_epoch", "many").value();
  EXPECT_TRUE(eventually([&] { return lost.stop_requested(); }));
  EXPECT_TRUE(eventually([&] { return code_of(one.exists("/controller")) == errc::no_node; }));
  EXPECT_EQ(code_of(election(one).campaign()), errc::data_inconsistency);

  two.remove("/controller_epoch").value();
  auto again = election(one).campaign().value();
  const auto lost_again = again.lost();
  two.remove("/controller_epoch").value();
  EXPECT_TRUE(eventually([&] { return lost_again.stop_requested(); }));
  EXPECT_TRUE(eventually([&] { return !two.exists("/controller"); }));
  EXPECT_EQ(two.get("/controller_epoch").value().data, "1") << "never behind the last leader's";
}

TEST_F(ClaimElections, only_while_is_refused_after_the_next_claim) {
  auto first = election(one).campaign().value();
  transaction write;
  write.only_while(first).create("/written");
  first.resign().value();
  auto second = election(two).campaign().value();
  EXPECT_EQ(code_of(one.commit(std::move(write))), errc::ownership_lost);
  EXPECT_TRUE(two.commit(transaction().only_while(second).create("/written")));
}

TEST_F(ClaimElections, get_or_become_leader_gives_us_or_the_other) {
  auto ours = election(one, "a").get_or_become_leader().value();
  ASSERT_TRUE(ours.ours);
  EXPECT_FALSE(ours.other);
  EXPECT_TRUE(ours.ours->held());
  const auto theirs = election(two, "b").get_or_become_leader().value();
  ASSERT_FALSE(theirs.ours);
  const participant expected{"a", "/controller", ours.ours->fencing_token(), true};
  EXPECT_EQ(theirs.other, expected);
  EXPECT_EQ(election(two).leader().value(), expected);
  EXPECT_THAT(election(two).participants().value(), ElementsAre(expected));
  ours.ours->resign().value();
  EXPECT_THAT(election(two).participants().value(), IsEmpty());
  EXPECT_EQ(code_of(election(two).leader()), errc::no_node);
}

TEST_F(ClaimElections, get_or_become_leader_keeps_its_deadline) {
  zk.pause();
  EXPECT_EQ(code_of(election(one).get_or_become_leader({.timeout = 2 * tick})), errc::timed_out);
  zk.resume();
}

TEST_F(ClaimElections, parents_are_made) {
  claim_election deep(one, {.path = "/kafka/a/controller", .id = "x"});
  auto lead = deep.campaign().value();
  EXPECT_EQ(one.get("/kafka/a/controller_epoch").value().data, "1");
}

TEST_F(ClaimElections, a_cancelled_campaign_leaves_nothing) {
  auto lead = election(one).campaign().value();
  EXPECT_EQ(code_of(election(two).campaign({.timeout = 2 * tick})), errc::timed_out);
  lead.resign().value();
  EXPECT_EQ(code_of(one.exists("/controller")), errc::no_node);
}

}  // namespace
}  // namespace zkr::testing
