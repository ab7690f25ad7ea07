#include <gtest/gtest.h>

#include "sim/raw_client.hpp"

// What an ensemble does to clients that keep abandoned connections, or use an xid twice.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using wire::create_flags;

constexpr auto timeout = 2s;

bool greeted(raw_world& at, const raw_client& one) {
  return at.run_until([&] { return one.greeted() || one.closed(); }, 5s) && one.greeted();
}

TEST(sim_raw_ensemble, pings_on_an_abandoned_connection_keep_the_session) {
  raw_world at(1);
  raw_client before(at, at.follower(0), timeout);
  ASSERT_TRUE(greeted(at, before));
  ASSERT_EQ(before.ask(1, raw_create("/mine", create_flags::ephemeral)), errc::ok);
  const raw_client after(at, at.follower(1), timeout, &before);
  ASSERT_TRUE(greeted(at, after));
  ASSERT_EQ(after.session(), before.session());
  for (std::int32_t i = 0; i < 16; ++i) {
    before.send(wire::xid_ping, wire::ping_request{});
    at.run_for(500ms);
  }
  EXPECT_TRUE(at.is_there("/mine"));
  EXPECT_EQ(before.answers().size(), 17U);
  EXPECT_FALSE(before.closed());
  at.run_for(timeout + 1s);
  EXPECT_FALSE(at.is_there("/mine"));
}

TEST(sim_raw_ensemble, write_on_an_abandoned_connection_is_refused_and_closes_it) {
  raw_world at(1);
  raw_client before(at, at.follower(0), timeout);
  ASSERT_TRUE(greeted(at, before));
  raw_client after(at, at.follower(1), timeout, &before);
  ASSERT_TRUE(greeted(at, after));
  (void)before.ask(1, raw_create("/late", create_flags::persistent));
  at.run_for(10ms);
  EXPECT_TRUE(before.closed());
  EXPECT_FALSE(at.is_there("/late"));
  EXPECT_EQ(after.ask(2, raw_create("/new", create_flags::persistent)), errc::ok);
}

TEST(sim_raw_ensemble, any_packet_on_an_abandoned_connection_to_the_leader_closes_it) {
  raw_world at(1);
  raw_client before(at, at.leader(), timeout);
  ASSERT_TRUE(greeted(at, before));
  const raw_client after(at, at.follower(), timeout, &before);
  ASSERT_TRUE(greeted(at, after));
  before.send(wire::xid_ping, wire::ping_request{});
  at.run_for(10ms);
  EXPECT_TRUE(before.closed());
  EXPECT_TRUE(before.answers().empty());
}

TEST(sim_raw_ensemble, write_that_is_stuck_while_its_client_moves_is_never_applied) {
  raw_world at(1);
  raw_client before(at, at.follower(0), timeout);
  ASSERT_TRUE(greeted(at, before));
  at.ensemble.wires().cut(at.follower(0), at.leader());
  before.send(1, raw_create("/stuck", create_flags::persistent));
  at.run_for(10ms);
  raw_client after(at, at.follower(1), timeout, &before);
  ASSERT_TRUE(greeted(at, after));
  ASSERT_EQ(after.ask(2, raw_create("/new", create_flags::persistent)), errc::ok);
  at.ensemble.wires().heal();
  at.run_for(1s);
  EXPECT_FALSE(at.is_there("/stuck"));
  EXPECT_TRUE(before.closed());
}

TEST(sim_raw_ensemble, xid_that_is_used_twice_gets_the_answer_to_another_request) {
  raw_world at(1);
  raw_client before(at, at.follower(0), timeout);
  ASSERT_TRUE(greeted(at, before));
  at.ensemble.wires().cut(at.follower(0), at.leader());
  before.send(1, raw_create("/stuck", create_flags::persistent));
  at.run_for(10ms);
  raw_client after(at, at.follower(1), timeout, &before);
  ASSERT_TRUE(greeted(at, after));
  ASSERT_EQ(after.ask(1, raw_create("/new", create_flags::persistent)), errc::ok);
  at.run_for(10ms);
  ASSERT_NE(before.find(1), nullptr);
  EXPECT_EQ(before.find(1)->code, errc::ok);  // for a write that will be refused
  at.ensemble.wires().heal();
  at.run_for(1s);
  EXPECT_FALSE(at.is_there("/stuck"));
}

