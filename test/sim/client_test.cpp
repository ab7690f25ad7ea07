#include <gtest/gtest.h>

#include "sim/one_client.hpp"

// The client's contracts on virtual time: sessions, lost replies, watches, deadlines.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

TEST(sim_client, reads_what_it_wrote) {
  one_client at;
  const auto made = at.create("/a", "first");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->path, "/a");
  EXPECT_GT(made->stat.czxid, 0);
  const auto set = at.set("/a", "second", 0);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->version, 1);
  const auto read = at.get("/a");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->data, "second");
  EXPECT_EQ(read->stat.mzxid, set->mzxid);
  EXPECT_EQ(at.set("/a", "third", 0).error().code(), errc::bad_version);
}

TEST(sim_client, blocking_call_in_a_simulation_gives_would_deadlock) {
  one_client at;
  EXPECT_EQ(at.zk.get("/").error().code(), errc::would_deadlock);
}

TEST(sim_client, lost_reply_of_a_write_is_unknown_and_the_write_is_not_repeated) {
  one_client at;
  ASSERT_TRUE(at.create("/counter", "0"));
  at.world.lose_next_reply(at.process);
  const auto set = at.set("/counter", "1");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code(), errc::connection_loss);
  EXPECT_EQ(set.error().outcome(), outcome::unknown);
  EXPECT_TRUE(set.error().sent());
  EXPECT_EQ(at.get("/counter")->stat.version, 1);  // applied, once
}

TEST(sim_client, lost_request_of_a_write_is_unknown_too) {
  one_client at;
  ASSERT_TRUE(at.create("/counter", "0"));
  at.world.lose_next_request(at.process);
  EXPECT_EQ(at.set("/counter", "1").error().outcome(), outcome::unknown);
  EXPECT_EQ(at.get("/counter")->stat.version, 0);
}

TEST(sim_client, read_is_repeated_over_a_reconnect) {
  one_client at;
  ASSERT_TRUE(at.create("/a", "x"));
  at.world.lose_next_reply(at.process);
  const auto read = at.get("/a");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->data, "x");
  EXPECT_EQ(at.zk.session().generation, 1U);
  EXPECT_EQ(at.zk.session().connection, 2U);
}

TEST(sim_client, deadline_ends_an_operation_that_waits_for_a_connection) {
  one_client at;
  at.process.cut();
  const auto began = at.world.now();
  const auto read = at.get("/", {.timeout = 100ms});
  EXPECT_EQ(read.error().code(), errc::timed_out);
  EXPECT_EQ(at.world.now() - began, 100ms);
}

TEST(sim_client, write_that_was_never_sent_is_not_applied) {
  one_client at;
  at.world.drop_connections(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::suspended; }));
  at.process.cut();
  std::optional<error> why;
  at.zk.async_set("/", "x", any_version, [&](result<stat_t> answer) { why = answer.error(); }, {.timeout = 50ms});
  ASSERT_TRUE(at.world.run_until([&] { return why.has_value(); }));
  EXPECT_EQ(why->code(), errc::timed_out);
  EXPECT_EQ(why->outcome(), outcome::not_applied);
  EXPECT_FALSE(why->sent());
}

TEST(sim_client, stop_token_ends_an_operation) {
  one_client at;
  at.process.cut();
  std::stop_source stop;
  std::optional<errc> code;
  at.zk.async_get("/", [&](result<node> answer) { code = answer.error().code(); }, {}, {.stop = stop.get_token()});
  at.world.run_for(1ms);
  EXPECT_FALSE(code);
  stop.request_stop();
  at.world.run_for(0s);
  EXPECT_EQ(code, errc::cancelled);
}

TEST(sim_client, stopped_token_ends_an_operation_before_it_is_sent) {
  one_client at;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(at.get("/", {.stop = stop.get_token()}).error().code(), errc::cancelled);
}

TEST(sim_client, session_survives_a_dropped_connection_and_its_ephemerals_too) {
  one_client at;
  ASSERT_TRUE(at.create("/e", "", {.mode = create_mode::ephemeral}));
  at.world.drop_connections(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().connection == 2; }));
  EXPECT_EQ(at.zk.session().generation, 1U);
  EXPECT_TRUE(at.get("/e"));
}

TEST(sim_client, expired_session_is_lost_and_followed_by_a_new_one) {
  one_client at;
  std::vector<session_state> states;
  const auto watching = at.zk.watch_session([&](const session_info& info) { states.push_back(info.state); });
  ASSERT_TRUE(at.create("/e", "", {.mode = create_mode::ephemeral}));
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until(
      [&] { return at.zk.session().generation == 2 && at.zk.session().state == session_state::connected; }));
  at.world.run_for(10ms);
  EXPECT_EQ(states, (std::vector{session_state::connected, session_state::suspended, session_state::lost,
                                 session_state::connecting, session_state::connected}));
  EXPECT_EQ(at.get("/e").error().code(), errc::no_node);
}

