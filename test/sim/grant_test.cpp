#include <gtest/gtest.h>

#include "client/access.hpp"
#include "zkrecipes/recipes/machine.hpp"
#include "zkrecipes/testing/simulation.hpp"

// Grants and their lease (C15, C16) with the smallest recipe there is: whoever creates the node holds it.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using namespace recipes;

constexpr tag making = 1;
constexpr tag removing = 2;

class own_node final : public machine {
 public:
  explicit own_node(duration waits = 0s) : waits_(waits) {}

  void on(const event& what, context&, actions& out) override {
    if (std::holds_alternative<recipes::start>(what)) {
      out.push_back(start_timer{making, waits_});
    } else if (std::holds_alternative<timer_fired>(what)) {
      out.push_back(request{making, create_node{"/own", "", {.mode = create_mode::ephemeral}}});
    } else if (const auto* answer = std::get_if<reply>(&what)) {
      if (answer->tag == removing || !answer->value) {
        if (answer->tag == removing) out.push_back(emit{.what = emit_released, .problem = verdict_});
        out.push_back(finish{});
        return;
      }
      const auto& made = std::get<created>(*answer->value);
      out.push_back(take_grant{made.path, made.stat.czxid, made.path});
    } else if (std::holds_alternative<release>(what)) {
      out.push_back(end_grant{});
      out.push_back(request{removing, remove_node{"/own"}});
    } else if (const auto* ended = std::get_if<grant_ended>(&what)) {
      verdict_ = ended->why;
      out.push_back(request{removing, remove_node{"/own"}});
    } else if (std::holds_alternative<session_over>(what) || std::holds_alternative<shut_down>(what)) {
      out.push_back(finish{});
    }
  }

 private:
  const duration waits_;
  std::optional<error> verdict_;
};

struct holder final : driver::listener {
  grant held;
  bool finished = false;
  std::stop_token lost;
  std::stop_token at_risk;

  void on_emit(const emit&) override {}
  void on_grant(std::shared_ptr<zkr::detail::grant_state> state) override {
    held = grant(std::move(state));
    lost = held.lost();
    at_risk = held.at_risk();
  }
  void on_wait_ended(const error&) override {}
  void on_finish() override { finished = true; }
};

struct one_grant {
  static constexpr duration timeout = 4s;
  simulation world{{.tick_time = 500ms}};
  simulation::process& process = world.add_process();
  client zk = process.connect({.session_timeout = timeout}).value();
  std::shared_ptr<holder> mine = std::make_shared<holder>();

  one_grant() {
    driver::run(zk, std::make_unique<own_node>(), mine);
    EXPECT_TRUE(world.run_until([&] { return mine->held.held(); }));
  }
  bool node_exists() { return !world.nodes("/own").empty(); }
};

TEST(grant, new_session_gives_it_in_one_round_trip) {
  one_grant at;
  EXPECT_GT(at.mine->held.fencing_token(), 0);
  EXPECT_EQ(at.mine->held.path(), "/own");
  EXPECT_GT(at.mine->held.remaining(), one_grant::timeout / 2);
}

TEST(grant, lasts_as_long_as_heartbeats_are_answered_and_never_warns) {
  one_grant at;
  at.world.run_for(10min);
  EXPECT_TRUE(at.mine->held.held());
  EXPECT_FALSE(at.mine->at_risk.stop_requested());
}

TEST(grant, given_after_a_long_wait_is_renewed_before_its_first_lease_ends) {
  // A candidate that only reads (every T/4) until its turn comes: j may be as old as that when the grant is given.
  for (auto wait = 10s + 0ms; wait < 11s; wait += 37ms) {
    simulation world({.tick_time = 500ms});
    auto zk = world.add_process().connect({.session_timeout = 4s}).value();
    const auto mine = std::make_shared<holder>();
    driver::run(zk, std::make_unique<own_node>(wait), mine);
    ASSERT_TRUE(world.run_until([&] { return mine->held.held(); }));
    world.run_for(10s);
    EXPECT_TRUE(mine->held.held()) << wait.count();
    EXPECT_FALSE(mine->at_risk.stop_requested()) << wait.count();
  }
}

TEST(grant, alarms_that_go_off_while_the_client_ends_find_it_gone) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    simulation world({.seed = seed, .tick_time = 500ms, .late_cancels = 100});
    auto zk = world.add_process().connect({.session_timeout = one_grant::timeout}).value();
    auto mine = std::make_shared<holder>();
    driver::run(zk, std::make_unique<own_node>(), mine);
    ASSERT_TRUE(world.run_until([&] { return mine->held.held(); }));
    world.run_for(5s + seed * 41ms);
    EXPECT_TRUE(mine->held.held());
    EXPECT_FALSE(mine->at_risk.stop_requested());
    if (seed % 2 == 0) mine->held = {};
    zk = client();
    mine.reset();
    world.run_for(10s);
    EXPECT_TRUE(world.nodes("/own").empty());
  }
}

