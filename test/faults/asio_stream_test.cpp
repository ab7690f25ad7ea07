#include <gtest/gtest.h>

#include "zkrecipes/asio.hpp"

// Behind the standard library: see docs/asio.md.
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// Subscriptions as streams, with asio's completion tokens.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using asio::use_awaitable;
using asio::use_future;

struct asio_streams : ::testing::Test {
  server zookeeper = server::start({.tick_time = 50ms}).value();
  client zk = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 10s}).value();
  async_operations as = async(zk);
  asio::io_context io;
};

TEST_F(asio_streams, coroutine_follows_a_node_to_its_last_state) {
  const auto follow = [&]() -> asio::awaitable<int> {
    auto states = as.watch("/a");
    int seen = 0;
    for (;;) {
      const auto now = co_await states.next(use_awaitable);
      if (!now) co_return -1;
      ++seen;
      if (now->node && now->node->data == "99") co_return seen;
    }
  };
  auto seen = asio::co_spawn(io, follow(), use_future);
  std::jthread runs([&] { io.run(); });
  ASSERT_TRUE(zk.create("/a", "0"));
  for (int i = 1; i < 100; ++i) ASSERT_TRUE(zk.set("/a", std::to_string(i)));
  const int states = seen.get();
  EXPECT_GT(states, 0);
  EXPECT_LE(states, 101);
}

TEST_F(asio_streams, of_children_and_of_the_session) {
  auto children = as.watch_children("/");
  EXPECT_EQ(children.next(use_future).get()->children->names.size(), 1U);
  auto after = children.next(use_future);
  ASSERT_TRUE(zk.create("/a"));
  EXPECT_EQ(after.get()->children->names.size(), 2U);

  auto sessions = as.watch_session();
  EXPECT_EQ(sessions.next(use_future).get()->state, session_state::connected);
  auto ends = sessions.next(use_future);
  auto no_more = children.next(use_future);
  zk.close();
  EXPECT_EQ(ends.get()->state, session_state::closed);
  EXPECT_EQ(no_more.get().error().code(), errc::closed);
}

TEST_F(asio_streams, cancellation_by_every_type_takes_no_state) {
  auto states = as.watch("/a");
  ASSERT_TRUE(states.next(use_future).get());
  for (const auto type :
       {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
    asio::cancellation_signal cancel;
    auto answer = states.next(asio::bind_cancellation_slot(cancel.slot(), use_future));
    cancel.emit(type);
    EXPECT_EQ(answer.get().error().code(), errc::cancelled);
  }
  ASSERT_TRUE(zk.create("/a", "1"));
  EXPECT_EQ(states.next(use_future).get()->node->data, "1");
}

TEST_F(asio_streams, a_time_limit_beside_it) {
  const auto story = [&]() -> asio::awaitable<void> {
    auto states = as.watch("/a");
    EXPECT_TRUE(co_await states.next(use_awaitable));
    EXPECT_EQ((co_await states.next(use_awaitable, {.timeout = 10ms})).error().code(), errc::timed_out);
    asio::steady_timer timer(io, 10ms);
    const auto first = co_await (states.next(use_awaitable) || timer.async_wait(use_awaitable));
    EXPECT_EQ(first.index(), 1U);
    EXPECT_TRUE(co_await as.create("/a", "1", {}, use_awaitable));
    EXPECT_EQ((co_await states.next(use_awaitable))->node->data, "1");
  };
  auto ended = asio::co_spawn(io, story(), use_future);
  io.run();
  ended.get();
}

/// Says when it is destroyed.
struct told {
  std::atomic<int>* count;
  ~told() { ++*count; }
};

asio::awaitable<void> follow_for_ever(async_operations as, std::atomic<int>& frames, std::atomic<int>& states) {
  const told here{&frames};
  auto stream = as.watch("/a");
  while (co_await stream.next(use_awaitable)) ++states;
}

TEST_F(asio_streams, coroutines_destroyed_with_their_context_while_they_wait_watch_no_more) {
  std::atomic<int> frames = 0;
  std::atomic<int> states = 0;
  {
    asio::io_context short_lived;
    for (int i = 0; i < 10; ++i) {
      asio::co_spawn(asio::make_strand(short_lived), follow_for_ever(as, frames, states), asio::detached);
    }
    ASSERT_TRUE(eventually([&] {
      short_lived.poll();
      return states == 10;
    }));
    EXPECT_EQ(frames, 0);
    EXPECT_EQ(zookeeper.statistics().watches, 1U) << "they share a session";
  }
  EXPECT_EQ(frames, 10);
  EXPECT_TRUE(eventually([&] { return zookeeper.statistics().watches == 0; }));
  ASSERT_TRUE(zk.create("/a"));
  EXPECT_EQ(states, 10);
}

TEST_F(asio_streams, contexts_destroyed_while_states_arrive) {
  std::atomic<int> frames = 0;
  std::atomic<int> states = 0;
  std::atomic<int> writes = 0;
  ASSERT_TRUE(zk.create("/a"));
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) writes += zk.set("/a", "x") ? 1 : 0;
  });
  constexpr int contexts = 100;
  for (int i = 0; i < contexts; ++i) {
    asio::io_context short_lived;
    for (int k = 0; k < 4; ++k) asio::co_spawn(short_lived, follow_for_ever(as, frames, states), asio::detached);
    const int before = states;
    ASSERT_TRUE(eventually([&] {
      short_lived.poll();
      return states > before;
    }));
  }
  EXPECT_EQ(frames, contexts * 4);
  EXPECT_GE(states, contexts);
  EXPECT_GT(writes, 0);
}

}  // namespace
}  // namespace zkr::testing
