#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "exhaustive/search.hpp"

// Every interleaving of two contenders, with every single fault at every point, against the real server's processor.
namespace zkr::exhaustive {
namespace {

#ifdef NDEBUG
constexpr bool optimised = true;
#else
constexpr bool optimised = false;  // takes the smaller cases
#endif
constexpr std::uint64_t most_states = optimised ? 100'000 : 2'000;

void find_nothing(std::string_view recipe, const search_options& options, std::uint64_t least_states) {
  const auto found = search(subject(recipe), options);
  std::cout << recipe << ": " << found.states << " states, " << found.transitions << " transitions, " << found.ends
            << " ends, longest history " << found.longest << "\n";
  EXPECT_EQ(found.broken, "") << ::testing::PrintToString(found.history);
  EXPECT_TRUE(found.finished || found.states == options.most_states);
  EXPECT_EQ(found.cut_off, 0U);
  EXPECT_GT(found.states, least_states);
}

/// The mutex is leader election's machine with other names in it: the program searches it too.
const auto searched = ::testing::Values("leader_election", "claim_election");

struct Exhaustive : ::testing::TestWithParam<std::string_view> {};

TEST_P(Exhaustive, one_contender_has_no_bad_history) {
  find_nothing(GetParam(), {.contenders = 1, .faults = {.most = optimised ? 2 : 1}}, 1000);
}

TEST_P(Exhaustive, two_contenders_without_faults_have_no_bad_history) { find_nothing(GetParam(), {}, 500); }

INSTANTIATE_TEST_SUITE_P(All, Exhaustive, searched, [](const auto& of) { return std::string(of.param); });

struct ExhaustiveFaults : ::testing::TestWithParam<std::tuple<std::string_view, step::kind>> {};

TEST_P(ExhaustiveFaults, two_contenders_with_the_fault_at_any_point_have_no_bad_history) {
  const auto [recipe, fault] = GetParam();
  // The largest are not searched to their end here: the program exhaustive_search does it.
  find_nothing(recipe, {.faults = {.most = 1, .kinds = {fault}}, .most_states = most_states}, 1000);
}

INSTANTIATE_TEST_SUITE_P(All, ExhaustiveFaults, ::testing::Combine(searched, ::testing::ValuesIn(all_faults)),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param)) + "_" +
                                  std::string(to_string(std::get<1>(of.param)));
                         });

}  // namespace
}  // namespace zkr::exhaustive
