#include "cli/warden.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

namespace zkr::cli {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{1h};

/// A warden on a clock of its own whose answers read like a protocol: "spawn timer@9750ms".
class warden_table : public ::testing::Test {
 protected:
  std::string at(duration since, const warden::event& what) {
    std::string text;
    for (const auto& action : warden_.on(what, t0 + since)) {
      if (!text.empty()) text += ' ';
      text += describe(action);
    }
    return text;
  }
  /// Starts with a lease until 10 s: KILL at 9.75 s.
  void running() { ASSERT_EQ(at(0s, warden::start{t0 + 10s}), "spawn timer@9750ms"); }

  static std::string describe(const warden::action& action) {
    if (std::holds_alternative<warden::spawn>(action)) return "spawn";
    if (const auto* signal = std::get_if<warden::send_signal>(&action)) return sigabbrev_np(signal->signal);
    if (const auto* timer = std::get_if<warden::set_timer>(&action)) {
      return timer->at == no_deadline ? "no-timer" : fmt::format("timer@{}ms", (timer->at - t0) / 1ms);
    }
    const auto& end = std::get<warden::report>(action);
    return fmt::format("report({},{})", end.wait_status ? fmt::to_string(*end.wait_status) : "-",
                       end.ended_by_us ? "by-us" : "by-itself");
  }

