#include "client/lease.hpp"

#include <gtest/gtest.h>

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

constexpr duration timeout = 4000ms;
constexpr duration margin = 400ms;
constexpr duration spacing = 1020ms;  // T/4 + 20 ms

time_point at(duration since_start) { return time_point(1h) + since_start; }

/// A session that was resumed: a lease that has proved nothing yet.
lease resumed(lease::settings rules = {.timeout = timeout}) {
  lease one;
  one.session_created(rules, time_point::min() + timeout * 2);
  one.disconnected();
  one.reattached(rules, time_point::min() + timeout * 3);
  one.transaction_acked(at(-60s), at(-60s));  // takes the re-attachment's own proof out of the way
  one.disconnected();
  return one;
}

TEST(lease, new_session_is_certain_from_its_handshake_on) {
  lease one;
  one.session_created({.timeout = timeout}, at(0ms));
  EXPECT_EQ(one.valid_until(), at(timeout - margin));
}

TEST(lease, reads_alone_prove_nothing) {
  auto one = resumed();
  const auto before = one.valid_until();
  for (auto t = 0ms; t < 20s; t += 500ms) one.request_acked(at(t), at(t + 1ms));
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, one_transaction_after_a_read_is_not_enough) {
  auto one = resumed();
  const auto before = one.valid_until();
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(2s), at(2001ms));
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, second_transaction_extends_from_the_first_request) {
  auto one = resumed();
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(1100ms), at(1110ms));  // k1
  one.transaction_acked(at(1111ms), at(1120ms));  // k2, right behind it
  EXPECT_EQ(one.valid_until(), at(timeout - margin));
}

TEST(lease, first_transaction_must_keep_its_distance) {
  auto one = resumed();
  const auto before = one.valid_until();
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(1ms + spacing - 1ns), at(1200ms));
  one.transaction_acked(at(1300ms), at(1310ms));
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, second_transaction_must_be_submitted_after_the_first_is_acknowledged) {
  auto one = resumed();
  const auto before = one.valid_until();
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(1100ms), at(1200ms));
  one.transaction_acked(at(1199ms), at(1210ms));  // pipelined behind k1
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, two_heartbeats_that_pass_one_ping_interval_prove_nothing) {
  // ensemble-model: heartbeats wait in TCP during an outage and are acknowledged together just before the session dies.
  auto one = resumed();
  one.transaction_acked(at(0ms), at(1ms));
  const auto before = one.valid_until();
  one.transaction_acked(at(2420ms), at(4114ms));
  one.transaction_acked(at(3440ms), at(4119ms));
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, chain_never_spans_a_reconnect) {
  auto one = resumed();
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(1100ms), at(1110ms));
  const auto before = one.valid_until();
  one.disconnected();
  one.transaction_acked(at(1500ms), at(1510ms));
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, reattachment_counts_from_the_first_transaction_on) {
  auto one = resumed();
  const auto before = one.valid_until();
  one.reattached({.timeout = timeout}, at(0ms));
  one.request_acked(at(10ms), at(11ms));
  EXPECT_EQ(one.valid_until(), before);  // an isolated leader answers reads, and re-attachments, too
  one.transaction_acked(at(20ms), at(21ms));
  EXPECT_EQ(one.valid_until(), at(timeout - margin));
}

TEST(lease, reattachment_that_is_lost_again_proves_nothing) {
  auto one = resumed();
  const auto before = one.valid_until();
  one.reattached({.timeout = timeout}, at(0ms));
  one.disconnected();
  one.transaction_acked(at(20ms), at(21ms));
  EXPECT_EQ(one.valid_until(), before);
}

TEST(lease, never_shrinks) {
  lease one;
  one.session_created({.timeout = timeout}, at(0ms));
  const auto first = one.valid_until();
  one.disconnected();
  EXPECT_EQ(one.valid_until(), first);
  one.reattached({.timeout = timeout}, at(-1h));
  one.transaction_acked(at(1ms), at(2ms));
  EXPECT_EQ(one.valid_until(), first);
}

TEST(lease, timeout_is_the_smallest_of_all_handshakes) {
  lease one;
  one.session_created({.timeout = timeout}, at(0ms));
  one.reattached({.timeout = 2s}, at(1s));
  EXPECT_EQ(one.timeout(), 2s);
  one.reattached({.timeout = 10s}, at(5s));
  EXPECT_EQ(one.timeout(), 2s);
  one.transaction_acked(at(5001ms), at(5002ms));
  EXPECT_EQ(one.valid_until(), at(5s + 2s - 200ms));
}

TEST(lease, margin_is_a_tenth_at_least) {
  lease one;
  one.session_created({.timeout = timeout, .margin = 1ms}, at(0ms));
  EXPECT_EQ(one.valid_until(), at(timeout - margin));
  lease wider;
  wider.session_created({.timeout = timeout, .margin = 1s}, at(0ms));
  EXPECT_EQ(wider.valid_until(), at(timeout - 1s));
}

TEST(lease, asserted_tick_halves_the_distance) {
  auto one = resumed({.timeout = timeout, .tick_is_quarter = true});
  EXPECT_EQ(one.spacing(), 520ms);
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(521ms), at(522ms));
  one.transaction_acked(at(523ms), at(524ms));
  EXPECT_EQ(one.valid_until(), at(timeout - margin));
}

TEST(lease, asserted_follower_timeout_needs_one_transaction_only) {
  auto one = resumed({.timeout = timeout, .follower_drops_early = true});
  one.request_acked(at(0ms), at(1ms));
  one.transaction_acked(at(1021ms), at(1030ms));
  EXPECT_EQ(one.valid_until(), at(timeout - margin));
}

TEST(lease, steady_heartbeats_leave_what_the_documents_say) {
  // Rule C2, S = T/4 + 20 ms, sent S after the last acknowledgement: about 0.40 T after one, 0.15 T before the next.
  auto one = resumed();
  auto t = 0ms;
  for (int i = 0; i < 10; ++i, t += 1021ms) one.transaction_acked(at(t), at(t + 1ms));
  const auto acked = at(t - 1021ms + 1ms);
  EXPECT_NEAR(static_cast<double>((one.valid_until() - acked).count()) / static_cast<double>(timeout.count()), 0.39,
              0.02);
  EXPECT_GT(one.valid_until() - (acked + spacing), timeout / 10);  // at_risk stays silent
}

TEST(lease, busy_client_keeps_its_lease_warm_without_heartbeats) {
  auto one = resumed();
  for (auto t = 0us; t < 4s; t += 100us) one.transaction_acked(at(t), at(t + 5ms));  // pipelined, 10,000 a second
  EXPECT_GT(one.valid_until() - at(4s), timeout / 2);
}

TEST(lease, link_is_ready_when_a_transaction_would_extend_it) {
  auto one = resumed();
  EXPECT_FALSE(one.link_ready(at(0ms), at(0ms)));
  one.request_acked(at(0ms), at(1ms));
  EXPECT_FALSE(one.link_ready(at(1s), at(1s)));
  EXPECT_TRUE(one.link_ready(at(1100ms), at(1100ms)));
  EXPECT_FALSE(one.link_ready(at(5s), at(5s)));  // the touch is too old to prove anything beyond now
}

}  // namespace
}  // namespace zkr::detail
