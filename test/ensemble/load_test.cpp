#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/testing/apache_ensemble.hpp"

// Clients that write without a pause while members of three real servers fail: nothing that was acknowledged is missing,
// nothing is there twice, every operation ends once, and sessions live on.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

/// Creates one sequential node after the other, some at a time, each with a number of its own in its name: were a create
/// repeated, its number would be there twice.
class writer {
 public:
  writer(const std::string& hosts, std::string name)
      : zk_(client::connect({.hosts = hosts, .session_timeout = 10s, .operation_timeout = 8s}, {.timeout = 30s})
                .value()),
        session_(zk_.session().id),
        name_(std::move(name)) {
    (void)zk_.create("/mine-" + name_, "", {.mode = create_mode::ephemeral}).value();
    for (int i = 0; i < at_a_time; ++i) next();
  }

  /// No more; waits until all have ended.
  bool finish() {
    stopping_ = true;
    return eventually([&] { return under_way_ == 0; }, 30s);
  }

  [[nodiscard]] std::size_t acknowledged() {
    const std::scoped_lock lock(mutex_);
    return acknowledged_.size();
  }

  void judge(const std::vector<std::string>& there) {
    std::map<std::string, int> times;
    for (const auto& one : there) ++times[one.substr(0, one.rfind('-'))];
    const std::scoped_lock lock(mutex_);
    for (const auto& [number, ends] : ended_) EXPECT_EQ(ends, 1) << name_ << '-' << number;
    EXPECT_EQ(ended_.size(), static_cast<std::size_t>(begun_.load()));
    for (const int number : acknowledged_) EXPECT_EQ(times[label(number)], 1) << label(number) << " was acknowledged";
    for (const int number : unknown_) EXPECT_LE(times[label(number)], 1) << label(number) << " was repeated";
    for (const int number : refused_) EXPECT_EQ(times[label(number)], 0) << label(number) << " was not applied";
    EXPECT_EQ(zk_.session().id, session_) << "the session has lived on";
    EXPECT_EQ(zk_.session().generation, 1U);
    std::printf("writer %s: %zu acknowledged, %zu unknown, %zu not applied\n", name_.c_str(), acknowledged_.size(),
                unknown_.size(), refused_.size());
  }

 private:
  static constexpr int at_a_time = 8;

  [[nodiscard]] std::string label(int number) const { return fmt::format("{}-{}", name_, number); }

  void next() {
    const int number = begun_++;
    ++under_way_;
    zk_.async_create(fmt::format("/load/{}-", label(number)), "", {.mode = create_mode::persistent_sequential},
                     [this, number](result<created> end) {
                       {
                         const std::scoped_lock lock(mutex_);
                         ++ended_[number];
                         if (end) {
                           acknowledged_.push_back(number);
                         } else if (end.error().outcome() == outcome::unknown) {
                           unknown_.push_back(number);
                         } else {
                           refused_.push_back(number);
                         }
                       }
                       if (!stopping_) next();
                       --under_way_;
                     });
  }

  std::atomic<int> begun_{0};
  std::atomic<int> under_way_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::map<int, int> ended_;  // guarded by mutex_, as all below
  std::vector<int> acknowledged_;
  std::vector<int> unknown_;
  std::vector<int> refused_;
  client zk_;  // closed before what its handlers use
  std::int64_t session_;
  const std::string name_;
};

struct ensemble_under_load : ::testing::Test {
  void SetUp() override {
    auto setup = client::connect({.hosts = servers.connect_string()}, {.timeout = 30s}).value();
    (void)setup.create("/load").value();
    for (std::size_t i = 0; i < 4; ++i) {
      writers.push_back(std::make_unique<writer>(servers.connect_string(), fmt::format("w{}", i)));
    }
    wait_for_progress();
  }
  void TearDown() override {
    for (const auto& one : writers) EXPECT_TRUE(one->finish()) << "every operation ends";
    ASSERT_TRUE(servers.wait_until_serving());
    auto reader = client::connect({.hosts = servers.connect_string()}, {.timeout = 30s}).value();
    ASSERT_TRUE(reader.sync("/load", {.timeout = 30s}));
    const auto there = reader.children("/load").value().names;
    for (std::size_t i = 0; i < writers.size(); ++i) {
      std::vector<std::string> own;
      for (const auto& one : there) {
        if (one.rfind(fmt::format("w{}-", i), 0) == 0) own.push_back(one);
      }
      writers[i]->judge(own);
      EXPECT_TRUE(reader.exists(fmt::format("/mine-w{}", i)));
    }
  }

  /// Every writer has some more acknowledged.
  void wait_for_progress() {
    for (const auto& one : writers) {
      const auto before = one->acknowledged();
      ASSERT_TRUE(eventually([&] { return one->acknowledged() >= before + 20; }, 60s));
    }
  }

  apache_ensemble servers = apache_ensemble::start({.tick_time = 500ms}).value();
  std::vector<std::unique_ptr<writer>> writers;
};

TEST_F(ensemble_under_load, members_are_restarted_one_by_one) {
  for (std::size_t i = 0; i < servers.size(); ++i) {
    servers.kill(i);
    wait_for_progress();
    ASSERT_TRUE(servers.restart(i));
    ASSERT_TRUE(servers.wait_until_serving());
    wait_for_progress();
  }
}

TEST_F(ensemble_under_load, the_leader_is_killed) {
  const auto first = servers.leader().value();
  servers.kill(first);
  wait_for_progress();
  ASSERT_TRUE(servers.restart(first));
  ASSERT_TRUE(servers.wait_until_serving());
}

TEST_F(ensemble_under_load, a_follower_freezes_for_less_and_for_more_than_the_leader_waits) {
  for (const auto length : {1500ms, 4000ms}) {
    const auto frozen = (servers.leader().value() + 1) % servers.size();
    servers.pause(frozen);
    std::this_thread::sleep_for(length);
    servers.resume(frozen);
    ASSERT_TRUE(servers.wait_until_serving());
    wait_for_progress();
  }
}

}  // namespace
}  // namespace zkr::testing
