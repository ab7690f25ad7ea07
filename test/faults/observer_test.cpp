#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/server.hpp"
#include "zkrecipes/stderr_observer.hpp"
#ifdef ZKR_WITH_PROMETHEUS
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "zkrecipes/prometheus.hpp"
#endif

// What a client tells its observer, and what the observers that come along make of it.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct notes final : observer {
  struct operation {
    std::string name;
    duration latency;
    errc code;
    bool operator==(const operation&) const = default;
  };
  template <typename T>
  struct list {
    std::mutex mutex;
    std::vector<T> what;
    void add(T one) {
      const std::scoped_lock lock(mutex);
      what.push_back(std::move(one));
    }
    std::vector<T> all() {
      const std::scoped_lock lock(mutex);
      return what;
    }
  };
  list<session_info> sessions;
  list<operation> operations;
  list<std::pair<std::size_t, std::size_t>> loads;
  list<duration> lags;
  list<std::pair<duration, duration>> leases;

  void on_session(const session_info& now) override { sessions.add(now); }
  void on_operation(std::string_view name, duration latency, const error* problem) override {
    operations.add({std::string(name), latency, problem != nullptr ? problem->code() : errc::ok});
  }
  void on_load(std::size_t in_flight, std::size_t waiting) override { loads.add({in_flight, waiting}); }
  void on_watch(duration lag) override { lags.add(lag); }
  void on_lease(duration left, duration timeout) override { leases.add({left, timeout}); }
};

struct observed : ::testing::Test {
  server zookeeper = server::start({.tick_time = 50ms, .max_session_timeout = 60s}).value();
  std::shared_ptr<notes> seen = std::make_shared<notes>();

  client connect(std::shared_ptr<observer> by, duration timeout = 10s) {
    return client::connect({.hosts = zookeeper.connect_string(), .session_timeout = timeout, .observer = std::move(by)})
        .value();
  }
};

TEST_F(observed, operations_are_told_with_their_latency_and_their_error) {
  client zk = connect(seen);
  (void)zookeeper.faults()
      .add({.at = fault_point::create, .action = fault_action::delay_reply, .delay = 100ms})
      .value();
  (void)zk.create("/a").value();
  EXPECT_FALSE(zk.get("/none"));
  EXPECT_FALSE(zk.get("not a path"));
  const auto all = seen->operations.all();
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  // Each is told before its caller goes on. The first is connect()'s.
  ASSERT_THAT(names, ElementsAre("exists", "create", "get", "get"));
  EXPECT_EQ(all[1].code, errc::ok);
  EXPECT_GE(all[1].latency, 95ms);
  EXPECT_EQ(all[2].code, errc::no_node);
  EXPECT_EQ(all[3].code, errc::invalid_path);
}

TEST_F(observed, load_is_told_as_it_changes) {
  client zk = connect(seen);
  const auto comes_to = [&](std::size_t in_flight) {
    return eventually([&] {
      const auto all = seen->loads.all();
      return !all.empty() && all.back() == std::pair<std::size_t, std::size_t>(in_flight, 0);
    });
  };
  zookeeper.pause();
  for (int i = 0; i < 3; ++i) zk.async_sync("/", [](const auto&) {});
  EXPECT_TRUE(comes_to(3));
  zookeeper.resume();
  EXPECT_TRUE(comes_to(0));
}

TEST_F(observed, reconnects_and_losses_have_causes) {
  client zk = connect(seen, 1s);
  const auto causes = [&] {
    std::vector<std::pair<session_state, errc>> all;
    for (const auto& one : seen->sessions.all()) all.emplace_back(one.state, one.cause);
    return all;
  };
  const std::pair on{session_state::connected, errc::ok};
  const std::pair begin{session_state::connecting, errc::ok};
  (void)zookeeper.faults().add({.at = fault_point::sync, .action = fault_action::close_before}).value();
  (void)zk.sync();
  EXPECT_TRUE(eventually([&] { return causes().size() == 4; }));
  EXPECT_THAT(causes(), ElementsAre(begin, on, std::pair{session_state::suspended, errc::connection_loss}, on));
  EXPECT_EQ(zk.session().cause, errc::ok);

  (void)zookeeper.faults().add({.at = fault_point::sync, .action = fault_action::expire_session}).value();
  (void)zk.sync();
  EXPECT_TRUE(eventually([&] { return causes().back() == on && causes().size() > 6; }));
  EXPECT_THAT(causes(), Contains(std::pair{session_state::lost, errc::session_lost}));

  zookeeper.pause();
  EXPECT_TRUE(eventually(
      [&] { return zk.session().state == session_state::lost || zk.session().state == session_state::connecting; }));
  EXPECT_THAT(causes(), Contains(std::pair{session_state::lost, errc::timed_out}));
  zookeeper.resume();
}

TEST_F(observed, watches_and_subscriptions_tell_their_lag) {
  client zk = connect(seen);
  (void)zk.create("/a").value();
  std::atomic<int> reports = 0;
  (void)zk.get("/a", {.watch = [&](const watch_event&) { ++reports; }}).value();
  (void)zk.set("/a", "1").value();
  ASSERT_TRUE(eventually([&] { return reports == 1; }));
  EXPECT_EQ(seen->lags.all().size(), 1U);

  const auto subscription = zk.watch("/a", [&](const node_change&) { ++reports; });
  ASSERT_TRUE(eventually([&] { return reports == 2; }));
  EXPECT_EQ(seen->lags.all().size(), 1U) << "the first report is no notice";
  (void)zk.set("/a", "2").value();
  ASSERT_TRUE(eventually([&] { return reports == 3; }));
  ASSERT_EQ(seen->lags.all().size(), 2U);
  for (const auto lag : seen->lags.all()) EXPECT_TRUE(lag > 0s && lag < 10s);
}

