#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// Random operations from many threads while everything fails that can: each ends exactly once and says truthfully what
// became of it, and nothing is left behind.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr int threads = 8;
constexpr std::size_t most_outstanding = 200;  // of one thread

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

std::size_t entries_of(const char* directory) {
  std::size_t count = 0;
  DIR* const folder = opendir(directory);
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

/// What an operation has become; every one of them has a record of its own.
struct record {
  std::atomic<int> ends = 0;
  std::atomic<bool> acknowledged = false;
  std::atomic<bool> in_doubt = false;
};

struct watch_record {
  std::atomic<int> calls = 0;
  std::atomic<int> wanted = 0;  ///< 1 as soon as its read has succeeded.
};

/// Whether a subscription's handler runs after the subscription has ended.
struct follower {
  std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
  subscription held;
  ~follower() {
    held = {};
    *ended = true;
  }
};

struct crowd {
  std::uint64_t seed;
  std::size_t operations;  ///< Of each thread.
  server& zookeeper;
  std::shared_ptr<zkr::runtime> runtime = zkr::runtime::create();

  std::mutex mutex;
  std::vector<std::shared_ptr<client>> clients;  // guarded by mutex

  std::vector<record> records = std::vector<record>(operations * threads);
  std::vector<watch_record> watches = std::vector<watch_record>(operations * threads);
  std::array<std::atomic<std::size_t>, threads> outstanding{};
  std::atomic<int> late_reports = 0;
  std::array<std::atomic<int>, threads> sets_done{};
  std::array<std::atomic<int>, threads> sets_in_doubt{};

  crowd(std::uint64_t from, std::size_t each, server& on) : seed(from), operations(each), zookeeper(on) {
    for (int i = 0; i < 4; ++i) clients.push_back(fresh());
  }

  std::shared_ptr<client> fresh() {
    return std::make_shared<client>(client::connect({.hosts = zookeeper.connect_string(),
                                                     .session_timeout = 1s,
                                                     .operation_timeout = 3s * time_factor(),
                                                     .start = start_mode::background,
                                                     .runtime = runtime})
                                        .value());
  }
  std::shared_ptr<client> any(std::mt19937_64& random) {
    const std::scoped_lock lock(mutex);
    return clients[random() % clients.size()];
  }

  template <typename T>
  handler<T> note(int thread, std::size_t which) {
    ++outstanding[thread];
    return [this, thread, &mine = records[which]](const result<T>& answer) {
      ++mine.ends;
      if (answer) {
        mine.acknowledged = true;
      } else {
        mine.in_doubt = answer.error().outcome() == outcome::unknown;
      }
      --outstanding[thread];
    };
  }
  void count_set(int thread, const result<stat_t>& answer) {
    if (answer) {
      ++sets_done[thread];
    } else if (answer.error().outcome() == outcome::unknown) {
      ++sets_in_doubt[thread];
    }
  }

  /// One operation of the thread: number `which` of all.
  void act(int thread, std::size_t which, std::mt19937_64& random, std::vector<std::unique_ptr<follower>>& following,
           std::stop_source& stops) {
    const auto zk = any(random);
    const std::string shared = "/data/" + std::to_string(random() % 20);
    call_options how;
    if (random() % 4 == 0) how.timeout = std::chrono::milliseconds(random() % 300);
    if (random() % 8 == 0) how.stop = stops.get_token();
    switch (random() % 14) {
      case 0:
      case 1:
      case 2: {
        const auto mode = static_cast<create_mode>(random() % 4 < 3 ? 0 : 2);
        zk->async_create("/made/" + std::to_string(which) + "-", "x", {.mode = mode}, note<created>(thread, which),
                         how);
        break;
      }
      case 3:
        zk->async_set(
            "/sets/" + std::to_string(thread), std::to_string(which), any_version,
            [this, thread, done = note<stat_t>(thread, which)](result<stat_t> answer) mutable {
              count_set(thread, answer);
              done(std::move(answer));
            },
            how);
        break;
      case 4: {
        read_options watched;
        watched.watch = [&mine = watches[which]](const watch_event&) { ++mine.calls; };
        zk->async_get(
            shared,
            [&mine = watches[which], done = note<node>(thread, which)](result<node> answer) mutable {
              if (answer) mine.wanted = 1;
              done(std::move(answer));
            },
            std::move(watched), how);
        break;
      }
      case 5: zk->async_get(shared, note<node>(thread, which), {}, how); break;
      case 6: zk->async_exists(shared, note<stat_t>(thread, which), {}, how); break;
      case 7: zk->async_children("/data", note<child_list>(thread, which), {}, how); break;
      case 8: zk->async_set(shared, "y", any_version, note<stat_t>(thread, which), how); break;
      case 9:
        if (random() % 2 == 0) {
          zk->async_remove(shared, any_version, note<void>(thread, which), how);
        } else {
          zk->async_create(shared, "", {.mode = create_mode::ephemeral}, note<created>(thread, which), how);
        }
        break;
      case 10: zk->async_sync("/data", note<void>(thread, which), how); break;
      case 11: zk->async_get_acl("/data", note<acl_list>(thread, which), how); break;
      case 12: {
        transaction writes;
        writes.check("/data").create("/made/" + std::to_string(which) + "-", "x");
        if (random() % 4 == 0) writes.check("/nowhere");
        zk->async_commit(std::move(writes), note<std::vector<transaction_result>>(thread, which), how);
        break;
      }
      case 13: {
        // A call that blocks, and a subscription that begins or ends.
        const auto answer = zk->get(shared, {}, {.timeout = 50ms});
        (void)answer;
        ++records[which].ends;
        if (following.size() < 10) {
          auto one = std::make_unique<follower>();
          one->held = zk->watch(shared, [this, ended = one->ended](const node_change&) {
            if (*ended) ++late_reports;
          });
          following.push_back(std::move(one));
        } else {
          following.erase(following.begin() + static_cast<std::ptrdiff_t>(random() % following.size()));
        }
        break;
      }
    }
  }

  void work(int thread) {
    std::mt19937_64 random(seed * threads + static_cast<std::uint64_t>(thread));
    std::vector<std::unique_ptr<follower>> following;
    std::stop_source stops;
    for (std::size_t i = 0; i < operations; ++i) {
      while (outstanding[thread] >= most_outstanding) std::this_thread::yield();
      act(thread, static_cast<std::size_t>(thread) * operations + i, random, following, stops);
      if (random() % 500 == 0) {
        stops.request_stop();
        stops = {};
      }
    }
  }

  /// Everything that can go wrong, until all threads are done.
  void disturb(const std::atomic<int>& working) {
    std::mt19937_64 random(seed);
    while (working > 0) {
      switch (random() % 10) {
        case 0: zookeeper.drop_connections(); break;
        case 1: (void)zookeeper.faults().add({.action = fault_action::close_after, .skip = random() % 200}); break;
        case 2: (void)zookeeper.faults().add({.action = fault_action::close_before, .skip = random() % 200}); break;
        case 3:
          (void)zookeeper.faults().add({.action = fault_action::delay_reply,
                                        .skip = random() % 200,
                                        .delay = std::chrono::milliseconds(random() % 100)});
          break;
        case 4:
          if (random() % 4 == 0) {
            (void)zookeeper.faults().add({.action = fault_action::drop_reply, .skip = random() % 200});
          }
          break;
        case 5:
          if (const auto all = zookeeper.sessions(); !all.empty() && random() % 2 == 0) {
            zookeeper.expire_session(all[random() % all.size()]);
          }
          break;
        case 6:
          zookeeper.pause();
          std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
          zookeeper.resume();
          break;
        case 7:
          (void)zookeeper.faults().add(
              {.at = fault_point::resumed_session, .action = fault_action::close_before, .times = random() % 3});
          break;
        case 8: {
          // A client goes, another comes; whoever is in the middle of a call has the last reference.
          auto another = fresh();
          std::shared_ptr<client> old;
          {
            const std::scoped_lock lock(mutex);
            old = std::exchange(clients[random() % clients.size()], std::move(another));
          }
          if (random() % 2 == 0) old->close();
          break;
        }
        default: break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 50));
    }
    zookeeper.faults().clear();
    zookeeper.drop_connections();
  }
};

