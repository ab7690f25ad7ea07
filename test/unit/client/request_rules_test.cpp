#include "client/request_rules.hpp"

#include <gtest/gtest.h>

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest = 1'048'575;

errc code_of(const std::optional<error>& why) { return why ? why->code() : errc::ok; }

TEST(request_rules, path_names_operation_and_place) {
  const auto why = why_refuse_path("get", "relative");
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::invalid_path);
  EXPECT_EQ(why->message(), "get relative: invalid_path (a path starts with '/' at byte 0)");
  EXPECT_EQ(why->outcome(), outcome::not_applied);
  EXPECT_FALSE(why->sent());
}

TEST(request_rules, stem_may_end_in_a_slash_only_where_it_is_sequential) {
  EXPECT_EQ(code_of(why_refuse_create("create", "/a/", 0, {.mode = create_mode::ephemeral_sequential}, largest)),
            errc::ok);
  EXPECT_EQ(code_of(why_refuse_create("create", "/a/", 0, {.mode = create_mode::ephemeral}, largest)),
            errc::invalid_path);
}

TEST(request_rules, ttl_belongs_to_ttl_modes) {
  EXPECT_EQ(code_of(why_refuse_create("create", "/a", 0, {.mode = create_mode::ttl, .ttl = 1ms}, largest)), errc::ok);
  EXPECT_EQ(code_of(why_refuse_create("create", "/a", 0, {.mode = create_mode::ttl}, largest)), errc::invalid_argument);
  EXPECT_EQ(code_of(why_refuse_create("create", "/a", 0, {.mode = create_mode::ttl, .ttl = 1500us}, largest)),
            errc::invalid_argument);
  EXPECT_EQ(code_of(why_refuse_create("create", "/a", 0, {.ttl = 1ms}, largest)), errc::invalid_argument);
}

TEST(request_rules, frame_must_fit) {
  EXPECT_EQ(code_of(why_refuse_write("set", "/a", 1'000'000, largest)), errc::ok);
  EXPECT_EQ(code_of(why_refuse_write("set", "/a", 1'048'575, largest)), errc::too_large);
}

TEST(request_rules, transaction_says_which_operation_is_wrong) {
  transaction writes;
  writes.check("/a").create("/b", "x").set("bad", "y").remove("/d");
  const auto why = why_refuse_transaction(writes, largest);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::invalid_path);
  EXPECT_EQ(why->failed_operation(), 2U);
}

TEST(request_rules, transaction_must_have_operations_that_the_c_library_survives) {
  EXPECT_EQ(code_of(why_refuse_transaction({}, largest)), errc::invalid_argument);
  EXPECT_EQ(code_of(why_refuse_transaction(transaction().create("/c", "", {.mode = create_mode::container}), largest)),
            errc::unsupported);
  EXPECT_EQ(
      code_of(why_refuse_transaction(transaction().create("/c", "", {.mode = create_mode::ttl, .ttl = 1s}), largest)),
      errc::unsupported);
  transaction huge;
  for (int i = 0; i < 11; ++i) huge.set("/a", std::string(100'000, 'x'));
  EXPECT_EQ(code_of(why_refuse_transaction(huge, largest)), errc::too_large);
  EXPECT_EQ(code_of(why_refuse_transaction(transaction().only_while(grant()), largest)), errc::ownership_lost);
}

TEST(request_rules, create_with_stat_counts_both_of_its_operations_and_needs_a_name) {
  transaction many;
  for (int i = 0; i < 1000; ++i) many.create("/" + std::string(900, 'x'));
  EXPECT_EQ(code_of(why_refuse_transaction(many, largest)), errc::ok);
  many = {};
  for (int i = 0; i < 1000; ++i) many.create_with_stat("/" + std::string(900, 'x'));
  EXPECT_EQ(code_of(why_refuse_transaction(many, largest)), errc::too_large);
  EXPECT_EQ(code_of(why_refuse_transaction(transaction().create_with_stat("/a", std::string(1'000'000, 'x')), largest)),
            errc::ok)
      << "the data goes once";
  EXPECT_EQ(code_of(why_refuse_transaction(
                transaction().create_with_stat("/a-", "", {.mode = create_mode::persistent_sequential}), largest)),
            errc::unsupported);
}

}  // namespace
}  // namespace zkr::detail
