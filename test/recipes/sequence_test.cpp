#include <gtest/gtest.h>

#include <limits>

#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes {
namespace {

constexpr auto most = std::numeric_limits<std::int32_t>::max();
constexpr auto least = std::numeric_limits<std::int32_t>::min();

TEST(sequence, is_the_number_that_the_server_appends) {
  EXPECT_EQ(parse_sequence("latch-0000000007", "latch-"), 7);
  EXPECT_EQ(parse_sequence("_c_0b1c-latch-2147483647", "latch-"), most);
  EXPECT_EQ(parse_sequence("latch--2147483648", "latch-"), least);
  EXPECT_EQ(parse_sequence("latch--1000000000", "latch-"), -1000000000);
  EXPECT_EQ(parse_sequence("latch--999999999", "latch-"), -999999999);
  EXPECT_EQ(parse_sequence("latch--000000001", "latch-"), -1);
  EXPECT_EQ(parse_sequence("0000000012", ""), 12);
}

TEST(sequence, stands_after_the_last_marker) {
  EXPECT_EQ(parse_sequence("latch-0000000001latch-0000000002", "latch-"), 2);
  EXPECT_EQ(parse_sequence("_c_latch-x-lock-0000000002", "latch-"), std::nullopt);
}

TEST(sequence, is_nothing_that_the_server_would_not_write) {
  for (const auto* name :
       {"", "latch", "latch-", "latch-7", "latch-00000000007", "latch-+000000007", "latch- 000000007",
        "latch-000000000x", "latch-0000000007 ", "latch-2147483648", "latch--2147483649", "latch--0000000001",
        "latch--00000001", "lock-0000000007", "0000000007"}) {
    EXPECT_EQ(parse_sequence(name, "latch-"), std::nullopt) << name;
  }
}

TEST(sequence, order_goes_right_across_the_overflow) {
  EXPECT_TRUE(sequence_before(1, 2));
  EXPECT_FALSE(sequence_before(2, 1));
  EXPECT_FALSE(sequence_before(2, 2));
  EXPECT_TRUE(sequence_before(most, least));
  EXPECT_FALSE(sequence_before(least, most));
  EXPECT_TRUE(sequence_before(-1, 0));
}

TEST(sequence, contenders_are_sorted_and_others_named) {
  const auto list =
      sort_contenders({"a-latch--2147483648", "x", "b-latch-2147483647", "c-latch--2147483647", "d"}, {"latch-"});
  ASSERT_EQ(list.ordered.size(), 3U);
  EXPECT_EQ(list.ordered[0].name, "b-latch-2147483647");
  EXPECT_EQ(list.ordered[1].name, "a-latch--2147483648");
  EXPECT_EQ(list.ordered[2].sequence, least + 1);
  EXPECT_EQ(list.unknown, (std::vector<std::string>{"d", "x"}));
}

TEST(sequence, contenders_of_several_recipes_share_one_order) {
  const std::vector<std::string> names = {"f3__lock__0000000003", "_c_a-lock-0000000002", "x-rlock-0000000001"};
  const auto list = sort_contenders(names, {"-lock-", "__lock__"});
  ASSERT_EQ(list.ordered.size(), 2U);
  EXPECT_EQ(list.ordered[0].name, names[1]);
  EXPECT_EQ(list.ordered[1].name, names[0]);
  EXPECT_EQ(list.unknown, (std::vector<std::string>{names[2]}));
}

TEST(sequence, sorting_survives_any_names) {
  // Further apart than any counter goes: no order is right, but it is one, whoever asks.
  std::vector<std::string> names;
  for (const auto* number : {"0000000000", "1073741824", "2147483647", "-1073741824", "-2147483648", "0000000000"}) {
    for (const auto* who : {"a", "b"}) names.push_back(std::string(who) + "-latch-" + number);
  }
  const auto list = sort_contenders(names, {"latch-"});
  EXPECT_EQ(list.ordered.size(), names.size());
  EXPECT_TRUE(sort_contenders({}, {"latch-"}).ordered.empty());
}

TEST(sequence, protected_names_are_curators) {
  EXPECT_EQ(protected_name("3f1b0c9e-8a52-4a5e-9f0e-5d1f3c2b7a10", "latch-"),
            "_c_3f1b0c9e-8a52-4a5e-9f0e-5d1f3c2b7a10-latch-");
}

}  // namespace
}  // namespace zkr::recipes
