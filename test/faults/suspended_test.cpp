#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>

#include "support/child_process.hpp"
#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/server.hpp"

// A suspended machine in miniature: a process is stopped for longer than everything that it waits for.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::StartsWith;

time_point at(const std::optional<std::string>& ns) {
  return time_point(std::chrono::nanoseconds(ns ? std::stoll(*ns) : 0));
}

TEST(suspended_process, knows_on_waking_that_everything_is_over) {
  const auto session_timeout = 1500ms * time_factor();
  server zookeeper = server::start({.tick_time = 100ms, .max_session_timeout = 60s}).value();
  client other = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 20s}).value();
  (void)other.create("/data", "before").value();
  (void)other.create("/slow").value();

  child_process suspended({SUSPENDED_CLIENT, zookeeper.connect_string(),
                           std::to_string(std::chrono::milliseconds(session_timeout).count()), "/election"});
  const auto first = suspended.heard("leads");
  ASSERT_TRUE(first);
  ASSERT_TRUE(suspended.heard("saw before"));
  const auto first_token = std::stoll(*first);

  leader_election election(other, {.path = "/election", .id = "other"});
  time_point other_led;
  std::optional<leadership> led;
  std::promise<void> given;
  election.async_campaign([&](result<leadership> got) {
    other_led = boot_clock::now();
    led = std::move(got).value();
    given.set_value();
  });

  // Operations are on the server, and nothing of them has come back; then the process stops between a check and its use.
  auto faults = zookeeper.faults();
  const auto held_up =
      faults.add({.at = fault_point::set, .action = fault_action::delay_reply, .path = "/slow", .delay = 60s}).value();
  suspended.say("slow");
  ASSERT_TRUE(faults.wait(held_up, 1, 10s));
  suspended.say("check");
  ASSERT_TRUE(suspended.wait_until_stopped());

  ASSERT_EQ(given.get_future().wait_for(20s * time_factor()), std::future_status::ready);
  EXPECT_TRUE(led->held());
  EXPECT_GT(led->fencing_token(), first_token);
  (void)other.set("/data", "meanwhile").value();
  // Longer than the time-out of the session, the lease, the loss of the session (4/3) and the deadlines.
  const auto enough = other_led + session_timeout;
  ASSERT_TRUE(eventually([&] { return boot_clock::now() > enough; }));
  const auto woken = boot_clock::now();
  suspended.signal(SIGCONT);

  // What it believes.
  EXPECT_EQ(suspended.heard("held_after_stop"), "0");
  ASSERT_TRUE(suspended.heard("not_held"));
  EXPECT_LT(at(suspended.heard("last_held")), woken - session_timeout) << "no look after the stop says that it leads";
  EXPECT_LT(at(suspended.heard("last_held")), other_led) << "no two leaders at one moment";
  EXPECT_LE(at(suspended.heard("valid_until")), other_led);
  EXPECT_LT(at(suspended.heard("not_held")), woken + 1s * time_factor());
  ASSERT_TRUE(suspended.heard("lost"));
  EXPECT_LT(at(suspended.heard("lost")), woken + 1s * time_factor());

  // What it had begun ends, once.
  const auto ended = [&](const char* name) { return suspended.heard(name).value_or("never"); };
  const auto over = AnyOf(StartsWith("connection_loss"), StartsWith("timed_out"), StartsWith("session_lost"));
  for (const char* name : {"long_set", "short_set", "blocking_set"}) {
    EXPECT_THAT(ended(name), AllOf(over, EndsWith(" unknown"))) << name << " was sent and may have been applied";
  }
  EXPECT_THAT(ended("short_get"), over);
  EXPECT_NE(ended("guarded"), "ok");
  EXPECT_TRUE(suspended.heard("saw meanwhile")) << "the subscription goes on in the new session";
  EXPECT_THAT(suspended.all_heard("session"), Contains("connected 2"));
  EXPECT_EQ(other.get("/data").value().data, "meanwhile");
  for (const char* name : {"long_set", "short_set", "short_get", "blocking_set", "guarded", "lost"}) {
    EXPECT_EQ(suspended.all_heard(name).size(), 1U) << name;
  }
  EXPECT_TRUE(led->held());
}

}  // namespace
}  // namespace zkr::testing
