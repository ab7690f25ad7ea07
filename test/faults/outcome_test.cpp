#include <gtest/gtest.h>

#include <future>

#include "support/eventually.hpp"
#include "support/operation_cases.hpp"
#include "zkrecipes/server.hpp"

// Every operation over libzookeeper and sockets, with its request or its reply lost or late.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

class outcome_on_sockets : public ::testing::TestWithParam<operation_case> {
 protected:
  server zookeeper = server::start({.tick_time = 50ms}).value();
  client zk = connect();
  client other = connect();

  client connect() { return client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 2s}).value(); }

  void SetUp() override {
    (void)other.create("/node", "old").value();
    (void)other.create("/leaf").value();
  }

  fault_id next_request(fault_action what, std::chrono::milliseconds delay = 0ms) {
    return zookeeper.faults().add({.action = what, .session_id = zk.session().id, .delay = delay}).value();
  }
  result<void> run(call_options how = {}) {
    auto answer = std::make_shared<std::promise<result<void>>>();
    GetParam().start(
        zk, [answer](result<void> got) { answer->set_value(std::move(got)); }, how);
    return answer->get_future().get();
  }
  std::size_t made() {
    const auto names = other.children("/").value().names;
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [](const auto& name) { return name.starts_with("made"); }));
  }
  /// Whether the server shows it, once; nothing shows a read.
  bool applied() {
    const auto& what = GetParam();
    if (made() != what.made) return false;
    return !what.applied || what.applied([&](std::string path) { return other.get(std::move(path)); });
  }
  bool untouched() {
    const auto now = other.get("/node").value();
    return made() == 0 && other.get("/leaf") && now.stat.version == 0 && now.stat.aversion == 0;
  }
};

TEST_P(outcome_on_sockets, reply_lost_after_it_was_applied) {
  const auto id = next_request(fault_action::close_after);
  const auto got = run();
  ASSERT_TRUE(zookeeper.faults().wait(id, 1, 20s));
  if (!GetParam().write) {
    EXPECT_TRUE(got) << got.error().message();
    return;
  }
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().outcome(), outcome::unknown) << got.error().message();
  EXPECT_TRUE(got.error().sent());
  EXPECT_TRUE(zk.get("/"));  // connected again: whatever it repeats was sent before
  EXPECT_TRUE(applied());
}

TEST_P(outcome_on_sockets, request_lost_before_it_was_applied) {
  const auto id = next_request(fault_action::close_before);
  const auto got = run();
  ASSERT_TRUE(zookeeper.faults().wait(id, 1, 20s));
  if (!GetParam().write) {
    EXPECT_TRUE(got) << got.error().message();
    return;
  }
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().outcome(), outcome::unknown) << got.error().message();
  EXPECT_TRUE(got.error().sent());
  EXPECT_TRUE(zk.get("/"));
  EXPECT_TRUE(untouched());
}

TEST_P(outcome_on_sockets, reply_delayed_past_the_deadline) {
  const auto id = next_request(fault_action::delay_reply, 1h);
  const auto got = run({.timeout = 100ms});
  ASSERT_TRUE(zookeeper.faults().wait(id, 1, 20s));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::timed_out);
  EXPECT_EQ(got.error().outcome(), GetParam().write ? outcome::unknown : outcome::not_applied);
  EXPECT_TRUE(got.error().sent());
  EXPECT_TRUE(applied());
  zookeeper.drop_connections();  // else the client's goodbye would wait behind that reply
}

TEST_P(outcome_on_sockets, request_delayed_past_the_deadline) {
  const auto id = next_request(fault_action::delay_request, 300ms);
  const auto got = run({.timeout = 50ms});
  ASSERT_TRUE(zookeeper.faults().wait(id, 1, 20s));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::timed_out);
  EXPECT_EQ(got.error().outcome(), GetParam().write ? outcome::unknown : outcome::not_applied);
  EXPECT_TRUE(eventually([&] { return applied(); })) << "it may still be applied";
}

INSTANTIATE_TEST_SUITE_P(all, outcome_on_sockets, ::testing::ValuesIn(all_operations()), name_of_operation);

}  // namespace
}  // namespace zkr::testing
