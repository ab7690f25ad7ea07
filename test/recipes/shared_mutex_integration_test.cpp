#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/recipes/shared_mutex.hpp"
#include "zkrecipes/server.hpp"

// The shared mutex with the bundled server, real threads and libzookeeper.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

const auto tick = std::chrono::milliseconds(50) * time_factor();
const duration session_timeout = 20 * tick;

struct SharedMutexes : ::testing::Test {
  server zk = server::start({.tick_time = tick}).value();
  client one = connect();
  client two = connect();

  client connect() {
    return client::connect({.hosts = zk.connect_string(), .session_timeout = session_timeout}).value();
  }
  static zkr::shared_mutex mutex(const operations& on, std::string id = "someone") {
    return {on, {.path = "/app/lock", .id = std::move(id)}};
  }
  std::size_t nodes() {
    auto list = one.children("/app/lock");
    return list ? list->names.size() : 0;
  }
};

TEST_F(SharedMutexes, lays_its_nodes_out_as_curators_read_write_lock_does) {
  const std::string uuid = "/app/lock/_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-";
  {
    const auto reader = mutex(one).acquire_shared().value();
    EXPECT_THAT(reader.path(), ::testing::ContainsRegex(uuid + "__READ__0000000000$"));
  }
  const auto writer = mutex(one).acquire().value();
  EXPECT_THAT(writer.path(), ::testing::ContainsRegex(uuid + "__WRIT__0000000001$"));
}

TEST_F(SharedMutexes, readers_share_and_exclude_writers) {
  auto first = mutex(one).acquire_shared().value();
  auto second = mutex(two).acquire_shared({.timeout = 10s * time_factor()}).value();
  EXPECT_TRUE(first.held() && second.held());
  EXPECT_FALSE(mutex(two).try_acquire().value());
  auto writer = std::async(std::launch::async, [&] { return mutex(two).acquire().value(); });
  ASSERT_TRUE(eventually([&] { return nodes() == 3; }));
  first.release({}).value();
  EXPECT_EQ(writer.wait_for(2 * tick), std::future_status::timeout);
  EXPECT_FALSE(mutex(one).try_acquire_shared().value()) << "a writer waits before it";
  second.release({}).value();
  auto alone = writer.get();
  EXPECT_TRUE(alone.held());
  EXPECT_GT(alone.fencing_token(), second.fencing_token());
  EXPECT_FALSE(mutex(one).try_acquire_shared().value());
  alone.release({}).value();
  EXPECT_TRUE(mutex(one).try_acquire_shared().value());
}

TEST_F(SharedMutexes, readers_behind_a_writer_go_together) {
  auto writer = mutex(one).acquire().value();
  std::vector<std::future<held_lock>> readers;
  for (const auto* on : {&one, &two, &two}) {
    readers.push_back(std::async(std::launch::async, [on] { return mutex(*on).acquire_shared().value(); }));
  }
  ASSERT_TRUE(eventually([&] { return nodes() == 4; }));
  writer.release({}).value();
  std::vector<held_lock> all;
  for (auto& reader : readers) all.push_back(reader.get());
  for (const auto& reader : all) {
    EXPECT_TRUE(reader.held());
    EXPECT_GT(reader.fencing_token(), writer.fencing_token());
  }
}

TEST_F(SharedMutexes, contenders_say_who_holds_and_who_shares) {
  const auto first = mutex(one, "a").acquire_shared().value();
  const auto second = mutex(two, "b").acquire_shared().value();
  std::stop_source stop;
  mutex(two, "c").async_acquire([](const result<held_lock>&) {}, {.stop = stop.get_token()});
  ASSERT_TRUE(eventually([&] { return nodes() == 3; }));
  mutex(one, "d").async_acquire_shared([](const result<held_lock>&) {}, {.stop = stop.get_token()});
  ASSERT_TRUE(eventually([&] { return nodes() == 4; }));
  const auto all = mutex(one).contenders().value();
  ASSERT_THAT(all, SizeIs(4));
  const auto text = [](const lock_contender& of) {
    return of.id + (of.holds ? " holds" : " waits") + (of.shared ? " shared" : "");
  };
  EXPECT_EQ(text(all[0]), "a holds shared");
  EXPECT_EQ(text(all[1]), "b holds shared");
  EXPECT_EQ(text(all[2]), "c waits");
  EXPECT_EQ(text(all[3]), "d waits shared");
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return nodes() == 2; }));
}

TEST_F(SharedMutexes, writers_and_readers_in_a_crowd_never_meet) {
  std::atomic<int> readers = 0;
  std::atomic<int> writers = 0;
  std::atomic<int> cycles = 0;
  std::atomic<bool> met = false;
  const auto work = [&](const client& on, bool writes) {
    auto lock_of_all = mutex(on);
    for (int i = 0; i < 15; ++i) {
      const auto lock = (writes ? lock_of_all.acquire() : lock_of_all.acquire_shared()).value();
      if (writes) {
        if (++writers != 1 || readers != 0) met = true;
      } else {
        ++readers;
        if (writers != 0) met = true;
      }
      if (lock.held()) ++cycles;
      --(writes ? writers : readers);
    }
  };
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 6; ++i) all.emplace_back([&, i] { work(i % 2 == 0 ? one : two, i % 3 == 0); });
  }
  EXPECT_FALSE(met);
  EXPECT_EQ(cycles, 90);
  EXPECT_TRUE(eventually([&] { return nodes() == 0; }));
}

}  // namespace
}  // namespace zkr::testing
