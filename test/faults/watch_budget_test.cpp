#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// Subscriptions to more paths than fit into the packet with which libzookeeper registers them anew (ZOOKEEPER-706).
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t path_bytes = 1000;

std::string long_path(int number) {
  auto path = "/n" + std::to_string(number) + "-";
  return path.append(path_bytes - path.size(), 'x');
}

struct watch_budget : ::testing::Test {
  server zookeeper = server::start({.tick_time = 200ms}).value();

  client connect(client_options options = {}) {
    options.hosts = zookeeper.connect_string();
    options.session_timeout = 4s;
    return client::connect(std::move(options)).value();
  }
};

/// Subscriptions to many long paths, and what each was told last.
struct many {
  struct one {
    std::atomic<int> reports = 0;
    std::atomic<bool> present = false;
    std::atomic<errc> problem = errc::ok;
    subscription watching;
  };

  many(client& zk, int count) {
    for (int i = 0; i < count; ++i) {
      auto& to = all.emplace_back();
      to.watching = zk.watch(long_path(i), [&to](const node_change& change) {
        to.present = change.node.has_value();
        if (change.problem) to.problem = change.problem->code();
        ++to.reports;
      });
    }
  }
  [[nodiscard]] bool each(const std::function<bool(const one&)>& holds) const {
    return std::all_of(all.begin(), all.end(), holds);
  }

  std::deque<one> all;
};

TEST_F(watch_budget, three_megabytes_of_subscriptions_survive_a_reconnect_and_report_later_changes) {
  constexpr int count = 3000;
  auto zk = connect();
  many subscriptions(zk, count);
  ASSERT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.reports == 1; }); }, 60s));
  EXPECT_EQ(zookeeper.sessions().size(), 5U);  // 0.4 MB in the client's own, and 0.8 in each auxiliary one
  const auto watches = zookeeper.statistics().watches;
  EXPECT_EQ(watches, static_cast<std::size_t>(count));

  for (std::uint64_t round = 1; round <= 2; ++round) {
    zookeeper.drop_connections();
    ASSERT_TRUE(eventually([&] { return zk.session().connection > round; }));
    ASSERT_TRUE(eventually([&] { return zookeeper.statistics().watches == watches; }, 60s));
  }

  auto other = connect();
  std::atomic<int> made = 0;
  for (int i = 0; i < count; ++i) {
    other.async_create(long_path(i), "", {}, [&](const result<created>& done) { made += done ? 1 : 0; });
  }
  ASSERT_TRUE(eventually([&] { return made == count; }, 60s));
  EXPECT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.present.load(); }); }, 60s));
  EXPECT_EQ(zk.session().generation, 1U);
  EXPECT_TRUE(subscriptions.each([](const auto& one) { return one.problem == errc::ok; }));
}

TEST_F(watch_budget, auxiliary_sessions_are_opened_when_needed_and_closed_when_empty) {
  auto zk = connect();
  std::optional<many> subscriptions(std::in_place, zk, 390);
  ASSERT_TRUE(eventually([&] { return subscriptions->each([](const auto& one) { return one.reports == 1; }); }));
  EXPECT_EQ(zookeeper.sessions().size(), 1U);
  subscriptions.reset();
  subscriptions.emplace(zk, 1000);
  ASSERT_TRUE(eventually([&] { return subscriptions->each([](const auto& one) { return one.reports == 1; }); }));
  EXPECT_EQ(zookeeper.sessions().size(), 2U);
  subscriptions.reset();
  EXPECT_TRUE(eventually([&] { return zookeeper.sessions().size() == 1; }));
  EXPECT_TRUE(zk.get("/"));
}

TEST_F(watch_budget, more_than_the_total_is_refused_by_name) {
  auto zk = connect({.max_watch_bytes = 3000});
  many subscriptions(zk, 2);
  std::promise<error> refused;
  const auto third = zk.watch(long_path(2), [&](const node_change& change) { refused.set_value(*change.problem); });
  const auto why = refused.get_future().get();
  EXPECT_EQ(why.code(), errc::overloaded);
  EXPECT_EQ(why.detail(), "max_watch_bytes: 3012 bytes of watched paths would be more than 3000");
}

