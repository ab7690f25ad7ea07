#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "client/grant_state.hpp"
#include "core/virtual_scheduler.hpp"
#include "testing/exploration/referee.hpp"
#include "testing/exploration/subjects.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/recipes/mutex.hpp"

namespace zkr::testing {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

// ---- the recipes ----------------------------------------------------------------------------------------------------

class ExplorationOf : public ::testing::TestWithParam<exploration_subject> {};

TEST_P(ExplorationOf, keeps_every_promise) {
  std::size_t grants = 0;
  std::size_t overlaps = 0;
  std::array<std::size_t, step_kinds> done{};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const auto run = play(GetParam(), draw_schedule(seed));
    grants += run.grants;
    overlaps += run.overlaps;
    for (std::size_t i = 0; i < step_kinds; ++i) done[i] += run.done[i];
    ASSERT_FALSE(run.violated) << run.violated->invariant << ": " << run.violated->text << '\n' << timeline(run);
  }
  EXPECT_GT(grants, 300U * 4);
  EXPECT_GT(overlaps, 0U) << "outside of the assumptions two hold now and then";
  for (std::size_t i = 0; i < step_kinds; ++i) {
    EXPECT_GT(done[i], 20U) << to_string(static_cast<step_kind>(i));
  }
}

TEST_P(ExplorationOf, the_same_seed_gives_the_same_history) {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto first = play(GetParam(), draw_schedule(seed));
    const auto again = play(GetParam(), draw_schedule(seed));
    EXPECT_EQ(timeline(first), timeline(again));
    EXPECT_EQ(first.history, again.history);
    digests.insert(digest(first));
  }
  EXPECT_EQ(digests.size(), 20U);
}

INSTANTIATE_TEST_SUITE_P(Recipes, ExplorationOf, ::testing::ValuesIn(own_subjects()),
                         [](const auto& of) { return of.param.name; });

/// Beyond the seeds that every run plays.
TEST(Exploration, seeds_that_once_broke_a_promise) {
  constexpr std::array seeds = {
      4041U,  6471U,  12651U,  // two leaders of one epoch, and the servers differ
      5826U,  10527U, 11238U,  // a sync that a deposed leader answers, and a node stays behind
      13803U, 16416U           // the same where a leader has not applied yet what it has proposed
  };
  for (const auto& recipe : own_subjects()) {
    for (const auto seed : seeds) {
      const auto run = play(recipe, draw_schedule(seed));
      EXPECT_FALSE(run.violated) << recipe.name << ": " << timeline(run);
    }
  }
}

TEST(Exploration, of_a_recipe_of_ones_own) {
  std::size_t runs = 0;
  // sample own_recipe
  const exploration_subject jobs{
      .name = "jobs",
      .acquire =
          [](const operations& client, const std::string& id, handler<grant> done, call_options wait) {
            mutex(client, {.path = "/jobs", .id = id})
                .async_acquire(
                    [done = std::move(done)](result<held_lock> got) mutable {
                      if (!got) return done(std::move(got).error());
                      done(grant(std::move(*got)));
                    },
                    std::move(wait));
          },
      .own_nodes = {"/jobs/"}};

  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto run = play(jobs, draw_schedule(seed));
    ++runs;
    if (!run.violated) continue;
    const auto least = shrink(jobs, run.schedule, run.violated->invariant);
    FAIL() << timeline(play(jobs, least));
  }
  // end
  EXPECT_EQ(runs, 20U);
}

// ---- broken ones ----------------------------------------------------------------------------------------------------

/// The real election, whose deadlines are forgotten.
exploration_subject patient_for_ever() {
  auto broken = leader_election_subject();
  broken.acquire = [real = broken.acquire](const operations& client, const std::string& id, handler<grant> done,
                                           call_options wait) {
    wait.timeout.reset();
    real(client, id, std::move(done), std::move(wait));
  };
  return broken;
}

/// The real election, whose holders never notice that they have lost it.
exploration_subject believer() {
  auto broken = leader_election_subject();
  broken.acquire = [real = broken.acquire](const operations& client, const std::string& id, handler<grant> done,
                                           call_options wait) {
    auto believe = [client, done = std::move(done)](result<grant> won) mutable {
      if (!won) return done(std::move(won).error());
      static detail::virtual_scheduler no_clock;
      auto for_ever = std::make_shared<detail::lease_cell>();
      for_ever->valid_until = no_deadline;
      detail::grant_state::origin from{
          .path = won->path(), .fencing_token = won->fencing_token(), .check_path = won->path()};
      auto release = [kept = std::make_shared<grant>(*std::move(won))](handler<void> released) {
        kept->async_release(std::move(released));
      };
      done(grant(std::make_shared<detail::grant_state>(std::move(from), client, no_clock, std::move(for_ever), 1,
                                                       std::move(release))));
    };
    real(client, id, std::move(believe), std::move(wait));
  };
  return broken;
}

