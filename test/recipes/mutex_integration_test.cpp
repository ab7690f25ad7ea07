#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/recipes/mutex.hpp"
#include "zkrecipes/server.hpp"

// The mutex with the bundled server, real threads and libzookeeper.
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

struct Mutexes : ::testing::Test {
  server zk = server::start({.tick_time = tick}).value();
  client one = connect();
  client two = connect();

  client connect() {
    return client::connect({.hosts = zk.connect_string(), .session_timeout = session_timeout}).value();
  }
  static zkr::mutex mutex(const operations& on, std::string id = "someone") {
    return {on, {.path = "/app/lock", .id = std::move(id)}};
  }
  std::vector<std::string> nodes() {
    auto list = one.children("/app/lock");
    return list ? list->names : std::vector<std::string>{};
  }
  bool empty_soon() {
    return eventually([&] { return nodes().empty(); });
  }
};

TEST_F(Mutexes, lays_its_nodes_out_as_curators_mutex_does) {
  auto lock = mutex(one, "me").acquire().value();
  const auto all = nodes();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all.front(), ::testing::MatchesRegex(
                               "_c_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-lock-0000000000"));
  const auto read = one.get("/app/lock/" + all.front()).value();
  EXPECT_EQ(read.data, "me");
  EXPECT_EQ(read.stat.ephemeral_owner, one.session().id);
  EXPECT_EQ(read.stat.czxid, lock.fencing_token());
  EXPECT_EQ(lock.path(), "/app/lock/" + all.front());
}

TEST_F(Mutexes, one_holds_the_next_follows_and_tokens_grow) {
  auto first = mutex(one).acquire().value();
  auto waiting = std::async(std::launch::async, [&] { return mutex(two).acquire().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  EXPECT_EQ(waiting.wait_for(3 * tick), std::future_status::timeout);
  first.release({}).value();
  auto second = waiting.get();
  EXPECT_TRUE(second.held());
  EXPECT_FALSE(first.held());
  EXPECT_GT(second.fencing_token(), first.fencing_token());
}

TEST_F(Mutexes, threads_and_clients_exclude_each_other) {
  std::atomic<int> inside = 0;
  std::atomic<int> cycles = 0;
  std::atomic<bool> two_at_once = false;
  const auto work = [&](const client& on) {
    auto lock_of_all = mutex(on);
    for (int i = 0; i < 20; ++i) {
      const auto lock = lock_of_all.acquire().value();
      if (++inside != 1) two_at_once = true;
      if (lock.held()) ++cycles;
      --inside;
    }
  };
  {
    std::vector<std::jthread> all;
    for (const auto* on : {&one, &one, &two, &two}) all.emplace_back([&, on] { work(*on); });
  }
  EXPECT_FALSE(two_at_once);
  EXPECT_EQ(cycles, 80);
  EXPECT_TRUE(empty_soon());
}

TEST_F(Mutexes, trying_does_not_wait_for_others_and_leaves_nothing) {
  auto held = mutex(one).try_acquire().value();
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->held());
  EXPECT_FALSE(mutex(two).try_acquire().value());
  EXPECT_FALSE(mutex(one).try_acquire().value()) << "not re-entrant";
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
  std::promise<bool> had;
  mutex(two).async_try_acquire(
      [&](const result<std::optional<held_lock>>& outcome) { had.set_value(outcome && outcome->has_value()); });
  EXPECT_FALSE(had.get_future().get());
  held->release({}).value();
  EXPECT_TRUE(mutex(two).try_acquire().value());
  EXPECT_TRUE(empty_soon());
  zk.pause();
  EXPECT_EQ(code_of(mutex(two).try_acquire({.timeout = 2 * tick})), errc::timed_out);
  zk.resume();
  EXPECT_TRUE(empty_soon());
}

TEST_F(Mutexes, an_acquisition_within_its_own_lock_ends_at_its_deadline) {
  auto held = mutex(one).acquire().value();
  const auto again = mutex(one).acquire({.timeout = 2 * tick});
  ASSERT_EQ(code_of(again), errc::timed_out);
  EXPECT_THAT(again.error().message(), ::testing::HasSubstr("mutex"));
  EXPECT_THAT(again.error().message(), ::testing::HasSubstr("/app/lock"));
  EXPECT_TRUE(held.held());
}

TEST_F(Mutexes, contenders_come_in_the_order_of_their_turn) {
  EXPECT_THAT(mutex(one).contenders().value(), IsEmpty());
  auto held = mutex(one, "a").acquire().value();
  std::stop_source stop;
  mutex(two, "b").async_acquire([](const result<held_lock>&) {}, {.stop = stop.get_token()});
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  const auto all = mutex(two).contenders().value();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0], (lock_contender{"a", held.path(), held.fencing_token(), true}));
  EXPECT_EQ(all[1].id, "b");
  EXPECT_FALSE(all[1].holds);
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
}