TEST_F(watch_budget, what_was_refused_begins_by_itself_when_there_is_room) {
  auto zk = connect({.max_watch_bytes = 3000});
  many subscriptions(zk, 4);
  auto& all = subscriptions.all;
  ASSERT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.reports == 1; }); }));
  EXPECT_EQ(all[2].problem, errc::overloaded);
  EXPECT_EQ(all[3].problem, errc::overloaded);
  EXPECT_EQ(zookeeper.statistics().watches, 2U);

  all[1].watching.cancel();  // the first that waits takes its place
  ASSERT_TRUE(eventually([&] { return all[2].reports == 2; })) << "that there is no such node";
  (void)zk.create(long_path(2), "").value();
  EXPECT_TRUE(eventually([&] { return all[2].present.load(); }));
  EXPECT_EQ(all[3].reports, 1);

  all[3].watching.cancel();  // which frees nothing, and takes nothing any more
  all[0].watching.cancel();
  std::promise<bool> absent;
  const auto another = zk.watch(long_path(5), [&](const node_change& change) { absent.set_value(!change.problem); });
  EXPECT_TRUE(absent.get_future().get());
  EXPECT_EQ(all[3].reports, 1);
  EXPECT_TRUE(eventually([&] { return zookeeper.statistics().watches == 2; }))
      << "of the cancelled there are none left";
}

TEST_F(watch_budget, what_waits_for_room_is_told_of_the_close) {
  auto zk = connect({.max_watch_bytes = 3000});
  many subscriptions(zk, 4);
  ASSERT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.reports == 1; }); }));
  zk.close();
  EXPECT_TRUE(
      eventually([&] { return subscriptions.each([](const auto& one) { return one.problem == errc::closed; }); }));
}

TEST_F(watch_budget, a_path_that_never_fits_keeps_nobody_waiting) {
  auto zk = connect({.max_watch_bytes = 900});
  many too_long(zk, 1);
  std::promise<bool> absent;
  const auto fits = zk.watch("/a", [&](const node_change& change) { absent.set_value(!change.problem); });
  EXPECT_TRUE(absent.get_future().get());
  EXPECT_EQ(too_long.all[0].problem, errc::overloaded);
}

// Threads come and go for room that is enough for some of them; what stays in the end gets it.
TEST_F(watch_budget, no_room_is_lost_where_many_come_and_go) {
  auto zk = connect({.max_watch_bytes = 402'700});  // for 401 paths, of which the last three are watched elsewhere
  many settled(zk, 399);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int round = 0; round < 100; ++round) {
          const auto one = zk.watch(long_path(1000 + thread), [](const node_change&) {});
          const auto two = zk.watch_children(long_path(2000 + thread), [](const children_change&) {});
        }
      });
    }
  }
  many last(zk, 4);
  EXPECT_TRUE(eventually([&] { return last.each([](const auto& one) { return one.reports == 1; }); }));
  EXPECT_EQ(last.all[2].problem, errc::overloaded);
  settled.all.clear();
  EXPECT_TRUE(eventually([&] { return last.all[3].reports == 2; }));
  (void)zk.create(long_path(3), "").value();
  EXPECT_TRUE(eventually([&] { return last.all[3].present.load(); }));
  EXPECT_TRUE(eventually([&] { return zookeeper.statistics().watches == 4; }));
  last.all.clear();
  EXPECT_TRUE(eventually([&] { return zookeeper.sessions().size() == 1 && zookeeper.statistics().watches == 0; }));
}

TEST_F(watch_budget, sessions_of_subscriptions_are_not_the_clients) {
  struct recorder final : observer {
    std::mutex mutex;
    std::set<std::int64_t> ids;
    void on_session(const session_info& info) override {
      const std::scoped_lock lock(mutex);
      if (info.id != 0) ids.insert(info.id);
    }
  };
  const auto seen = std::make_shared<recorder>();
  auto zk = connect({.observer = seen});
  std::atomic<int> changes = 0;
  const auto session = zk.watch_session([&](const session_info&) { ++changes; });
  many subscriptions(zk, 1000);
  ASSERT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.reports == 1; }); }));
  for (const auto id : zookeeper.sessions()) {
    if (id != zk.session().id) {
      ASSERT_TRUE(zookeeper.expire_session(id));
    }
  }
  // Another takes its place, and the subscriptions go on (C11) without a word.
  ASSERT_TRUE(eventually([&] { return zookeeper.sessions().size() == 2 && zookeeper.statistics().watches == 1000; }));
  auto other = connect();
  for (const int i : {0, 500, 999}) {
    (void)other.create(long_path(i), "").value();
    EXPECT_TRUE(eventually([&] { return subscriptions.all[static_cast<std::size_t>(i)].present.load(); })) << i;
  }
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(zk.session().connection, 1U);
  const std::scoped_lock lock(seen->mutex);
  EXPECT_EQ(seen->ids.size(), 1U);
}