TEST(sim_raw_ensemble, isolated_leader_confirms_a_session_and_makes_none) {
  raw_world at(1);
  raw_client before(at, at.follower(), timeout);
  ASSERT_TRUE(greeted(at, before));
  for (std::size_t i = 0; i < 3; ++i) {
    if (i == at.leader()) continue;
    at.ensemble.wires().cut(i, at.leader());
    at.ensemble.wires().cut(at.leader(), i);
  }
  const raw_client again(at, at.leader(), timeout, &before);
  const raw_client fresh(at, at.leader(), timeout);
  at.run_for(8ms);
  EXPECT_TRUE(again.greeted());
  EXPECT_EQ(again.session(), before.session());
  at.run_for(2s);
  EXPECT_FALSE(fresh.greeted());
  at.run_for(1s);
  EXPECT_TRUE(again.closed());
  EXPECT_TRUE(fresh.closed());
}

TEST(sim_raw_ensemble, session_that_has_ended_is_refused_with_number_zero) {
  raw_world at(1);
  for (const std::size_t server : {at.leader(), at.follower()}) {
    raw_client before(at, at.follower(), timeout);
    ASSERT_TRUE(greeted(at, before));
    at.run_for(timeout + 1s);
    EXPECT_TRUE(before.closed());
    const raw_client again(at, server, timeout, &before);
    ASSERT_TRUE(greeted(at, again));
    EXPECT_EQ(again.session(), 0);
    at.run_for(10ms);
    EXPECT_TRUE(again.closed());
  }
}

TEST(sim_raw_ensemble, server_without_a_leader_takes_connections_and_closes_them) {
  raw_world at(1);
  at.ensemble.member(at.leader()).kill();
  at.run_for(50ms);
  const raw_client one(at, 0, timeout);
  at.run_for(10ms);
  EXPECT_TRUE(one.closed());
  EXPECT_FALSE(one.greeted());
}

// Elected, and cut off before anybody follows: the others elect another, whose writes it does not have.
TEST(sim_raw_ensemble, leader_that_was_overtaken_before_anybody_followed_is_not_followed) {
  raw_world at(1);
  auto& members = at.ensemble;
  const auto last = at.leader();
  const auto overtaken = at.follower(1);
  const auto other = at.follower(0);
  members.member(last).kill();
  ASSERT_TRUE(at.run_until([&] { return members.member(overtaken).doing() == sim_member::role::leading; }));
  members.wires().cut(overtaken, other);
  members.wires().cut(overtaken, last);
  members.member(last).start();
  ASSERT_TRUE(at.run_until([&] { return at.serves(last) && at.serves(other); }, 2s));
  ASSERT_EQ(at.leader(), last);
  raw_client one(at, other, timeout);
  ASSERT_TRUE(greeted(at, one));
  ASSERT_EQ(one.ask(1, raw_create("/a", create_flags::persistent)), errc::ok);

  members.wires().heal();
  members.member(last).kill();
  at.run_for(1ms);
  ASSERT_EQ(members.member(overtaken).doing(), sim_member::role::leading);
  ASSERT_TRUE(at.run_until([&] { return at.serves(overtaken) && at.serves(other); }));
  for (const auto which : {overtaken, other}) {
    EXPECT_NE(members.member(which).serving().state().nodes().find("/a"), nullptr) << which;
  }
}

// Many sessions end at once: one after the other, and those that wait for their turn are refused already.
TEST(sim_raw_ensemble, transaction_of_a_session_that_is_ending_is_answered_with_expiry) {
  raw_world at(1);
  std::vector<std::unique_ptr<raw_client>> idle;
  for (int i = 0; i < 200; ++i) idle.push_back(std::make_unique<raw_client>(at, at.follower(), timeout));
  at.run_for(20ms);
  raw_client one(at, at.follower(), timeout);
  ASSERT_TRUE(greeted(at, one));
  const auto is_closed = [](const auto& each) { return each->closed(); };
  ASSERT_TRUE(at.run_until([&] { return std::any_of(idle.begin(), idle.end(), is_closed); }));
  wire::multi_request heartbeat;
  heartbeat.operations.emplace_back(wire::check_request{"/"});
  one.send(1, heartbeat);
  ASSERT_TRUE(at.run_until([&] { return one.closed(); }));
  const auto* answer = one.find(1);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->code, errc::ok);  // of the whole; the first result says it
  const auto decoded = wire::decode_reply(answer->body, wire::opcode::multi);
  const auto& results = std::get<wire::multi_reply>(decoded.body).results;
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(std::get<wire::error_result>(results.front()).code, errc::session_expired);
}

}  // namespace
}  // namespace zkr::testing