TEST_F(Mutexes, waits_for_go_always_and_for_kazoo_where_its_pattern_is_given) {
  mutex(one).acquire().value().release({}).value();  // makes the directory
  const zkr::mutex with_kazoo(two, {.path = "/app/lock", .extra_lock_patterns = {"__lock__"}});
  const auto put = [&](const std::string& name) {
    return one.create("/app/lock/" + name, "", {.mode = create_mode::ephemeral_sequential}).value().path;
  };
  const auto of_kazoo = put("0123456789abcdef0123456789abcdef__lock__");
  EXPECT_TRUE(mutex(two).try_acquire().value()) << "a pattern that is not given";
  EXPECT_FALSE(zkr::mutex(with_kazoo).try_acquire().value());
  one.remove(of_kazoo).value();
  const auto of_go = put("_c_0123456789abcdef0123456789abcdef-lock-");
  EXPECT_FALSE(mutex(two).try_acquire().value());
  one.remove(of_go).value();
  EXPECT_TRUE(zkr::mutex(with_kazoo).try_acquire().value());
}

/// What the server was asked for while something happened, by operation.
class asked_meanwhile {
 public:
  explicit asked_meanwhile(server& of) : of_(of), before_(counts()) {}
  [[nodiscard]] std::int64_t operator()(int code) const { return counts()[code] - at(before_, code); }
  [[nodiscard]] std::int64_t cycle_requests() const {
    std::int64_t all = 0;
    for (const int code : {create, create2, container, remove, exists, read, list}) all += (*this)(code);
    return all;
  }
  static constexpr int create = 1, remove = 2, exists = 3, read = 4, list = 12, create2 = 15, container = 19;

 private:
  using table = std::map<int, std::int64_t>;
  [[nodiscard]] table counts() const {
    table all;
    for (const int code : {create, create2, container, remove, exists, read, list}) {
      all[code] = static_cast<std::int64_t>(of_.statistics().requests[static_cast<std::size_t>(code)]);
    }
    return all;
  }
  static std::int64_t at(const table& of, int code) {
    const auto found = of.find(code);
    return found == of.end() ? 0 : found->second;
  }
  server& of_;
  table before_;
};

TEST_F(Mutexes, costs_three_requests_a_cycle_without_contention) {
  mutex(one).acquire().value().release({}).value();  // the directory is there, the lease is warm
  const asked_meanwhile asked(zk);
  constexpr int cycles = 10;
  for (int i = 0; i < cycles; ++i) mutex(one).acquire().value().release({}).value();
  EXPECT_EQ(asked(asked_meanwhile::create2), cycles);
  EXPECT_EQ(asked.cycle_requests(), 3 * cycles);
}

TEST_F(Mutexes, costs_four_requests_a_cycle_between_two) {
  mutex(one).acquire().value().release({}).value();
  const asked_meanwhile asked(zk);
  constexpr int cycles = 10;
  auto held = mutex(one).acquire().value();  // three requests: there is nobody to read
  for (int i = 0; i < cycles; ++i) {
    std::promise<held_lock> next;
    mutex(i % 2 == 0 ? two : one).async_acquire([&](result<held_lock> lock) { next.set_value(*std::move(lock)); });
    ASSERT_TRUE(eventually([&] { return asked(asked_meanwhile::read) == i + 1; }));
    held.release({}).value();
    held = next.get_future().get();
  }
  held.release({}).value();
  EXPECT_EQ(asked(asked_meanwhile::list), cycles + 1) << "a hand-over needs none";
  EXPECT_EQ(asked.cycle_requests(), 3 + 4 * cycles);
}