TEST(grant, ends_before_the_server_can_give_it_to_another) {
  one_grant at;
  at.world.run_for(7s);
  at.process.cut();
  time_point ended;
  ASSERT_TRUE(at.world.run_until([&] { return !at.mine->held.held(); }));
  ended = at.world.now();
  EXPECT_TRUE(at.node_exists());
  ASSERT_TRUE(at.world.run_until([&] { return !at.node_exists(); }));
  EXPECT_GE(at.world.now() - ended, one_grant::timeout / 10);  // the margin at least
  EXPECT_TRUE(at.mine->lost.stop_requested());
}

TEST(grant, warns_ahead_of_its_end) {
  one_grant at;
  at.process.cut();
  ASSERT_TRUE(at.world.run_until([&] { return at.mine->at_risk.stop_requested(); }));
  EXPECT_TRUE(at.mine->held.held());
  EXPECT_LE(at.mine->held.remaining(), one_grant::timeout / 10);
  EXPECT_FALSE(at.mine->lost.stop_requested());
  const auto left = at.mine->held.remaining();
  at.world.run_for(left);
  EXPECT_FALSE(at.mine->held.held());
  EXPECT_TRUE(at.mine->lost.stop_requested());
}

TEST(grant, survives_a_reconnect_within_its_lease) {
  one_grant at;
  at.world.run_for(5s);
  at.world.drop_connections(at.process);
  at.world.run_for(1min);
  EXPECT_TRUE(at.mine->held.held());
  EXPECT_FALSE(at.mine->at_risk.stop_requested());
}

TEST(grant, never_comes_back_and_its_node_is_removed_while_the_session_lives) {
  one_grant at;
  at.world.run_for(5s);
  const auto left = at.mine->held.remaining();
  at.process.cut();
  at.world.run_for(left + 1ms);
  EXPECT_FALSE(at.mine->held.held());
  at.process.heal();  // well before the session's own end
  ASSERT_TRUE(at.world.run_until([&] { return at.mine->finished; }));
  EXPECT_EQ(at.zk.session().generation, 1U);
  EXPECT_FALSE(at.node_exists());
  EXPECT_FALSE(at.mine->held.held());
}

TEST(grant, is_lost_at_once_when_the_session_expires) {
  one_grant at;
  at.world.expire_sessions(at.process);
  at.world.run_for(300ms);
  EXPECT_FALSE(at.mine->held.held());
  EXPECT_TRUE(at.mine->lost.stop_requested());
}

TEST(grant, is_lost_when_somebody_removes_its_node) {
  one_grant at;
  auto other = at.world.add_process().connect().value();
  bool removed = false;
  other.async_remove("/own", any_version, [&](result<void> answer) { removed = answer.has_value(); });
  ASSERT_TRUE(at.world.run_until([&] { return removed; }));
  ASSERT_TRUE(at.world.run_until([&] { return at.mine->lost.stop_requested(); }, one_grant::timeout / 4 + 100ms));
  EXPECT_FALSE(at.mine->held.held());
}

TEST(grant, release_removes_the_node_and_ends_it) {
  one_grant at;
  std::optional<result<void>> verdict;
  at.mine->held.async_release([&](result<void> answer) { verdict = std::move(answer); });
  EXPECT_FALSE(at.mine->held.held());
  ASSERT_TRUE(at.world.run_until([&] { return verdict.has_value(); }));
  EXPECT_TRUE(*verdict);
  EXPECT_FALSE(at.node_exists());
  EXPECT_FALSE(at.mine->lost.stop_requested());  // given back, not lost
}

TEST(grant, release_of_an_ended_one_says_so) {
  one_grant at;
  at.world.expire_sessions(at.process);
  at.world.run_for(300ms);
  EXPECT_EQ(at.mine->held.release().error().code(), errc::ownership_lost);
}

TEST(grant, destroying_it_releases_it) {
  one_grant at;
  at.mine->held = {};
  ASSERT_TRUE(at.world.run_until([&] { return !at.node_exists(); }));
}

TEST(grant, only_while_refuses_a_former_holder) {
  one_grant at;
  auto other = at.world.add_process().connect().value();
  std::optional<errc> code;
  const auto guarded = [&] {
    code.reset();
    at.zk.async_commit(
        transaction().only_while(at.mine->held).create("/guarded-", "", {.mode = create_mode::persistent_sequential}),
        [&](result<std::vector<transaction_result>> answer) { code = answer ? errc::ok : answer.error().code(); });
    EXPECT_TRUE(at.world.run_until([&] { return code.has_value(); }));
    return *code;
  };
  EXPECT_EQ(guarded(), errc::ok);
  bool removed = false;
  other.async_remove("/own", any_version, [&](result<void>) { removed = true; });
  ASSERT_TRUE(at.world.run_until([&] { return removed; }));
  EXPECT_EQ(guarded(), errc::ownership_lost);
  EXPECT_EQ(at.world.nodes("/guarded").size(), 1U);
}

TEST(grant, heartbeats_wake_nobody_and_stop_when_nobody_needs_them) {
  one_grant at;
  auto other = at.world.add_process().connect().value();
  int reports = 0;
  const auto watching = other.watch("/own", [&](const node_change&) { ++reports; });
  at.world.run_for(1min);
  EXPECT_EQ(reports, 1);
}

}  // namespace
}  // namespace zkr::testing