TEST(sim_client, session_counts_as_lost_by_the_clients_own_clock) {
  one_client at;
  at.process.cut();
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::suspended; }));
  const auto noticed = at.world.now();
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().generation == 2; }));
  EXPECT_LE(at.world.now() - noticed, 4s * 4 / 3);
  EXPECT_GE(at.world.now() - noticed, 4s * 2 / 3 - 10ms);
}

TEST(sim_client, nothing_of_a_lost_session_is_repeated_on_the_next) {
  one_client at;
  ASSERT_TRUE(at.create("/a", ""));
  at.process.cut();
  std::optional<error> why;
  at.zk.async_set("/a", "late", any_version, [&](result<stat_t> answer) { why = answer.error(); }, {.timeout = 1h});
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().generation == 2; }));
  ASSERT_TRUE(why);
  EXPECT_TRUE(why->code() == errc::session_lost || why->code() == errc::connection_loss) << why->message();
  EXPECT_EQ(why->outcome(), outcome::unknown);
}

TEST(sim_client, pinned_operations_end_with_their_session) {
  one_client at;
  auto pinned = at.zk.pinned();
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().generation == 2; }));
  const auto made = at.wait<created>([&](auto done) { pinned.async_create("/late", "", {}, std::move(done)); });
  EXPECT_EQ(made.error().code(), errc::session_lost);
  EXPECT_TRUE(at.world.nodes("/late").empty());
}

TEST(sim_client, stay_closed_opens_no_second_session) {
  one_client at({.session_timeout = 4s, .on_session_loss = session_loss::stay_closed});
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::lost; }));
  at.world.run_for(1min);
  EXPECT_EQ(at.zk.session().generation, 1U);
  EXPECT_EQ(at.get("/").error().code(), errc::session_lost);
}

TEST(sim_client, one_shot_watch_fires_once) {
  one_client at;
  ASSERT_TRUE(at.create("/a", ""));
  std::vector<watch_event_type> events;
  ASSERT_TRUE(at.wait<node>([&](auto done) {
    at.zk.async_get("/a", std::move(done), {.watch = [&](const watch_event& e) { events.push_back(e.type); }});
  }));
  ASSERT_TRUE(at.set("/a", "1"));
  ASSERT_TRUE(at.set("/a", "2"));
  EXPECT_EQ(events, std::vector{watch_event_type::data_changed});
}

TEST(sim_client, one_shot_watch_survives_a_reconnect_and_catches_up) {
  one_client at;
  auto& other_process = at.world.add_process();
  auto other = other_process.connect().value();
  ASSERT_TRUE(at.create("/a", ""));
  std::vector<watch_event_type> events;
  ASSERT_TRUE(at.wait<node>([&](auto done) {
    at.zk.async_get("/a", std::move(done), {.watch = [&](const watch_event& e) { events.push_back(e.type); }});
  }));
  at.process.cut();
  bool changed = false;
  other.async_set("/a", "1", any_version, [&](result<stat_t> answer) { changed = answer.has_value(); });
  ASSERT_TRUE(at.world.run_until([&] { return changed; }));
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::suspended; }));
  EXPECT_TRUE(events.empty());
  at.process.heal();
  ASSERT_TRUE(at.world.run_until([&] { return !events.empty(); }));
  EXPECT_EQ(events, std::vector{watch_event_type::data_changed});
  EXPECT_EQ(at.zk.session().generation, 1U);
}

TEST(sim_client, one_shot_watch_ends_with_its_session_and_with_its_client) {
  one_client at;
  std::vector<watch_event_type> events;
  const auto watch = [&] {
    (void)at.wait<stat_t>([&](auto done) {
      at.zk.async_exists("/none", std::move(done), {.watch = [&](const watch_event& e) { events.push_back(e.type); }});
    });
  };
  watch();
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return !events.empty(); }));
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::connected; }));
  watch();
  at.zk.close();
  at.world.run_for(1s);
  EXPECT_EQ(events, (std::vector{watch_event_type::session_lost, watch_event_type::closed}));
}

TEST(sim_client, failed_read_leaves_no_watch) {
  one_client at;
  int calls = 0;
  EXPECT_FALSE(at.wait<node>(
      [&](auto done) { at.zk.async_get("/none", std::move(done), {.watch = [&](const watch_event&) { ++calls; }}); }));
  ASSERT_TRUE(at.create("/none"));
  at.zk.close();
  at.world.run_for(1s);
  EXPECT_EQ(calls, 0);
}