TEST_F(Mutexes, costs_at_most_five_requests_a_cycle_among_sixteen) {
  mutex(one).acquire().value().release({}).value();
  constexpr int contenders = 16;
  const asked_meanwhile asked(zk);
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < contenders; ++i) {
      all.emplace_back([this, i] {
        auto mine = mutex(i % 2 == 0 ? one : two);
        for (int k = 0; k < 5; ++k) (void)mine.acquire().value();
      });
    }
  }
  EXPECT_TRUE(eventually([&] { return asked(asked_meanwhile::remove) == asked(asked_meanwhile::create2); }));
  const double a_cycle = static_cast<double>(asked.cycle_requests()) / (5 * contenders);
  RecordProperty("requests_a_cycle", std::to_string(a_cycle));
  EXPECT_LE(a_cycle, 5.0);
}

TEST_F(Mutexes, a_lost_session_is_known_and_the_next_follows) {
  auto first = mutex(one).acquire().value();
  auto waiting = std::async(std::launch::async, [&] { return mutex(two).acquire().value(); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  const auto lost = first.lost();
  zk.expire_session(one.session().id);
  auto second = waiting.get();
  EXPECT_GT(second.fencing_token(), first.fencing_token());
  EXPECT_TRUE(eventually([&] { return lost.stop_requested() && !first.held(); }));
  EXPECT_EQ(code_of(first.release()), errc::ownership_lost);
}

TEST_F(Mutexes, a_cancelled_acquisition_returns_at_once_and_leaves_nothing) {
  auto held = mutex(one).acquire().value();
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return mutex(two).acquire({.stop = stop.get_token()}); });
  ASSERT_TRUE(eventually([&] { return nodes().size() == 2; }));
  stop.request_stop();
  EXPECT_EQ(code_of(waiting.get()), errc::cancelled);
  EXPECT_TRUE(eventually([&] { return nodes().size() == 1; }));
  EXPECT_TRUE(held.held());
}

TEST_F(Mutexes, callbacks_may_not_block) {
  std::promise<std::vector<errc>> codes;
  auto lock = mutex(one);
  one.async_exists("/", [&](const result<stat_t>&) {
    codes.set_value({code_of(lock.acquire({.timeout = 1s})), code_of(lock.try_acquire()), code_of(lock.contenders())});
  });
  EXPECT_THAT(codes.get_future().get(), ElementsAre(errc::would_deadlock, errc::would_deadlock, errc::would_deadlock));
}

TEST_F(Mutexes, bad_input_and_a_closed_client_are_refused) {
  for (const auto* path : {"", "app", "/app/", "/a//b", "/a/../b"}) {
    EXPECT_EQ(code_of(zkr::mutex(one, {.path = path}).acquire()), errc::invalid_path) << path;
    EXPECT_EQ(code_of(zkr::mutex(one, {.path = path}).contenders()), errc::invalid_path) << path;
  }
  EXPECT_EQ(code_of(zkr::mutex(one, {.path = "/l", .extra_lock_patterns = {""}}).acquire()), errc::invalid_argument);
  one.close();
  EXPECT_EQ(code_of(mutex(one).acquire()), errc::closed);
  EXPECT_EQ(code_of(zkr::mutex({}, {.path = "/l"}).try_acquire()), errc::closed);
}

TEST_F(Mutexes, an_acl_that_forbids_it_fails_and_leaves_nothing) {
  (void)one.create("/sealed", "", {.acl = read_acl()}).value();
  EXPECT_EQ(code_of(zkr::mutex(one, {.path = "/sealed"}).acquire()), errc::no_auth);
  EXPECT_EQ(code_of(zkr::mutex(one, {.path = "/sealed/deep"}).acquire()), errc::no_auth);
  EXPECT_THAT(one.children("/sealed").value().names, IsEmpty());
}

}  // namespace
}  // namespace zkr::testing
