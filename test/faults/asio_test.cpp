#include "zkrecipes/asio.hpp"

#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/deferred.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/recipes/claim_election.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/server.hpp"

// The operations with asio's completion tokens, on real threads and a bundled server.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using asio::use_awaitable;
using asio::use_future;

class asio_form : public ::testing::Test {
 protected:
  client connect() { return client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 10s}).value(); }

  /// Runs a coroutine to its end on `io`, and what it has left behind.
  template <typename T>
  void run(asio::awaitable<T> what) {
    auto ended = asio::co_spawn(io, std::move(what), use_future);
    io.run();
    io.restart();
    ended.get();
  }

  server zookeeper = server::start({.tick_time = 50ms}).value();
  client zk = connect();
  async_operations as = async(zk);
  asio::io_context io;
};

// ---- tokens ---------------------------------------------------------------------------------------------------------

TEST_F(asio_form, futures_of_all_operations) {
  EXPECT_EQ(as.create("/a", "1", {}, use_future).get().value().path, "/a");
  EXPECT_EQ(as.get("/a", use_future).get().value().data, "1");
  EXPECT_EQ(as.set("/a", "2", 0, use_future).get().value().version, 1);
  EXPECT_EQ(as.exists("/a", use_future).get().value().version, 1);
  EXPECT_EQ(as.children("/", use_future).get().value().names.size(), 2U);
  EXPECT_EQ(as.get_acl("/a", use_future).get().value(), open_acl());
  EXPECT_TRUE(as.set_acl("/a", open_acl(), 0, use_future).get());
  EXPECT_TRUE(as.sync("/", use_future).get());
  EXPECT_TRUE(as.add_auth("digest", "me:secret", use_future).get());
  EXPECT_EQ(as.commit(transaction{}.check("/a", 1).create("/b", ""), use_future).get().value().back().path, "/b");
  EXPECT_TRUE(as.remove("/a", 1, use_future).get());
  EXPECT_EQ(as.get("/a", use_future).get().error().code(), errc::no_node);
}

TEST_F(asio_form, coroutine_gets_errors_as_results) {
  const auto story = [&]() -> asio::awaitable<void> {
    EXPECT_EQ((co_await as.create("/a", "1", {}, use_awaitable)).value().path, "/a");
    EXPECT_EQ((co_await as.get("/a", use_awaitable))->data, "1");
    EXPECT_EQ((co_await as.get("/nowhere", use_awaitable)).error().code(), errc::no_node);
    EXPECT_EQ((co_await as.set("/a", "2", 7, use_awaitable)).error().code(), errc::bad_version);
    EXPECT_TRUE(co_await as.remove("/a", 0, use_awaitable));
  };
  run(story());
}

TEST_F(asio_form, deferred_starts_when_it_is_called) {
  auto create = as.create("/a", "", {}, asio::experimental::deferred);
  EXPECT_FALSE(zk.exists("/a"));
  EXPECT_TRUE(std::move(create)(use_future).get());
  EXPECT_TRUE(zk.exists("/a"));
}

TEST_F(asio_form, as_tuple) {
  const auto story = [&]() -> asio::awaitable<void> {
    const auto [answer] = co_await as.exists("/", asio::experimental::as_tuple(use_awaitable));
    EXPECT_TRUE(answer);
  };
  run(story());
}

TEST_F(asio_form, one_shot_watch_and_call_options) {
  std::promise<watch_event> promised;
  auto seen = promised.get_future();
  read_options watching{.watch = [to = std::move(promised)](const watch_event& event) mutable { to.set_value(event); }};
  const auto story = [&]() -> asio::awaitable<void> {
    EXPECT_TRUE(co_await as.get("/", use_awaitable, std::move(watching)));
    EXPECT_EQ((co_await as.get("/", use_awaitable, {}, {.timeout = 0s})).error().code(), errc::timed_out);
    EXPECT_TRUE(co_await as.set("/", "x", any_version, use_awaitable));
  };
  run(story());
  EXPECT_EQ(seen.get().type, watch_event_type::data_changed);
}

// ---- where handlers run ---------------------------------------------------------------------------------------------

TEST_F(asio_form, callback_without_an_executor_runs_where_the_clients_handlers_run) {
  const auto say_where = [](std::promise<std::thread::id> to) {
    return [to = std::move(to)](const result<node>&) mutable { to.set_value(std::this_thread::get_id()); };
  };
  std::promise<std::thread::id> with_token;
  std::promise<std::thread::id> without;
  auto one = with_token.get_future();
  auto other = without.get_future();
  as.get("/", say_where(std::move(with_token)));
  zk.async_get("/", say_where(std::move(without)));
  EXPECT_EQ(one.get(), other.get());
}