TEST(sim_client, subscription_reports_the_state_now_and_after_every_change) {
  one_client at;
  std::vector<std::string> seen;
  const auto watching = at.zk.watch("/a", [&](const node_change& change) {
    seen.push_back(change.problem ? "problem" : change.node ? change.node->data : "none");
  });
  at.world.run_for(100ms);
  ASSERT_TRUE(at.create("/a", "1"));
  at.world.run_for(100ms);
  ASSERT_TRUE(at.set("/a", "2"));
  at.world.run_for(100ms);
  ASSERT_TRUE(at.wait<void>([&](auto done) { at.zk.async_remove("/a", any_version, std::move(done)); }));
  at.world.run_for(100ms);
  ASSERT_TRUE(at.create("/a", "3"));
  at.world.run_for(100ms);
  EXPECT_EQ(seen, (std::vector<std::string>{"none", "1", "2", "none", "3"}));
}

TEST(sim_client, subscription_misses_no_bounce_during_a_disconnect) {
  // Removed and created again while we were away: version 0 as before, but another node (czxid).
  one_client at;
  auto& other_process = at.world.add_process();
  auto other = other_process.connect().value();
  ASSERT_TRUE(at.create("/a", "same"));
  int reports = 0;
  const auto watching = at.zk.watch("/a", [&](const node_change&) { ++reports; });
  ASSERT_TRUE(at.world.run_until([&] { return reports == 1; }));
  at.process.cut();
  bool bounced = false;
  other.async_remove("/a", any_version, [&](result<void>) {
    other.async_create("/a", "same", {}, [&](result<created> made) { bounced = made.has_value(); });
  });
  ASSERT_TRUE(at.world.run_until([&] { return bounced; }));
  at.process.heal();
  EXPECT_TRUE(at.world.run_until([&] { return reports == 2; }));
}

TEST(sim_client, subscription_moves_to_the_next_session) {
  one_client at;
  std::vector<std::string> seen;
  ASSERT_TRUE(at.create("/a", "1"));
  const auto watching =
      at.zk.watch("/a", [&](const node_change& change) { seen.push_back(change.node ? change.node->data : "none"); });
  at.world.run_for(100ms);
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until(
      [&] { return at.zk.session().generation == 2 && at.zk.session().state == session_state::connected; }));
  at.world.run_for(100ms);
  ASSERT_TRUE(at.set("/a", "2"));
  at.world.run_for(100ms);
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2"}));  // and no report of a state that had not changed
}

TEST(sim_client, server_that_restarts_empty_gets_a_new_session_and_subscriptions_see_the_deletions) {
  one_client at;
  ASSERT_TRUE(at.create("/a", "1"));
  std::vector<std::string> seen;
  const auto watching =
      at.zk.watch("/a", [&](const node_change& change) { seen.push_back(change.node ? change.node->data : "none"); });
  at.world.run_for(100ms);
  at.world.restart_server_empty();
  ASSERT_TRUE(at.world.run_until([&] { return seen.size() == 2; }));
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "none"}));
  EXPECT_EQ(at.zk.session().generation, 2U);
}

TEST(sim_client, ended_subscription_reports_nothing_more) {
  one_client at;
  int reports = 0;
  auto watching = at.zk.watch("/a", [&](const node_change&) { ++reports; });
  at.world.run_for(100ms);
  EXPECT_EQ(reports, 1);
  watching.cancel();
  EXPECT_FALSE(watching.active());
  ASSERT_TRUE(at.create("/a"));
  at.world.run_for(100ms);
  EXPECT_EQ(reports, 1);
}