void expect_truth(crowd& all, client& zk) {
  std::size_t acknowledged = 0;
  std::size_t in_doubt = 0;
  auto made = zk.children("/made", {}, {.timeout = 60s}).value().names;
  std::vector<int> nodes(all.records.size(), 0);
  for (const auto& name : made) ++nodes[std::stoul(name)];
  for (std::size_t i = 0; i < all.records.size(); ++i) {
    const auto& one = all.records[i];
    ASSERT_EQ(one.ends, 1) << "operation " << i;
    ASSERT_LE(nodes[i], 1) << "operation " << i << " was repeated";
    if (nodes[i] == 1) {
      ASSERT_TRUE(one.acknowledged || one.in_doubt)
          << "operation " << i << " was applied, and it was said that it was not";
    }
    acknowledged += one.acknowledged ? 1 : 0;
    in_doubt += one.in_doubt ? 1 : 0;
    ASSERT_EQ(all.watches[i].calls, all.watches[i].wanted) << "watch of operation " << i;
  }
  for (int thread = 0; thread < threads; ++thread) {
    const auto version = zk.get("/sets/" + std::to_string(thread)).value().stat.version;
    EXPECT_GE(version, all.sets_done[thread]);
    EXPECT_LE(version, all.sets_done[thread] + all.sets_in_doubt[thread]);
  }
  EXPECT_EQ(all.late_reports, 0);
  std::cout << acknowledged << " acknowledged, " << in_doubt << " in doubt, " << made.size() << " nodes made\n";
  EXPECT_GT(acknowledged, all.records.size() / 4) << "most fail: nothing is tested";
}

