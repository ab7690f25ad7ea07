#include "zkrecipes/client.hpp"

#include <dirent.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "support/eventually.hpp"
#include "zkrecipes/server.hpp"

// The client on real threads and libzookeeper, against a bundled server that misbehaves.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct served {
  server zookeeper = server::start({.tick_time = 50ms}).value();
  client zk = connect();

  client connect(client_options options = {}) {
    options.hosts = zookeeper.connect_string();
    if (options.session_timeout == client_options().session_timeout) options.session_timeout = 1s;
    return client::connect(std::move(options)).value();
  }
};

/// Counts how every one of many reads ended.
struct tally {
  std::atomic<int> ok = 0;
  std::atomic<int> overloaded = 0;
  std::atomic<int> closed = 0;
  std::atomic<int> others = 0;

  [[nodiscard]] int all() const { return ok + overloaded + closed + others; }
  handler<node> count() {
    return [this](const result<node>& answer) {
      if (answer) {
        ++ok;
      } else if (answer.error().code() == errc::overloaded) {
        ++overloaded;
      } else if (answer.error().code() == errc::closed) {
        ++closed;
      } else {
        ++others;
      }
    };
  }
};

int threads_of_this_process() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/task");
  while (const auto* entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(folder);
  return count;
}

TEST(client, sixty_thousand_reads_then_close_end_once_each) {
  served at;
  tally count;
  for (int i = 0; i < 60'000; ++i) at.zk.async_get("/", count.count());
  at.zk.close();
  EXPECT_TRUE(eventually([&] { return count.all() == 60'000; }));
  EXPECT_EQ(count.others, 0);
  EXPECT_EQ(count.all(), 60'000);
}

TEST(client, sixteen_thousand_in_flight_then_close_end_once_each) {
  served at;
  auto zk = at.connect({.session_timeout = 10s, .max_in_flight = 16'000});
  at.zookeeper.pause();  // nothing is answered: all of them stay on their way
  tally count;
  for (int i = 0; i < 16'000; ++i) zk.async_get("/", count.count());
  zk.close();
  at.zookeeper.resume();
  EXPECT_TRUE(eventually([&] { return count.all() == 16'000; }));
  EXPECT_EQ(count.closed, 16'000);
}

TEST(client, seventy_thousand_submissions_to_a_paused_server_cost_no_connection) {
  // More than 65,536 of them at once fill the pipe that wakes libzookeeper's thread; it then closes the connection.
  server zookeeper = server::start({.tick_time = 1s}).value();
  auto zk = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 20s}).value();
  zookeeper.pause();
  tally count;
  for (int i = 0; i < 70'000; ++i) zk.async_get("/", count.count());
  zookeeper.resume();
  EXPECT_TRUE(eventually([&] { return count.all() == 70'000; }));
  EXPECT_EQ(count.ok + count.overloaded, 70'000);
  EXPECT_GE(count.ok, 8192);
  EXPECT_EQ(zk.session().connection, 1U);
}

TEST(client, close_from_a_callback) {
  served at;
  std::promise<void> closed;
  at.zk.async_get("/", [&](result<node>) {
    at.zk.close();
    closed.set_value();
  });
  EXPECT_EQ(closed.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(at.zk.session().state, session_state::closed);
}

TEST(client, destroyed_on_its_own_dispatch_thread) {
  served at;
  auto zk = std::make_unique<client>(at.connect());
  std::promise<void> gone;
  zk->async_get("/", [&](result<node>) {
    zk.reset();
    gone.set_value();
  });
  EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
}

TEST(client, close_twice_and_from_two_threads) {
  served at;
  auto one = std::async(std::launch::async, [&] { at.zk.close(); });
  auto two = std::async(std::launch::async, [&] { at.zk.close(); });
  one.get();
  two.get();
  at.zk.close();
  EXPECT_EQ(at.zk.get("/").error().code(), errc::closed);
}

TEST(client, close_while_connecting_is_bounded) {
  auto zk = client::connect({.hosts = "127.0.0.1:1", .start = start_mode::background, .close_timeout = 500ms}).value();
  const auto began = boot_clock::now();
  zk.close();
  EXPECT_LT(boot_clock::now() - began, 5s * time_factor());
}

TEST(client, close_waits_for_a_silent_server_as_long_as_it_may) {
  auto zookeeper = server::start({.tick_time = 200ms}).value();
  for (const duration most : {100ms, 900ms}) {
    auto zk = client::connect({.hosts = zookeeper.connect_string(), .close_timeout = most}).value();
    zookeeper.pause();
    const auto began = boot_clock::now();
    zk.close();
    const auto took = boot_clock::now() - began;
    EXPECT_GE(took, most - 10ms);
    EXPECT_LT(took, most + 700ms * time_factor());
    zookeeper.resume();
  }
}

TEST(client, connect_says_when_nobody_answers) {
  const auto none = client::connect({.hosts = "127.0.0.1:1"}, {.timeout = 200ms});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), errc::timed_out);
  EXPECT_NE(none.error().message().find("127.0.0.1:1"), std::string::npos) << none.error().message();
}

TEST(client, blocking_call_from_a_callback_gives_would_deadlock) {
  served at;
  std::promise<errc> code;
  at.zk.async_get("/", [&](result<node>) { code.set_value(at.zk.get("/").error().code()); });
  EXPECT_EQ(code.get_future().get(), errc::would_deadlock);
}

TEST(client, exception_in_a_callback_reaches_the_observer_and_nothing_else) {
  struct recorder final : observer {
    std::promise<std::string> what;
    void on_callback_exception(std::string_view text) override { what.set_value(std::string(text)); }
  };
  served at;
  const auto seen = std::make_shared<recorder>();
  auto zk = at.connect({.session_timeout = 1s, .observer = seen});
  zk.async_get("/", [](const result<node>&) { throw std::runtime_error("from user code"); });
  EXPECT_EQ(seen->what.get_future().get(), "from user code");
  EXPECT_TRUE(zk.get("/"));
}

TEST(client, slow_callback_delays_neither_other_calls_nor_the_session) {
  served at;
  std::promise<void> release;
  at.zk.async_get("/", [wait = release.get_future().share()](const result<node>&) { wait.wait(); });
  EXPECT_TRUE(at.zk.get("/"));
  auto other = at.connect();
  EXPECT_TRUE(eventually([&, until = boot_clock::now() + 2s] { return boot_clock::now() > until; }));
  EXPECT_EQ(at.zk.session().connection, 1U);
  release.set_value();
}

TEST(client, first_of_two_hosts_dead) {
  served at;
  const auto port = std::to_string(at.zookeeper.port());
  auto zk = client::connect({.hosts = "127.0.0.2:1,127.0.0.1:" + port, .session_timeout = 1s}).value();
  EXPECT_TRUE(zk.get("/"));
  for (int i = 0; i < 4; ++i) {
    const auto before = zk.session().connection;
    at.zookeeper.drop_connections();
    EXPECT_TRUE(eventually([&] { return zk.get("/").has_value() && zk.session().connection > before; })) << i;
  }
  EXPECT_EQ(zk.session().generation, 1U);
}

TEST(client, reconnects_and_keeps_its_session) {
  served at;
  (void)at.zk.create("/e", "", {.mode = create_mode::ephemeral}).value();
  const auto id = at.zk.session().id;
  at.zookeeper.drop_connections();
  EXPECT_TRUE(at.zk.get("/e"));
  EXPECT_EQ(at.zk.session().id, id);
}

TEST(client, expired_session_is_followed_by_a_new_one) {
  served at;
  (void)at.zk.create("/e", "", {.mode = create_mode::ephemeral}).value();
  ASSERT_TRUE(at.zookeeper.expire_session(at.zk.session().id));
  EXPECT_TRUE(
      eventually([&] { return at.zk.session().generation == 2 && at.zk.session().state == session_state::connected; }));
  EXPECT_EQ(at.zk.exists("/e").error().code(), errc::no_node);
}

TEST(client, server_that_restarts_empty_on_the_same_port) {
  // libzookeeper alone would ask for its old session for ever: the new server's zxid is behind what it has seen.
  std::optional<server> zookeeper = server::start({.tick_time = 50ms}).value();
  const auto port = zookeeper->port();
  auto zk = client::connect({.hosts = zookeeper->connect_string(), .session_timeout = 500ms}).value();
  std::mutex mutex;
  std::vector<session_state> states;
  std::vector<bool> present;
  (void)zk.create("/a", "1").value();
  for (int i = 0; i < 20; ++i) (void)zk.set("/a", "1").value();
  const auto session = zk.watch_session([&](const session_info& info) {
    const std::scoped_lock lock(mutex);
    states.push_back(info.state);
  });
  const auto watching = zk.watch("/a", [&](const node_change& change) {
    const std::scoped_lock lock(mutex);
    present.push_back(change.node.has_value());
  });
  const auto reports = [&] {
    const std::scoped_lock lock(mutex);
    return present.size();
  };
  ASSERT_TRUE(eventually([&] { return reports() == 1; }));
  zookeeper.reset();
  zookeeper = server::start({.port = port, .tick_time = 50ms}).value();
  ASSERT_TRUE(eventually([&] { return reports() == 2; }));
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(present, (std::vector{true, false}));
  EXPECT_NE(std::find(states.begin(), states.end(), session_state::lost), states.end());
  EXPECT_EQ(zk.session().generation, 2U);
}

TEST(client, paused_server_ends_operations_at_their_deadline) {
  served at;
  at.zookeeper.pause();
  const auto began = boot_clock::now();
  const auto set = at.zk.set("/", "x", any_version, {.timeout = 100ms});
  EXPECT_LT(boot_clock::now() - began, 5s);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code(), errc::timed_out);
  EXPECT_EQ(set.error().outcome(), outcome::unknown);
  at.zookeeper.resume();
}

TEST(client, twenty_clients_on_one_runtime_add_only_the_c_librarys_threads) {
  served at;
  const auto shared = runtime::create();
  const auto base = threads_of_this_process();
  std::vector<client> many;
  for (int i = 0; i < 20; ++i) many.push_back(at.connect({.session_timeout = 1s, .runtime = shared}));
  EXPECT_EQ(threads_of_this_process() - base, 20 * 2);
}

TEST(client, subscription_ends_before_its_destructor_returns) {
  served at;
  for (int i = 0; i < 50; ++i) {
    std::atomic<bool> alive = true;
    std::atomic<int> calls = 0;
    auto watching = at.zk.watch("/", [&](const node_change&) {
      EXPECT_TRUE(alive);
      ++calls;
    });
    (void)at.zk.set("/", std::to_string(i)).value();
    watching = {};
    alive = false;
  }
}

TEST(client, subscription_destroyed_by_its_own_handler) {
  served at;
  subscription watching;
  std::promise<void> done;
  std::promise<void> assigned;
  watching = at.zk.watch("/", [&, ready = assigned.get_future().share()](const node_change&) {
    ready.wait();
    watching = {};
    done.set_value();
  });
  assigned.set_value();
  EXPECT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
}

TEST(client, handlers_on_an_executor_of_the_users) {
  class inline_thread final : public executor {
   public:
    void execute(unique_function<void()> work) override {
      ++used;
      std::thread([work = std::move(work)]() mutable { work(); }).join();
    }
    std::atomic<int> used = 0;
  };
  inline_thread mine;
  served at;
  auto zk = at.connect({.session_timeout = 1s, .callback_executor = &mine});
  std::promise<void> done;
  zk.async_get("/", [&](const result<node>&) { done.set_value(); });
  done.get_future().wait();
  EXPECT_GE(mine.used, 1);
  zk.close();
}

TEST(client, bad_options_are_named) {
  EXPECT_EQ(client::connect({.session_timeout = 0s}).error().message(),
            "client_options: invalid_argument (session_timeout: must be 1 ms to 24 days)");
  EXPECT_EQ(client::connect({.hosts = ""}).error().code(), errc::invalid_argument);
  EXPECT_EQ(client::connect({.hosts = "h:99999"}, {.timeout = 1s}).error().code(), errc::invalid_argument);
}

}  // namespace
}  // namespace zkr::testing