TEST(sim_client, children_subscription_reports_names) {
  one_client at;
  std::vector<std::size_t> counts;
  ASSERT_TRUE(at.create("/p"));
  const auto watching = at.zk.watch_children(
      "/p", [&](const children_change& change) { counts.push_back(change.children->names.size()); });
  at.world.run_for(100ms);
  ASSERT_TRUE(at.create("/p/a"));
  at.world.run_for(100ms);
  ASSERT_TRUE(at.create("/p/b"));
  at.world.run_for(100ms);
  EXPECT_EQ(counts, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(sim_client, transaction_is_all_or_nothing_and_names_the_culprit) {
  one_client at;
  const auto commit = [&](transaction writes) {
    return at.wait<std::vector<transaction_result>>(
        [&](auto done) { at.zk.async_commit(std::move(writes), std::move(done)); });
  };
  const auto made = commit(transaction()
                               .create("/t", "1")
                               .create("/t/s-", "", {.mode = create_mode::persistent_sequential})
                               .set("/t", "2", 0));
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ((*made)[1].path, "/t/s-0000000000");
  EXPECT_EQ((*made)[2].stat.version, 1);
  const auto failed = commit(transaction().set("/t", "3").check("/t", 7).remove("/t/none"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), errc::bad_version);
  EXPECT_EQ(failed.error().failed_operation(), 1U);
  EXPECT_EQ(failed.error().outcome(), outcome::not_applied);
  EXPECT_EQ(at.get("/t")->data, "2");
}

TEST(sim_client, transaction_creates_with_stat) {
  one_client at;
  const auto commit = [&](transaction writes) {
    return at.wait<std::vector<transaction_result>>(
        [&](auto done) { at.zk.async_commit(std::move(writes), std::move(done)); });
  };
  const auto made = commit(transaction()
                               .create("/plain", "1")
                               .create_with_stat("/e", "mine", {.mode = create_mode::ephemeral})
                               .create_with_stat("/p", "")
                               .set("/plain", "2"));
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->size(), 4U);
  const auto now = at.get("/e");
  ASSERT_TRUE(now);
  EXPECT_EQ(now->data, "mine");
  EXPECT_EQ((*made)[1].path, "/e");
  EXPECT_EQ((*made)[1].stat, now->stat);
  EXPECT_EQ(now->stat.version, 1);
  EXPECT_EQ(now->stat.mzxid, now->stat.czxid);
  EXPECT_EQ(now->stat.ephemeral_owner, at.zk.session().id);
  EXPECT_EQ((*made)[0].stat, stat_t());
  EXPECT_EQ((*made)[2].stat.czxid, now->stat.czxid);
  EXPECT_EQ((*made)[3].stat.version, 1);

  // What fails is counted as the caller counts, also behind one; both halves of one are one.
  const auto failed = commit(transaction().create_with_stat("/x", "1").create_with_stat("/y", "1").check("/e", 7));
  EXPECT_EQ(failed.error().failed_operation(), 2U);
  EXPECT_EQ(failed.error().path(), "/e");
  const auto exists = commit(transaction().create_with_stat("/x", "1").create_with_stat("/e", "1"));
  EXPECT_EQ(exists.error().code(), errc::node_exists);
  EXPECT_EQ(exists.error().failed_operation(), 1U);
  const auto read_only = commit(transaction().create("/x").create_with_stat("/z", "1", {.acl = read_acl()}));
  EXPECT_EQ(read_only.error().code(), errc::no_auth);
  EXPECT_EQ(read_only.error().failed_operation(), 1U);
  EXPECT_TRUE(at.world.nodes("/x").empty());
}

TEST(sim_client, capabilities_are_the_transports) {
  simulation world;
  auto zk = world.add_process().connect().value();
  EXPECT_TRUE(zk.capabilities().multi_read) << "before it is connected";
  EXPECT_FALSE(zk.capabilities().tls);
}

TEST(sim_client, close_ends_everything_with_closed) {
  one_client at;
  at.process.cut();
  int closed = 0;
  for (int i = 0; i < 100; ++i) {
    at.zk.async_get("/", [&](result<node> answer) { closed += answer.error().code() == errc::closed ? 1 : 0; });
  }
  at.zk.close();
  at.world.run_for(1s);
  EXPECT_EQ(closed, 100);
  EXPECT_EQ(at.zk.session().state, session_state::closed);
  EXPECT_EQ(at.get("/").error().code(), errc::closed);
}

TEST(sim_client, more_than_max_in_flight_is_overloaded) {
  one_client at({.session_timeout = 4s, .max_in_flight = 10});
  int answered = 0;
  int overloaded = 0;
  for (int i = 0; i < 25; ++i) {
    at.zk.async_get("/", [&](result<node> answer) {
      ++answered;
      if (!answer && answer.error().code() == errc::overloaded) ++overloaded;
    });
  }
  at.world.run_for(1s);
  EXPECT_EQ(answered, 25);
  EXPECT_EQ(overloaded, 15);
}

TEST(sim_client, silent_server_is_noticed_and_an_idle_session_lives_for_ever) {
  one_client at;
  at.world.run_for(10min);
  EXPECT_EQ(at.zk.session().generation, 1U);
  EXPECT_EQ(at.zk.session().connection, 1U);
}

TEST(sim_client, same_seed_same_history) {
  const auto history = [](std::uint64_t seed) {
    simulation world({.seed = seed});
    auto& process = world.add_process();
    auto zk = process.connect({.session_timeout = 4s}).value();
    std::string all;
    for (int i = 0; i < 20; ++i) {
      zk.async_create("/n-", "", {.mode = create_mode::persistent_sequential}, [&](result<created> made) {
        all += made ? made->path : made.error().message();
        all += std::to_string(world.now().time_since_epoch().count()) + "\n";
      });
      if (i % 5 == 0) world.drop_connections(process);
      world.run_for(50ms);
    }
    return all;
  };
  EXPECT_EQ(history(3), history(3));
  EXPECT_NE(history(3), history(4));
}

}  // namespace
}  // namespace zkr::testing