  warden warden_{warden::settings{250ms, 500ms, 1s}};
};

TEST_F(warden_table, a_command_that_ends_by_itself_is_reported) {
  running();
  EXPECT_EQ(at(1s, warden::command_ended{256, false}), "no-timer report(256,by-itself)");
  EXPECT_FALSE(warden_.busy());
}

TEST_F(warden_table, a_renewal_moves_the_deadline) {
  running();
  EXPECT_EQ(at(4s, warden::renewed{t0 + 14s}), "timer@13750ms");
  EXPECT_EQ(at(9751ms, warden::timer{}), "");  // an old timer
  EXPECT_EQ(at(13750ms, warden::timer{}), "KILL");
  EXPECT_EQ(at(13760ms, warden::command_ended{9, false}), "no-timer report(9,by-us)");
}

TEST_F(warden_table, a_renewal_never_shortens) {
  running();
  EXPECT_EQ(at(4s, warden::renewed{t0 + 8s}), "timer@9750ms");
}

TEST_F(warden_table, at_risk_gets_term_and_the_deadline_kill) {
  running();
  EXPECT_EQ(at(9s, warden::at_risk{}), "TERM CONT");
  EXPECT_EQ(at(9100ms, warden::at_risk{}), "");  // once
  EXPECT_EQ(at(9749ms, warden::timer{}), "");
  EXPECT_EQ(at(9750ms, warden::timer{}), "KILL");
  EXPECT_EQ(at(9751ms, warden::timer{}), "");  // once
  EXPECT_EQ(at(9760ms, warden::command_ended{9, false}), "no-timer report(9,by-us)");
}

TEST_F(warden_table, a_renewal_after_term_does_not_save_the_command) {
  running();
  EXPECT_EQ(at(9s, warden::at_risk{}), "TERM CONT");
  EXPECT_EQ(at(9100ms, warden::renewed{t0 + 20s}), "");
  EXPECT_EQ(at(9750ms, warden::timer{}), "KILL");
}

TEST_F(warden_table, a_command_that_obeys_term_was_ended_by_us) {
  running();
  EXPECT_EQ(at(9s, warden::at_risk{}), "TERM CONT");
  EXPECT_EQ(at(9200ms, warden::command_ended{0, false}), "no-timer report(0,by-us)");
}

TEST_F(warden_table, a_known_loss_kills_at_once) {
  running();
  EXPECT_EQ(at(2s, warden::lost{}), "KILL");
  EXPECT_EQ(at(2s, warden::lost{}), "");
  EXPECT_EQ(at(2100ms, warden::command_ended{9, false}), "no-timer report(9,by-us)");
}

TEST_F(warden_table, a_loss_after_term_kills_at_once) {
  running();
  EXPECT_EQ(at(9s, warden::at_risk{}), "TERM CONT");
  EXPECT_EQ(at(9100ms, warden::lost{}), "KILL");
}

TEST_F(warden_table, woken_after_the_lease_it_kills_before_anything_else) {
  running();
  EXPECT_EQ(at(60s, warden::timer{}), "KILL");
  EXPECT_EQ(at(60s, warden::renewed{t0 + 100s}), "");
  EXPECT_EQ(at(60s, warden::forward{SIGCONT}), "");
}

TEST_F(warden_table, too_late_to_start) {
  EXPECT_EQ(at(9750ms, warden::start{t0 + 10s}), "no-timer report(-,by-us)");
  EXPECT_EQ(at(12s, warden::start{t0 + 10s}), "no-timer report(-,by-us)");
  EXPECT_FALSE(warden_.busy());
}

TEST_F(warden_table, signals_go_to_the_command_while_it_lives) {
  EXPECT_EQ(at(0s, warden::forward{SIGTERM}), "");
  running();
  EXPECT_EQ(at(1s, warden::forward{SIGTERM}), "TERM");
  EXPECT_EQ(at(1s, warden::forward{SIGUSR1}), "USR1");
  EXPECT_EQ(at(9s, warden::at_risk{}), "TERM CONT");
  EXPECT_EQ(at(9s, warden::forward{SIGINT}), "INT");
  EXPECT_EQ(at(9750ms, warden::timer{}), "KILL");
  EXPECT_EQ(at(9750ms, warden::forward{SIGTERM}), "");
}

TEST_F(warden_table, a_forwarded_signal_is_no_end_by_us) {
  running();
  EXPECT_EQ(at(1s, warden::forward{SIGTERM}), "TERM");
  EXPECT_EQ(at(2s, warden::command_ended{15, false}), "no-timer report(15,by-itself)");
}

TEST_F(warden_table, leftovers_get_term_then_kill) {
  running();
  EXPECT_EQ(at(1s, warden::command_ended{0, true}), "TERM CONT timer@1500ms");
  EXPECT_TRUE(warden_.sweeping());
  EXPECT_EQ(at(1499ms, warden::timer{}), "");
  EXPECT_EQ(at(1500ms, warden::timer{}), "KILL timer@2500ms");
  EXPECT_EQ(at(1600ms, warden::group_empty{}), "no-timer report(0,by-itself)");
}

TEST_F(warden_table, leftovers_that_obey) {
  running();
  EXPECT_EQ(at(1s, warden::command_ended{0, true}), "TERM CONT timer@1500ms");
  EXPECT_EQ(at(1100ms, warden::group_empty{}), "no-timer report(0,by-itself)");
}

TEST_F(warden_table, leftovers_do_not_outlive_the_lease_either) {
  running();
  EXPECT_EQ(at(9600ms, warden::command_ended{0, true}), "TERM CONT timer@9750ms");
  EXPECT_EQ(at(9750ms, warden::timer{}), "KILL timer@10750ms");
}

TEST_F(warden_table, leftovers_of_a_killed_command_are_killed_too) {
  running();
  EXPECT_EQ(at(2s, warden::lost{}), "KILL");
  EXPECT_EQ(at(2100ms, warden::command_ended{9, true}), "KILL timer@3100ms");
  EXPECT_EQ(at(2200ms, warden::group_empty{}), "no-timer report(9,by-us)");
}

TEST_F(warden_table, a_loss_while_leftovers_tidy_up) {
  running();
  EXPECT_EQ(at(1s, warden::command_ended{0, true}), "TERM CONT timer@1500ms");
  EXPECT_EQ(at(1100ms, warden::lost{}), "KILL timer@2100ms");
  EXPECT_EQ(at(1150ms, warden::lost{}), "");
  EXPECT_EQ(at(1200ms, warden::group_empty{}), "no-timer report(0,by-itself)");
}

TEST_F(warden_table, zombies_that_nobody_collects_are_given_up) {
  running();
  EXPECT_EQ(at(1s, warden::command_ended{0, true}), "TERM CONT timer@1500ms");
  EXPECT_EQ(at(1500ms, warden::timer{}), "KILL timer@2500ms");
  EXPECT_EQ(at(2500ms, warden::timer{}), "no-timer report(0,by-itself)");
}

TEST_F(warden_table, a_command_that_could_not_be_started) {
  running();
  EXPECT_EQ(at(0s, warden::spawn_failed{}), "no-timer report(-,by-itself)");
}

TEST_F(warden_table, nothing_happens_while_nothing_runs) {
  EXPECT_EQ(at(0s, warden::renewed{t0 + 5s}), "");
  EXPECT_EQ(at(0s, warden::at_risk{}), "");
  EXPECT_EQ(at(0s, warden::lost{}), "");
  EXPECT_EQ(at(0s, warden::timer{}), "");
  EXPECT_EQ(at(0s, warden::group_empty{}), "");
  EXPECT_EQ(at(0s, warden::command_ended{0, false}), "");
  EXPECT_EQ(at(0s, warden::spawn_failed{}), "");
}

TEST_F(warden_table, a_second_start_is_refused_and_a_later_one_begins_afresh) {
  running();
  EXPECT_EQ(at(1s, warden::start{t0 + 20s}), "");
  EXPECT_EQ(at(2s, warden::lost{}), "KILL");
  EXPECT_EQ(at(2s, warden::command_ended{9, false}), "no-timer report(9,by-us)");
  EXPECT_EQ(at(3s, warden::start{t0 + 12s}), "spawn timer@11750ms");
  EXPECT_EQ(at(4s, warden::command_ended{0, false}), "no-timer report(0,by-itself)");
}

}  // namespace
}  // namespace zkr::cli