TEST_F(observed, renewals_of_a_held_lease_tell_what_was_left) {
  client zk = connect(seen, 1s);
  auto lead = leader_election(zk, {.path = "/e"}).campaign().value();
  ASSERT_TRUE(eventually([&] { return seen->leases.all().size() >= 3; }));
  for (const auto& [left, timeout] : seen->leases.all()) {
    EXPECT_EQ(timeout, 1s);
    EXPECT_LE(left, 900ms) << "no lease is longer";
  }
  EXPECT_TRUE(lead.release());
}

// What docs/observability.md shows, as it is there.
TEST_F(observed, samples) {
  const std::string hosts = zookeeper.connect_string();
  {
    // sample stderr
    zkr::client_options options{.hosts = hosts, .observer = std::make_shared<zkr::stderr_observer>()};
    // end
    options.observer = std::make_shared<stderr_observer>(log_level::error);
    EXPECT_TRUE(client::connect(options));
  }
  // sample own
  struct lease_alarm final : zkr::observer {
    std::atomic<int> alarms = 0;
    void on_lease(zkr::duration left, zkr::duration session_timeout) override {
      if (left < session_timeout / 10) ++alarms;
    }
  };
  // end
  EXPECT_TRUE(client::connect({.hosts = hosts, .observer = std::make_shared<lease_alarm>()}));
#ifdef ZKR_WITH_PROMETHEUS
  // sample prometheus
  auto registry = std::make_shared<prometheus::Registry>();  // shown by an exposer of prometheus-cpp, or by other means
  zkr::client_options options{.hosts = hosts, .observer = zkr::prometheus_observer(registry, {{"client", "worker"}})};
  // end
  EXPECT_TRUE(client::connect(options));
#endif
}

TEST_F(observed, standard_error_gets_a_line_each) {
  ::testing::internal::CaptureStderr();
  {
    client zk = connect(std::make_shared<stderr_observer>(log_level::debug));
    auto lead = leader_election(zk, {.path = "/e e"}).campaign().value();
    EXPECT_FALSE(zk.get("/none\nevent=forged"));
    (void)lead.release(call_options{});
    std::atomic<bool> called = false;
    const auto broken = zk.watch_session([&](const session_info&) {
      if (!called.exchange(true)) throw std::runtime_error("x\ny");
    });
    EXPECT_TRUE(eventually([&] { return called.load(); }));
  }
  stderr_observer(log_level::warning).on_session({.state = session_state::connected});
  stderr_observer(log_level::warning).on_session({.state = session_state::lost, .id = 31, .cause = errc::timed_out});
  const auto text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr(" info event=session state=connected session=0x"));
  EXPECT_THAT(
      text,
      HasSubstr(" debug event=operation_failed operation=get error=invalid_path path=\"/none\\x0aevent=forged\""));
  EXPECT_THAT(text, HasSubstr(" info event=grant_given path=\"/e e/_c_"));
  EXPECT_THAT(text, HasSubstr(" info event=grant_ended path=\"/e e/_c_"));
  EXPECT_THAT(text, HasSubstr(" info event=session state=closed cause=closed"));
  EXPECT_THAT(text,
              HasSubstr(" warn event=session state=lost cause=timed_out session=0x1f generation=0 connection=0\n"));
  EXPECT_THAT(text, HasSubstr(" error event=callback_exception text=\"x\\x0ay\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("\nevent=forged")));
}

#ifdef ZKR_WITH_PROMETHEUS
TEST_F(observed, prometheus_gets_all_of_it) {
  const auto registry = std::make_shared<::prometheus::Registry>();
  const auto text = [&] { return ::prometheus::TextSerializer().Serialize(registry->Collect()); };
  client zk = connect(prometheus_observer(registry, {{"client", "one"}}), 1s);
  {
    auto lead = leader_election(zk, {.path = "/e"}).campaign().value();
    EXPECT_TRUE(eventually([&] { return text().find("zkr_grants_held{client=\"one\"} 1\n") != std::string::npos; }));
    EXPECT_TRUE(
        eventually([&] { return text().find("zkr_lease_left_ratio_count{client=\"one\"} 0\n") == std::string::npos; }));
    (void)lead.release(call_options{});
  }
  std::atomic<int> watched = 0;
  (void)zk.get("/e", {.watch = [&](const watch_event&) { ++watched; }}).value();
  (void)zk.set("/e", "x").value();
  EXPECT_FALSE(zk.get("/none"));
  (void)zookeeper.faults().add({.at = fault_point::sync, .action = fault_action::close_before}).value();
  (void)zk.sync();
  ASSERT_TRUE(eventually([&] { return watched == 1; }));
  for (const char* line :
       {"zkr_operation_seconds_count{client=\"one\",operation=\"set\"} 1\n",
        "zkr_operation_failures_total{client=\"one\",error=\"no_node\",operation=\"get\",outcome=\"not_applied\"} 1\n",
        "zkr_operations_in_flight{client=\"one\"} 0\n", "zkr_operations_waiting{client=\"one\"} 0\n",
        "zkr_connected{client=\"one\"} 1\n", "zkr_sessions_total{client=\"one\"} 1\n",
        "zkr_reconnects_total{client=\"one\"} 1\n",
        "zkr_disconnects_total{client=\"one\",cause=\"connection_loss\"} 1\n",
        "zkr_watch_lag_seconds_count{client=\"one\"} 1\n", "zkr_grants_total{client=\"one\"} 1\n",
        "zkr_grants_held{client=\"one\"} 0\n"}) {
    EXPECT_TRUE(eventually([&] { return text().find(line) != std::string::npos; }, 5s)) << line << text();
  }
}
#endif

}  // namespace
}  // namespace zkr::testing
