#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "ensemble/lease_run.hpp"
#include "support/child_process.hpp"
#include "support/eventually.hpp"

// The rule of docs/leases.md on three real servers under faults: nobody claims a lease beyond the first moment at which any
// member shows that the node is gone, nor any of its margin, and no two hold at one moment.
//
// ZKR_CHAOS_RUNS: how often each case is run (2). ZKR_CHAOS_SEED: of the faults' times and lengths.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

constexpr auto tick = 200ms;
constexpr auto T = 2000ms;                 // ten ticks
constexpr std::size_t sync_limit = 15;     // so that a leader may be silent for longer than T
constexpr duration G = sync_limit * tick;  // after which it, or its follower, gives up

long from_environment(const char* name, long otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::atol(value) : otherwise;
}

void pass(duration time) { std::this_thread::sleep_for(time); }

class chaos_lease : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!apache_ensemble::can_partition()) return;
    servers_ = new apache_ensemble(
        apache_ensemble::start(
            {.tick_time = tick, .init_limit = 20, .sync_limit = sync_limit, .links = ensemble_links::separate})
            .value());
    seed_ =
        static_cast<unsigned>(from_environment("ZKR_CHAOS_SEED", static_cast<long>(std::random_device{}() % 100000)));
    random_.seed(seed_);
    std::printf("ZKR_CHAOS_SEED=%u\n| case | runs | sessions | least slack | amid faults | least slack |\n", seed_);
  }
  static void TearDownTestSuite() {
    delete servers_;
    servers_ = nullptr;
  }
  void SetUp() override {
    if (servers_ == nullptr) GTEST_SKIP() << "network namespaces take root and iproute2";
  }

  static apache_ensemble& servers() { return *servers_; }
  static std::size_t leader() { return servers().leader().value(); }
  /// The member that follows, `nth` of them.
  static std::size_t follower(std::size_t nth) {
    return (leader() + 1 + nth % (servers().size() - 1)) % servers().size();
  }
  static duration between(double least, double most, duration of) {
    return std::chrono::duration_cast<duration>(of * std::uniform_real_distribution<>(least, most)(random_));
  }

  /// A fault has a length. At some moment of it the holders at one member fall silent for good.
  static void pass_with_silence(lease_run& run, duration length) {
    const auto before = between(0, 1, length);
    pass(before);
    run.silence(random_() % servers().size());
    pass(length - before);
  }

  /// Runs a case. What `fault(run, number)` cuts is mended afterwards.
  template <typename Fault>
  void runs(const std::string& name, Fault fault) {
    lease_verdict verdict;
    const auto wanted = from_environment("ZKR_CHAOS_RUNS", 2);
    for (long number = 0; number < wanted; ++number) {
      ASSERT_TRUE(servers().wait_until_serving());
      lease_run run(servers(), fmt::format("{}-{}", name, number), T, tick);
      ASSERT_TRUE(run.ready());
      pass(between(0, 0.5, T));  // somewhere between two heartbeats
      ASSERT_NO_FATAL_FAILURE(fault(run, static_cast<std::size_t>(number)));
      EXPECT_THAT(run.judge(verdict, between(0.3, 0.8, T)), IsEmpty()) << name << ", run " << number;
    }
    std::printf("%s\n", to_text(name, verdict, T).c_str());
    std::fflush(stdout);
  }

 private:
  static apache_ensemble* servers_;
  static unsigned seed_;
  static std::mt19937 random_;
};

apache_ensemble* chaos_lease::servers_ = nullptr;
unsigned chaos_lease::seed_ = 0;
std::mt19937 chaos_lease::random_;

TEST_F(chaos_lease, clients_are_cut_off_for_less_than_their_time_out) {
  runs("clients-cut", [](lease_run& run, std::size_t) {
    for (std::size_t i = 0; i < servers().size(); ++i) ASSERT_TRUE(servers().cut_gate(i));
    pass_with_silence(run, between(0.6, 1.0, T));
  });
}

TEST_F(chaos_lease, the_leader_freezes_and_wakes_among_expiring_sessions) {
  runs("leader-stopped", [](lease_run& run, std::size_t) {
    const auto first = leader();
    const idle_sessions expiring(servers().connect_string(first), 300, T);
    EXPECT_EQ(expiring.begun(), 300U);
    servers().pause(first);
    pass_with_silence(run, between(0.6, 1.2, T));
    servers().resume(first);
  });
}