/// What a run without a single fault finds wrong with the election where its parts are these.
std::string_view wrong_with(const decltype(exploration_subject::acquire)& acquire,
                            const decltype(exploration_subject::observe)& observe = {}) {
  auto broken = leader_election_subject();
  broken.acquire = acquire;
  broken.observe = observe;
  const auto run = play(broken, {.contenders = 2});
  return run.violated ? run.violated->invariant : "nothing";
}

TEST(Player, sees_what_is_wrong_without_any_fault) {
  const auto real = leader_election_subject();
  EXPECT_EQ(wrong_with(real.acquire, real.observe), "nothing");
  EXPECT_EQ(wrong_with(real.acquire, [](const operations&, const auto&) { return subscription(); }), "convergence");
  EXPECT_EQ(wrong_with([](const operations&, const std::string&, const handler<grant>&, const call_options&) {}),
            "recovery");
  EXPECT_EQ(wrong_with([](const operations&, const std::string&, handler<grant> done, const call_options&) {
              done(error(errc::cancelled));
              done(error(errc::cancelled));
            }),
            "one answer");
  EXPECT_EQ(wrong_with([&](operations client, const std::string& id, handler<grant> done, call_options wait) {
              real.acquire(
                  client, id,
                  [client, done = std::move(done)](result<grant> won) mutable {
                    client.async_create("/e/left", {}, {}, [](const result<created>&) {});
                    done(std::move(won));
                  },
                  std::move(wait));
            }),
            "nothing is left");
}

/// The first run from seed 1 on that violates something, inside of the assumptions.
std::optional<exploration_run> first_violation(const exploration_subject& of) {
  for (std::uint64_t seed = 1; seed < 400; seed += 2) {
    auto run = play(of, draw_schedule(seed));
    if (run.violated) return run;
  }
  return std::nullopt;
}

/// Whether no step can be left out.
bool is_least(const exploration_subject& of, const exploration_schedule& schedule, std::string_view invariant) {
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    auto without = schedule;
    without.steps.erase(without.steps.begin() + static_cast<std::ptrdiff_t>(i));
    const auto run = play(of, without);
    if (run.violated && run.violated->invariant == invariant) return false;
  }
  return true;
}

TEST(Shrinking, leaves_the_wait_whose_deadline_is_forgotten) {
  const auto subject = patient_for_ever();
  const auto found = first_violation(subject);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->violated->invariant, "answers on time");
  const auto least = shrink(subject, found->schedule, found->violated->invariant);
  // The wait, and at most two steps that make it last.
  EXPECT_LE(least.steps.size(), 3U) << timeline(play(subject, least));
  EXPECT_TRUE(std::any_of(least.steps.begin(), least.steps.end(),
                          [](const step& one) { return one.kind == step_kind::acquire && one.span > 0s; }));
  EXPECT_TRUE(is_least(subject, least, found->violated->invariant));
}

TEST(Shrinking, leaves_what_makes_two_hold_where_a_loss_is_not_noticed) {
  const auto subject = believer();
  const auto found = first_violation(subject);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->violated->invariant, "one holder");
  const auto least = shrink(subject, found->schedule, found->violated->invariant);
  const auto run = play(subject, least);
  ASSERT_TRUE(run.violated);
  EXPECT_LE(least.steps.size(), 4U) << timeline(run);
  EXPECT_TRUE(is_least(subject, least, found->violated->invariant));
  EXPECT_THAT(timeline(run), HasSubstr("VIOLATED: one holder: 2 hold at once"));
}

TEST(Shrinking, stops_after_the_runs_that_it_may_use) {
  const auto subject = patient_for_ever();
  const auto found = first_violation(subject);
  ASSERT_TRUE(found);
  EXPECT_EQ(shrink(subject, found->schedule, found->violated->invariant, {}, 0).steps, found->schedule.steps);
}

// ---- the rules ------------------------------------------------------------------------------------------------------

std::string_view verdict(const referee& of) { return of.violated() ? of.violated()->invariant : "none"; }

TEST(Referee, two_holders_are_a_violation_inside_and_counted_outside) {
  referee inside(regime::inside);
  EXPECT_FALSE(inside.held_now(1));
  EXPECT_TRUE(inside.held_now(2));
  EXPECT_EQ(verdict(inside), "one holder");
  referee outside(regime::outside);
  EXPECT_TRUE(outside.held_now(2));
  EXPECT_FALSE(outside.held_now(2)) << "the same two";
  EXPECT_EQ(verdict(outside), "none");
}

TEST(Referee, tokens_grow) {
  for (const auto where : {regime::inside, regime::outside}) {
    referee one(where);
    const auto first = one.began();
    one.given(first, 7, true);
    const auto second = one.began();
    one.given(second, 6, false);
    EXPECT_EQ(verdict(one), "tokens grow") << "the acquisition began after 7 was handed out";

    referee twice(where);
    const auto a = twice.began();
    const auto b = twice.began();
    twice.given(a, 7, true);
    twice.given(b, 7, false);
    EXPECT_EQ(verdict(twice), "tokens grow");
  }
  referee late(regime::outside);
  const auto a = late.began();
  const auto b = late.began();
  late.given(b, 8, true);
  late.given(a, 7, true);
  EXPECT_EQ(verdict(late), "none") << "handed out late, outside";
}