TEST(random_operations, each_ends_once_and_tells_the_truth_and_nothing_is_left) {
  const auto seed = from_environment("ZKR_TEST_SEED", std::random_device{}());
  const auto operations = from_environment("ZKR_TEST_OPERATIONS", 200'000 / static_cast<std::uint64_t>(time_factor()));
  std::cout << "ZKR_TEST_SEED=" << seed << '\n';
  std::thread([] {}).join();  // sanitizers have a thread of their own from then on
  const auto threads_before = entries_of("/proc/self/task");
  const auto descriptors_before = entries_of("/proc/self/fd");
  {
    server zookeeper = server::start({.tick_time = 50ms}).value();
    {
      client setup = client::connect({.hosts = zookeeper.connect_string()}).value();
      for (const auto* path : {"/data", "/made", "/sets"}) (void)setup.create(path).value();
      for (int i = 0; i < threads; ++i) (void)setup.create("/sets/" + std::to_string(i)).value();
    }
    crowd all(seed, operations / threads, zookeeper);
    std::atomic<int> working = threads;
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        all.work(i);
        --working;
      });
    }
    all.disturb(working);
    for (auto& one : workers) one.join();
    for (const auto& one : all.clients) one->close();
    // Handlers of what was closed run on the dispatch thread, which goes with the runtime.
    EXPECT_TRUE(eventually([&] {
      return std::all_of(all.outstanding.begin(), all.outstanding.end(), [](const auto& left) { return left == 0; });
    }));
    all.clients.clear();
    client after = client::connect({.hosts = zookeeper.connect_string()}).value();
    EXPECT_TRUE(eventually([&] {
      return std::all_of(all.watches.begin(), all.watches.end(),
                         [](const auto& one) { return one.calls == one.wanted; });
    })) << "watches of closed clients end with closed";
    expect_truth(all, after);
  }
  EXPECT_TRUE(eventually([&] { return entries_of("/proc/self/task") == threads_before; }));
  EXPECT_TRUE(eventually([&] { return entries_of("/proc/self/fd") == descriptors_before; }));
}

}  // namespace
}  // namespace zkr::testing