TEST_F(watch_budget, close_ends_all_sessions_and_tells_every_subscription) {
  auto zk = connect();
  many subscriptions(zk, 2000);
  ASSERT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.reports == 1; }); }));
  zk.close();
  EXPECT_TRUE(
      eventually([&] { return subscriptions.each([](const auto& one) { return one.problem == errc::closed; }); }));
  EXPECT_TRUE(eventually([&] { return zookeeper.sessions().empty(); }));
  std::promise<errc> late;
  const auto another = zk.watch("/a", [&](const node_change& change) { late.set_value(change.problem->code()); });
  EXPECT_EQ(late.get_future().get(), errc::closed);
}

TEST_F(watch_budget, credentials_that_are_added_later_hold_in_auxiliary_sessions_too) {
  auto owner = connect({.auth = {{"digest", "user:secret"}}});
  const acl_list owners = {{.perms = 31, .scheme = "auth", .id = ""}};
  (void)owner.create(long_path(999), "", {.acl = owners}).value();
  auto zk = connect();
  many subscriptions(zk, 1000);  // the last of them elsewhere
  ASSERT_TRUE(eventually([&] { return subscriptions.each([](const auto& one) { return one.reports >= 1; }); }));
  auto& last = subscriptions.all.back();
  EXPECT_EQ(last.problem, errc::no_auth);
  ASSERT_TRUE(zk.add_auth("digest", "user:secret"));
  EXPECT_TRUE(eventually([&] { return last.present.load(); }));  // asked for again after a while
}

TEST_F(watch_budget, paths_that_nobody_watches_any_more_are_not_registered_again) {
  auto zk = connect();
  for (int round = 0; round < 20; ++round) {
    many brief(zk, 100);  // 2 MB in all
    ASSERT_TRUE(eventually([&] { return brief.each([](const auto& one) { return one.reports == 1; }); }));
  }
  ASSERT_TRUE(eventually([&] { return zookeeper.statistics().watches == 0; }));
  zookeeper.drop_connections();
  EXPECT_TRUE(zk.get("/"));
  EXPECT_EQ(zookeeper.statistics().watches, 0U);
  EXPECT_EQ(zookeeper.sessions().size(), 1U);
}

TEST_F(watch_budget, of_two_subscriptions_to_a_path_one_ends_and_the_other_goes_on) {
  auto zk = connect();
  std::atomic<int> reports = 0;
  for (int i = 0; i < 50; ++i) {
    const auto path = "/p" + std::to_string(i);
    reports = 0;
    subscription first = zk.watch(path, [](const node_change&) {});
    const auto second = zk.watch(path, [&](const node_change&) { ++reports; });
    first = {};
    (void)zk.create(path, "").value();
    ASSERT_TRUE(eventually([&] { return reports >= 1; }));
    (void)zk.set(path, "x").value();
    const auto before = zk.get(path)->stat.version;
    ASSERT_EQ(before, 1);
    (void)zk.remove(path).value();
    ASSERT_TRUE(eventually([&] { return zookeeper.statistics().watches == 1; })) << i;
  }
}

TEST_F(watch_budget, one_shot_watches_beyond_the_packet_are_refused) {
  auto zk = connect();
  std::atomic<int> set = 0;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 1000; ++i) {
    zk.async_exists(long_path(i),
                    [&](const result<stat_t>& answer) {
                      const auto code = answer.error().code();
                      set += code == errc::no_node ? 1 : 0;
                      refused += code == errc::overloaded ? 1 : 0;
                    },
                    {.watch = [](const watch_event&) {}});
  }
  ASSERT_TRUE(eventually([&] { return set + refused == 1000; }));
  EXPECT_EQ(set, 800'000 / (1000 + 4));
  zookeeper.drop_connections();
  EXPECT_TRUE(zk.get("/"));
  EXPECT_EQ(zk.session().generation, 1U);
}

}  // namespace
}  // namespace zkr::testing
