#include "cli/guardian.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/eventually.hpp"

namespace zkr::cli {
namespace {

using namespace std::chrono_literals;
using kind = guardian::report::kind;

/// Real processes under a guardian, without a server: the test plays the tool.
class guardian_processes : public ::testing::Test {
 protected:
  guardian_processes() {
    std::string pattern = ::testing::TempDir() + "zkr-guardian-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~guardian_processes() override { std::filesystem::remove_all(folder_); }

  /// Starts a shell script under a lease of `lease`, KILL 200 ms before its end, and waits until it says `begin`.
  void run(const std::string& script, duration lease) {
    const auto prelude = "exec 2>/dev/null; cd '" + folder_ + "'; begin() { echo >begun.tmp; mv begun.tmp begun; }\n";
    auto started = guardian::start({"/bin/sh", "-c", prelude + script}, signals_);
    ASSERT_TRUE(started) << started.error().message();
    guardian_.emplace(std::move(*started));
    valid_until_ = boot_clock::now() + lease;
    guardian_->run(valid_until_, {200ms, 200ms, 1s}, {{"ZKR_FENCING_TOKEN", "42"}, {"ZKR_PATH", "/a b"}});
    const auto report = next();
    ASSERT_EQ(report.what, kind::started);
    group_ = report.pid;
    ASSERT_TRUE(testing::eventually([&] { return exists("begun"); }));
  }

  guardian::report next() {
    for (;;) {
      if (auto report = guardian_->read()) return *report;
      pollfd polled{guardian_->fd(), POLLIN, 0};
      if (poll(&polled, 1, 20000) == 0) {
        ADD_FAILURE() << "the guardian says nothing";
        return {};
      }
    }
  }

  [[nodiscard]] bool exists(const char* name) const { return std::filesystem::exists(folder_ + "/" + name); }
  [[nodiscard]] std::string content(const char* name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  [[nodiscard]] bool group_gone() const { return kill(-group_, 0) != 0 && errno == ESRCH; }

  const inherited_signals signals_ = inherited_signals::take_over();
  std::string folder_;
  std::optional<guardian> guardian_;
  time_point valid_until_;
  pid_t group_ = 0;
};

TEST_F(guardian_processes, hands_on_environment_and_exit_status) {
  run("begin; echo \"$ZKR_FENCING_TOKEN,$ZKR_PATH\" >seen; exit 7", 60s);
  const auto end = next();
  EXPECT_EQ(end.what, kind::ended);
  EXPECT_FALSE(end.ended_by_us);
  ASSERT_TRUE(end.wait_status);
  EXPECT_EQ(WEXITSTATUS(*end.wait_status), 7);
  EXPECT_EQ(content("seen"), "42,/a b\n");
}

TEST_F(guardian_processes, the_command_has_no_descriptor_of_ours) {
  // One of ours without CLOEXEC, as libzookeeper's sockets are: opened after the guardian was forked, so never inherited.
  auto started = guardian::start(
      {"/bin/sh", "-c", "ls -l /proc/self/fd | grep -c 'socket\\|timerfd\\|signalfd\\|eventfd' >" + folder_ + "/fds"},
      signals_);
  ASSERT_TRUE(started);
  guardian_.emplace(std::move(*started));
  const int ours = ::eventfd(0, 0);
  guardian_->run(boot_clock::now() + 60s, {}, {});
  EXPECT_EQ(next().what, kind::started);
  EXPECT_EQ(next().what, kind::ended);
  ::close(ours);
  EXPECT_EQ(content("fds"), "0\n");
}

TEST_F(guardian_processes, the_command_has_the_signals_that_the_tool_was_started_with) {
  run("begin; grep -E '^Sig(Blk|Ign)' /proc/self/status >seen", 60s);
  EXPECT_EQ(next().what, kind::ended);
  std::ostringstream ours;
  std::string line;
  signals_.restore();
  for (std::ifstream status("/proc/self/status"); std::getline(status, line);) {
    if (line.starts_with("SigBlk") || line.starts_with("SigIgn")) ours << line << '\n';
  }
  EXPECT_EQ(content("seen"), ours.str());
}

TEST_F(guardian_processes, at_risk_lets_it_tidy_up) {
  run("trap 'echo done >tidy; exit 3' TERM; begin; while :; do sleep 0.05; done", 60s);
  guardian_->at_risk();
  const auto end = next();
  EXPECT_TRUE(end.ended_by_us);
  EXPECT_EQ(WEXITSTATUS(end.wait_status.value_or(0)), 3);
  EXPECT_TRUE(exists("tidy"));
}

TEST_F(guardian_processes, the_whole_group_is_gone_before_the_lease_ends) {
  run("trap '' TERM; sleep 1000 & begin; sleep 1000", 900ms);
  guardian_->at_risk();
  const auto end = next();
  const auto now = boot_clock::now();
  EXPECT_TRUE(group_gone());
  EXPECT_TRUE(end.ended_by_us);
  EXPECT_EQ(WTERMSIG(end.wait_status.value_or(0)), SIGKILL);
  EXPECT_LT(now, valid_until_);
  EXPECT_GE(now, valid_until_ - 200ms);
}

TEST_F(guardian_processes, renewals_keep_it_alive) {
  const duration lease = 700ms * testing::time_factor();
  run("begin; while [ ! -e go ]; do sleep 0.02; done; exit 5", lease);
  for (const auto first_end = valid_until_; boot_clock::now() < first_end + 100ms;) {
    guardian_->renewed(boot_clock::now() + lease);
    ASSERT_FALSE(testing::eventually([&] { return guardian_->read().has_value(); }, 50ms));
  }
  guardian_->renewed(boot_clock::now() + 60s);
  std::ofstream(folder_ + "/go").flush();
  EXPECT_EQ(WEXITSTATUS(next().wait_status.value_or(0)), 5);
}

TEST_F(guardian_processes, a_loss_kills_at_once) {
  run("trap '' TERM; sleep 1000 & begin; sleep 1000", 60s);
  guardian_->lost();
  EXPECT_TRUE(next().ended_by_us);
  EXPECT_TRUE(group_gone());
}

TEST_F(guardian_processes, a_stopped_command_is_killed_too) {
  run("begin; sleep 1000", 700ms);
  guardian_->forward(SIGSTOP);
  EXPECT_TRUE(next().ended_by_us);
  EXPECT_LT(boot_clock::now(), valid_until_);
  EXPECT_TRUE(group_gone());
}

TEST_F(guardian_processes, the_end_of_the_tool_ends_the_command_and_what_it_started) {
  run("sleep 1000 & begin; sleep 1000", 60s);
  guardian_.reset();  // as its death does: closes the socket
  EXPECT_TRUE(group_gone());
}

TEST_F(guardian_processes, the_end_of_the_guardian_ends_the_command_and_what_it_started) {
  run("sleep 1000 & begin; sleep 1000", 60s);
  kill(guardian_->pid(), SIGKILL);
  EXPECT_EQ(next().what, kind::vanished);
  // Orphans are collected by whoever adopted them, at some time; dead they are at once.
  EXPECT_TRUE(testing::eventually([&] {
    std::ifstream stat("/proc/" + std::to_string(group_) + "/stat");
    std::string text;
    return !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
  }));
}

TEST_F(guardian_processes, a_stopped_guardian_does_not_save_the_command_from_a_loss) {
  run("begin; sleep 1000", 60s);
  kill(guardian_->pid(), SIGSTOP);
  guardian_->lost();
  EXPECT_TRUE(testing::eventually([&] {
    std::ifstream stat("/proc/" + std::to_string(group_) + "/stat");
    std::string text;
    return std::getline(stat, text) && text.find(") Z ") != std::string::npos;
  }));
  kill(guardian_->pid(), SIGCONT);
  EXPECT_TRUE(next().ended_by_us);
}

TEST_F(guardian_processes, leftovers_do_not_outlive_the_command) {
  run("begin; sleep 1000 & (trap '' TERM; exec sleep 1000) & exit 4", 60s);
  const auto end = next();
  EXPECT_FALSE(end.ended_by_us);
  EXPECT_EQ(WEXITSTATUS(end.wait_status.value_or(0)), 4);
  EXPECT_TRUE(group_gone());
}

TEST_F(guardian_processes, signals_reach_the_whole_group) {
  run("trap 'wait; exit 6' USR1\n"
      "(trap 'echo x >child; exit' USR1; begin; while :; do sleep 0.05; done) &\n"
      "while :; do sleep 0.05; done",
      60s);
  guardian_->forward(SIGUSR1);
  EXPECT_EQ(WEXITSTATUS(next().wait_status.value_or(0)), 6);
  EXPECT_TRUE(exists("child"));
  EXPECT_TRUE(group_gone());
}

TEST_F(guardian_processes, death_by_a_signal_is_reported) {
  run("begin; kill -SEGV $$", 60s);
  EXPECT_EQ(WTERMSIG(next().wait_status.value_or(0)), SIGSEGV);
}

TEST_F(guardian_processes, nothing_is_started_under_a_lease_that_is_over) {
  auto started = guardian::start({"/bin/sh", "-c", "echo x >" + folder_ + "/begun"}, signals_);
  ASSERT_TRUE(started);
  guardian_.emplace(std::move(*started));
  guardian_->run(boot_clock::now() + 190ms, {200ms, 200ms, 1s}, {});
  const auto end = next();
  EXPECT_EQ(end.what, kind::ended);
  EXPECT_FALSE(end.wait_status);
  EXPECT_TRUE(end.ended_by_us);
  EXPECT_FALSE(exists("begun"));
}

TEST_F(guardian_processes, a_command_that_does_not_exist) {
  auto started = guardian::start({"/no/such/program"}, signals_);
  ASSERT_TRUE(started);
  guardian_.emplace(std::move(*started));
  guardian_->run(boot_clock::now() + 60s, {}, {});
  EXPECT_EQ(next().what, kind::started);
  EXPECT_EQ(WEXITSTATUS(next().wait_status.value_or(0)), 127);
}

TEST_F(guardian_processes, it_runs_one_command_after_another) {
  run("begin; exit 1", 60s);
  EXPECT_EQ(WEXITSTATUS(next().wait_status.value_or(0)), 1);
  guardian_->run(boot_clock::now() + 60s, {}, {{"ZKR_FENCING_TOKEN", "43"}});
  EXPECT_EQ(next().what, kind::started);
  EXPECT_EQ(WEXITSTATUS(next().wait_status.value_or(0)), 1);
}

}  // namespace
}  // namespace zkr::cli
