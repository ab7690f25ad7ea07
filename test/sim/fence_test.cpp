#include <gtest/gtest.h>

#include "sim/ensemble_world.hpp"
#include "zkrecipes/idempotent.hpp"
#include "zkrecipes/recipes/mutex.hpp"

// What became of a write whose reply was lost, where the client comes back to a leader that has not applied it yet. That one
// answers a sync of its own clients at once.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

/// A client of a follower, whose next reply is lost, and then of the leader, which is late from now on.
struct late_leader {
  ensemble_world at;  // some seeds begin at the leader
  member_client one{at.world, at.follower()};

  explicit late_leader(std::uint64_t seed) : at(seed) {
    one.process.use_servers({at.follower(), at.leader()});
    one.zk = one.process.connect({.session_timeout = 4s}).value();
    EXPECT_TRUE(at.wait_until([&] { return one.zk.session().state == session_state::connected; }));
    EXPECT_TRUE(one.create("/lock", {.mode = create_mode::container}));
    at.world.run_for(10ms);
    at.world.lag_server(at.leader(), 300ms);
    at.world.lose_next_reply(one.process);
  }
  [[nodiscard]] std::vector<std::string> contenders() const { return at.world.nodes("/lock/_c_"); }
};

TEST(sim_fence, lost_create_is_found_on_a_leader_that_is_late) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    late_leader in(seed);
    const auto answer = in.one.begin<created>([&](auto done) {
      async_idempotent_create(in.one.zk, "/lock/job-", {}, {.mode = create_mode::ephemeral_sequential},
                              std::move(done));
    });
    const auto made = in.one.end(answer);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(in.one.zk.session().connection, 2U);
    in.at.world.run_for(1s);
    EXPECT_EQ(in.contenders(), std::vector{made->path});
  }
}

TEST(sim_fence, withdrawn_acquisition_leaves_nothing_on_a_leader_that_is_late) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    late_leader in(seed);
    mutex lock(in.one.zk, {.path = "/lock", .id = "one"});
    std::optional<errc> ended;
    lock.async_acquire([&](const result<held_lock>& got) { ended = got ? errc::ok : got.error().code(); },
                       {.timeout = 20ms});
    ASSERT_TRUE(in.at.wait_until([&] { return ended.has_value(); }));
    EXPECT_EQ(*ended, errc::timed_out);
    ASSERT_TRUE(in.at.wait_until([&] { return !in.contenders().empty(); }));
    EXPECT_TRUE(in.at.wait_until([&] { return in.contenders().empty(); }, 2s));
    EXPECT_EQ(in.one.zk.session().state, session_state::connected);
  }
}

}  // namespace
}  // namespace zkr::testing