TEST(Referee, a_wiped_server_begins_anew) {
  referee one(regime::outside);
  one.given(one.began(), 700, true);
  one.wiped();
  one.given(one.began(), 3, true);
  EXPECT_EQ(verdict(one), "none");
}

TEST(Referee, an_ended_grant_never_comes_back) {
  referee one(regime::outside);
  one.ended_grant(7, false);
  EXPECT_EQ(verdict(one), "none");
  one.ended_grant(7, true);
  EXPECT_EQ(verdict(one), "ended is ended");
}

TEST(Referee, no_guarded_write_lands_after_one_of_a_newer_grant) {
  referee one(regime::outside);
  one.landed({7, 7, 9, 12});
  EXPECT_EQ(verdict(one), "none");
  one.landed({7, 9, 7});
  EXPECT_EQ(verdict(one), "only_while");
}

TEST(Referee, a_holder_writes_elsewhere_before_its_successor) {
  referee one(regime::inside);
  one.used(7);
  one.used(9);
  EXPECT_EQ(verdict(one), "none");
  one.used(7);
  EXPECT_EQ(verdict(one), "one holder");
}

TEST(Referee, every_call_ends_exactly_once) {
  referee twice(regime::outside);
  const auto call = twice.began();
  twice.answered(call);
  twice.finished();
  EXPECT_EQ(verdict(twice), "none");
  twice.answered(call);
  EXPECT_EQ(verdict(twice), "one answer");

  referee never(regime::outside);
  const auto lost = never.began();
  auto forgiven = never;
  forgiven.forgive(lost);
  forgiven.finished();
  EXPECT_EQ(verdict(forgiven), "none") << "of a dead process";
  never.finished();
  EXPECT_EQ(verdict(never), "one answer");
}

// ---- what is shown --------------------------------------------------------------------------------------------------

exploration_run a_short_one() {
  exploration_schedule schedule{.contenders = 2};
  schedule.steps = {{.at = 100ms, .kind = step_kind::acquire, .whom = 0},
                    {.at = 200ms, .kind = step_kind::acquire, .whom = 1},
                    {.at = 250ms, .kind = step_kind::release, .whom = 1},
                    {.at = 300ms, .kind = step_kind::cut, .whom = 0, .span = 6s}};
  return play(leader_election_subject(), schedule);
}

TEST(Timeline, tells_what_happened_in_order) {
  const auto run = a_short_one();
  EXPECT_FALSE(run.violated);
  std::vector<std::string> told;
  std::string line;
  for (std::istringstream lines(timeline(run)); std::getline(lines, line);) {
    if (line.find("session") == std::string::npos || told.empty()) told.push_back(line.substr(told.empty() ? 0 : 16));
  }
  told.resize(11);
  EXPECT_THAT(told,
              ::testing::ElementsAre("seed 1, inside of the assumptions, 2 contenders, 1 server, session time-out 4 s",
                                     "a  sees no holder", "a  * acquire", "a  acquisition 0 begins",
                                     "a  acquisition 0 gives a grant, token 6", "a  sees a holder, token 6",
                                     "b  * acquire", "b  acquisition 1 begins", "a  * no network for 6.000 s",
                                     "a  holds no more, token 6", "b  acquisition 1 gives a grant, token 7"))
      << "the release by one who holds nothing is none";
}

TEST(Picture, has_a_lane_for_the_servers_of_an_ensemble) {
  exploration_schedule schedule{.contenders = 2, .world = {.servers = 3}};
  schedule.steps = {{.at = 2s, .kind = step_kind::kill_server, .whom = 1, .span = 1s},
                    {.at = 3s, .kind = step_kind::stall_server, .whom = 7, .span = 1s}};
  const auto run = play(leader_election_subject(), schedule);
  EXPECT_FALSE(run.violated);
  EXPECT_THAT(timeline(run), HasSubstr("* server 1 is killed for 1.000 s"));
  EXPECT_THAT(timeline(run), ::testing::Not(HasSubstr("server 7"))) << "there is none";
  EXPECT_THAT(picture(run), HasSubstr("y=\"187\" font-size=\"8\" fill=\"#d9534f\">kill_server<"))
      << "below both contenders";
}

TEST(Picture, has_a_lane_a_contender_bars_and_marks) {
  const auto text = picture(a_short_one());
  EXPECT_THAT(text, ::testing::StartsWith("<svg "));
  EXPECT_THAT(text, ::testing::EndsWith("</svg>\n"));
  EXPECT_THAT(text, HasSubstr(">a</text>"));
  EXPECT_THAT(text, HasSubstr(">b</text>"));
  EXPECT_THAT(text, HasSubstr("<title>grant, token 6</title>"));
  EXPECT_THAT(text, HasSubstr("<title>no network for 6.000 s</title>"));
  EXPECT_THAT(text, HasSubstr("no more faults"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("violated")));
}

}  // namespace
}  // namespace zkr::testing