TEST_F(chaos_lease, a_follower_freezes_for_less_and_for_more_than_the_others_wait) {
  runs("follower-stopped", [](lease_run& run, std::size_t number) {
    const auto frozen = follower(number / 2);
    servers().pause(frozen);
    pass_with_silence(run, number % 2 == 0 ? between(0.3, 0.9, G) : between(1.1, 1.5, G));
    servers().resume(frozen);
  });
}

TEST_F(chaos_lease, a_follower_loses_the_leader_in_one_direction_or_both) {
  runs("follower-cut", [](lease_run& run, std::size_t number) {
    constexpr std::array ways{cut_way::both, cut_way::there, cut_way::back};
    ASSERT_TRUE(servers().cut(follower(number / 3), leader(), ways[number % 3]));
    pass_with_silence(run, between(0.3, 2.0, T));
  });
}

TEST_F(chaos_lease, the_leader_is_isolated_until_another_has_given_its_locks_away) {
  runs("leader-isolated", [](lease_run& run, std::size_t) {
    const auto first = leader();
    ASSERT_TRUE(servers().isolate(first));
    run.silence(first, false);
    ASSERT_TRUE(eventually([&] { return run.all_gone(first); }, 40s));
  });
}

// One client is stopped between its check and the write that it guards, one while it holds only.
TEST_F(chaos_lease, a_client_is_stopped_for_longer_than_its_session) {
  const auto wanted = from_environment("ZKR_CHAOS_RUNS", 2);
  lease_verdict verdict;
  const auto at = [](const std::optional<std::string>& ns) {
    return time_point(std::chrono::nanoseconds(ns ? std::stoll(*ns) : 0));
  };
  struct stopped {
    bool past_the_check = false;
    std::unique_ptr<child_process> holder;
    std::unique_ptr<lease_witness> witness;
  };
  for (long number = 0; number < wanted; ++number) {
    ASSERT_TRUE(servers().wait_until_serving());
    lease_court court(servers());
    (void)court.rival.create("/data", "before");
    std::vector<stopped> all;
    for (std::size_t i = 0; i < 2 * servers().size(); ++i) {
      const auto election = fmt::format("/client-stopped-{}-{}", number, i);
      auto& one = all.emplace_back();
      one.past_the_check = i % 2 == 1;
      one.holder = std::make_unique<child_process>(std::vector<std::string>{
          SUSPENDED_CLIENT, servers().connect_string(i / 2), std::to_string(T.count()), election});
      const auto leads = one.holder->heard("leads");
      ASSERT_TRUE(leads);
      one.witness =
          std::make_unique<lease_witness>(leads->substr(leads->find(' ') + 1), election, court.at_members, court.rival);
    }
    for (const auto& one : all) ASSERT_TRUE(eventually([&] { return one.witness->armed(); }));
    for (const auto& one : all) {
      pass(between(0, 0.2, T));
      if (one.past_the_check) {
        one.holder->say("check");
      } else {
        one.holder->signal(SIGSTOP);
      }
      ASSERT_TRUE(one.holder->wait_until_stopped());
    }
    for (const auto& one : all) {
      ASSERT_TRUE(eventually([&] { return one.witness->gone() && one.witness->rival_led(); }));
      one.holder->signal(SIGCONT);
      if (!one.past_the_check) one.holder->say("check");
      const auto guarded = one.holder->heard("guarded").value_or("never");
      if (one.past_the_check) {
        EXPECT_NE(guarded, "ok") << "the servers have to refuse it";
      } else {
        EXPECT_EQ(guarded, "refused_locally");
      }
      ASSERT_TRUE(one.holder->heard("not_held"));
      const auto slack = *one.witness->gone() - at(one.holder->heard("valid_until"));
      EXPECT_GE(slack, 0s);
      EXPECT_LT(at(one.holder->heard("last_held")), *one.witness->rival_led());
      verdict.add(slack, true);
    }
    EXPECT_EQ(court.rival.get("/data").value().data, "before");
    ++verdict.runs;
  }
  std::printf("%s\n", to_text("client-stopped", verdict, T).c_str());
}

}  // namespace
}  // namespace zkr::testing
