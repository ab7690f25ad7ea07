#include "client/session_machine.hpp"

#include <gtest/gtest.h>

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

time_point at(duration since_start) { return time_point(1h) + since_start; }

transport::session_event connected(duration when, duration timeout, std::uint64_t connection) {
  transport::session_event event{
      .what = transport::session_event::kind::connected, .connection = connection, .at = at(when)};
  event.session_id = 7;
  event.session_timeout = timeout;
  return event;
}

TEST(session_machine, counts_generations_and_connections) {
  session_machine one({});
  EXPECT_EQ(one.info().generation, 0U);
  one.begin();
  EXPECT_EQ(one.info().state, session_state::connecting);
  EXPECT_EQ(one.info().generation, 1U);
  one.connected(connected(0s, 3s, 1));
  EXPECT_EQ(one.info().state, session_state::connected);
  EXPECT_EQ(one.info().id, 7);
  one.over();
  EXPECT_EQ(one.info().state, session_state::lost);
  one.begin();
  EXPECT_EQ(one.info().generation, 2U);
  EXPECT_EQ(one.info().id, 0);
}

TEST(session_machine, suspended_session_is_lost_four_thirds_after_the_last_reply) {
  session_machine one({});
  one.begin();
  one.connected(connected(0s, 3s, 1));
  EXPECT_EQ(one.lost_at(), no_deadline);
  one.reply_seen(at(9s));
  one.disconnected(at(10s));
  EXPECT_EQ(one.info().state, session_state::suspended);
  EXPECT_EQ(one.lost_at(), at(9s + 4s));
}

TEST(session_machine, idle_session_counts_from_the_last_ping_that_must_have_been_answered) {
  session_machine one({});
  one.begin();
  one.connected(connected(0s, 3s, 1));
  one.disconnected(at(100s));
  EXPECT_EQ(one.lost_at(), at(100s - 1s + 4s));
}

TEST(session_machine, loss_timeout_replaces_four_thirds) {
  session_machine one({.loss_timeout = 20s});
  one.begin();
  one.connected(connected(0s, 3s, 1));
  one.reply_seen(at(10s));
  one.disconnected(at(10s));
  EXPECT_EQ(one.lost_at(), at(30s));
}

TEST(session_machine, resumed_session_keeps_the_smallest_timeout) {
  session_machine one({});
  one.begin();
  one.connected(connected(0s, 3s, 1));
  one.disconnected(at(1s));
  one.connected(connected(2s, 6s, 2));
  EXPECT_EQ(one.info().state, session_state::connected);
  EXPECT_EQ(one.info().timeout, 3s);
  EXPECT_EQ(one.info().connection, 2U);
  EXPECT_EQ(one.lost_at(), no_deadline);
}

TEST(session_machine, waits_longer_while_sessions_end_before_they_begin) {
  session_machine one({});
  one.begin();
  one.connected(connected(0s, 3s, 1));
  one.over();
  EXPECT_EQ(one.reopen_delay(), 0s);
  auto last = 0ns;
  for (int i = 0; i < 10; ++i) {
    one.begin();
    one.over();
    EXPECT_GE(one.reopen_delay(), last);
    last = one.reopen_delay();
  }
  EXPECT_EQ(last, 5s);
  one.begin();
  one.connected(connected(9s, 3s, 1));
  one.over();
  EXPECT_EQ(one.reopen_delay(), 0s);
}

}  // namespace
}  // namespace zkr::detail