TEST_F(asio_form, callback_runs_on_its_associated_executor) {
  std::thread::id ran;
  as.get("/", asio::bind_executor(io, [&](result<node>) { ran = std::this_thread::get_id(); }));
  EXPECT_EQ(io.run(), 1U);  // it did not end before: the operation is outstanding work
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST_F(asio_form, callback_runs_inside_its_strand) {
  const auto strand = asio::make_strand(io);
  bool inside = false;
  as.get("/", asio::bind_executor(strand, [&](result<node>) { inside = strand.running_in_this_thread(); }));
  io.run();
  EXPECT_TRUE(inside);
}

TEST_F(asio_form, no_handler_runs_inside_the_call_that_starts_it) {
  const auto nobody = async(operations());  // its handlers run at once
  std::promise<std::thread::id> plain;
  auto ran = plain.get_future();
  nobody.get("/", [plain = std::move(plain)](const result<node>& answer) mutable {
    EXPECT_EQ(answer.error().code(), errc::closed);
    plain.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(ran.get(), std::this_thread::get_id());

  bool bound = false;
  nobody.get("/", asio::bind_executor(io, [&](const result<node>&) { bound = true; }));
  EXPECT_FALSE(bound);
  io.run();
  EXPECT_TRUE(bound);
}

TEST_F(asio_form, watches_on_an_executor_of_asio) {
  asio_executor on_io(io.get_executor());
  std::thread::id ran;
  const auto watching = zk.on(on_io).watch("/", [&](const node_change&) {
    ran = std::this_thread::get_id();
    io.stop();
  });
  const auto guard = asio::make_work_guard(io);
  io.run();
  EXPECT_EQ(ran, std::this_thread::get_id());
}

std::atomic<int> allocated = 0;

template <typename T>
struct counting_allocator : std::allocator<T> {
  counting_allocator() = default;
  template <typename U>
  counting_allocator(const counting_allocator<U>&) noexcept {}
  template <typename U>
  struct rebind {
    using other = counting_allocator<U>;
  };
  T* allocate(std::size_t count) {
    ++allocated;
    return std::allocator<T>::allocate(count);
  }
};

TEST_F(asio_form, associated_allocator_is_used_for_the_way_to_the_executor) {
  struct handler_with_allocator {
    using allocator_type = counting_allocator<char>;
    using executor_type = asio::io_context::executor_type;
    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }
    [[nodiscard]] executor_type get_executor() const noexcept { return to.get_executor(); }
    void operator()(const result<node>& answer) const { EXPECT_TRUE(answer); }
    asio::io_context& to;
  };
  as.get("/", handler_with_allocator{io});
  EXPECT_EQ(io.run(), 1U);
  EXPECT_EQ(allocated, 1);
}

// ---- cancellation ---------------------------------------------------------------------------------------------------

TEST_F(asio_form, cancellation_ends_a_read_by_every_type) {
  for (const auto type :
       {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
    zookeeper.pause();
    asio::cancellation_signal cancel;
    auto answer = as.get("/", asio::bind_cancellation_slot(cancel.slot(), use_future));
    cancel.emit(type);
    EXPECT_EQ(answer.get().error().code(), errc::cancelled);
    zookeeper.resume();
    cancel.emit(type);  // of an operation that is over: does nothing
  }
}

TEST_F(asio_form, total_cancellation_does_not_end_a_write) {
  zookeeper.pause();
  asio::cancellation_signal cancel;
  auto answer = as.create("/a", "", {}, asio::bind_cancellation_slot(cancel.slot(), use_future));
  cancel.emit(asio::cancellation_type::total);
  EXPECT_EQ(answer.wait_for(50ms), std::future_status::timeout);
  zookeeper.resume();
  EXPECT_TRUE(answer.get());
}

TEST_F(asio_form, partial_cancellation_of_a_write_tells_its_outcome) {
  zookeeper.pause();
  asio::cancellation_signal cancel;
  auto answer = as.create("/a", "", {}, asio::bind_cancellation_slot(cancel.slot(), use_future));
  cancel.emit(asio::cancellation_type::partial);
  const auto why = answer.get().error();
  zookeeper.resume();
  EXPECT_EQ(why.code(), errc::cancelled);
  EXPECT_EQ(why.outcome(), outcome::unknown);
  EXPECT_TRUE(eventually([&] { return zk.exists("/a").has_value(); }));
}

TEST_F(asio_form, stop_token_of_the_options_and_slot_both_end_it) {
  for (const bool by_token : {true, false}) {
    zookeeper.pause();
    asio::cancellation_signal cancel;
    std::stop_source stop;
    auto answer = as.get("/", asio::bind_cancellation_slot(cancel.slot(), use_future), {}, {.stop = stop.get_token()});
    if (by_token) {
      stop.request_stop();
    } else {
      cancel.emit(asio::cancellation_type::terminal);
    }
    EXPECT_EQ(answer.get().error().code(), errc::cancelled);
    zookeeper.resume();
  }
}

TEST_F(asio_form, coroutine_with_a_timer_beside_it) {
  zookeeper.pause();
  const auto story = [&]() -> asio::awaitable<void> {
    asio::steady_timer timer(io, 10ms);
    const auto first = co_await (as.get("/", use_awaitable) || timer.async_wait(use_awaitable));
    EXPECT_EQ(first.index(), 1U);  // and the read has been cancelled: else this would have taken 15 s
  };
  const auto began = boot_clock::now();
  run(story());
  EXPECT_LT(boot_clock::now() - began, 10s);
  zookeeper.resume();
}

// ---- what is destroyed while it waits -------------------------------------------------------------------------------

/// Says when it is destroyed.
struct told {
  std::atomic<int>* count;
  ~told() { ++*count; }
};

asio::awaitable<void> wait_for_ever(async_operations as, std::atomic<int>& frames, std::atomic<int>& answers) {
  const told here{&frames};
  (void)co_await as.get("/", use_awaitable);
  ++answers;
}

TEST_F(asio_form, coroutines_destroyed_with_their_context_while_suspended) {
  zookeeper.pause();
  std::atomic<int> frames = 0;
  std::atomic<int> answers = 0;
  {
    asio::io_context short_lived;
    for (int i = 0; i < 10; ++i) {
      asio::co_spawn(asio::make_strand(short_lived), wait_for_ever(as, frames, answers), asio::detached);
    }
    short_lived.poll();
    EXPECT_EQ(frames, 0);
  }
  EXPECT_EQ(frames, 10);
  zookeeper.resume();
  EXPECT_TRUE(zk.sync());  // behind the replies to those reads
  zk.close();
  EXPECT_EQ(answers, 0);
  EXPECT_EQ(frames, 10);
}

TEST_F(asio_form, contexts_destroyed_while_replies_arrive) {
  std::atomic<int> frames = 0;
  std::atomic<int> answers = 0;
  constexpr int contexts = 200;
  for (int i = 0; i < contexts; ++i) {
    asio::io_context short_lived;
    for (int k = 0; k < 8; ++k) asio::co_spawn(short_lived, wait_for_ever(as, frames, answers), asio::detached);
    short_lived.poll();
    if (i % 2 == 0) short_lived.poll();
  }
  EXPECT_EQ(frames, contexts * 8);
}

TEST_F(asio_form, destroyed_coroutine_gives_up_its_candidacy) {
  leader_election first(zk, {.path = "/election"});
  auto leader = first.campaign().value();
  leader_election second(zk, {.path = "/election"});
  {
    asio::io_context short_lived;
    asio::co_spawn(
        short_lived,
        [&]() -> asio::awaitable<void> {
          (void)co_await async_campaign(second, use_awaitable);
          ADD_FAILURE() << "it was destroyed";
        },
        asio::detached);
    short_lived.poll();
    EXPECT_TRUE(eventually([&] { return zk.children("/election")->names.size() == 2; }));
  }
  EXPECT_TRUE(eventually([&] { return zk.children("/election")->names.size() == 1; }));
  EXPECT_TRUE(leader.held());
}

TEST_F(asio_form, client_closed_while_a_coroutine_waits) {
  zookeeper.pause();
  const auto story = [&]() -> asio::awaitable<void> {
    EXPECT_EQ((co_await as.get("/", use_awaitable)).error().code(), errc::closed);
  };
  auto ended = asio::co_spawn(io, story(), use_future);
  io.poll();
  zk.close();
  io.run();
  ended.get();
  zookeeper.resume();
}

/// Drops what it is given.
struct dropping_executor final : executor {
  void execute(unique_function<void()> /*work*/) override {}
};

TEST_F(asio_form, handler_whose_executor_drops_it_does_not_keep_the_context_running) {
  dropping_executor nowhere;
  std::atomic<int> frames = 0;
  std::atomic<int> answers = 0;
  asio::co_spawn(io, wait_for_ever(async(zk.on(nowhere)), frames, answers), asio::detached);
  io.run();
  EXPECT_EQ(frames, 1);
  EXPECT_EQ(answers, 0);
}

// ---- elections ------------------------------------------------------------------------------------------------------

TEST_F(asio_form, campaigns_of_both_elections) {
  leader_election queue(zk, {.path = "/queue"});
  claim_election claim(zk, {.path = "/controller"});
  const auto story = [&]() -> asio::awaitable<void> {
    const auto both = co_await (async_campaign(queue, use_awaitable) && async_campaign(claim, use_awaitable));
    EXPECT_TRUE(std::get<0>(both).value().held());
    EXPECT_TRUE(std::get<1>(both).value().held());
  };
  run(story());
  EXPECT_TRUE(async_campaign(queue, use_future).get().value().held());
}

TEST_F(asio_form, cancelled_campaign_leaves_no_candidate) {
  leader_election first(zk, {.path = "/election"});
  auto leader = first.campaign().value();
  asio::cancellation_signal cancel;
  auto waiting = async_campaign(first, asio::bind_cancellation_slot(cancel.slot(), use_future));
  EXPECT_TRUE(eventually([&] { return zk.children("/election")->names.size() == 2; }));
  cancel.emit(asio::cancellation_type::total);
  EXPECT_EQ(waiting.get().error().code(), errc::cancelled);
  EXPECT_TRUE(eventually([&] { return zk.children("/election")->names.size() == 1; }));
}

}  // namespace
}  // namespace zkr::testing
