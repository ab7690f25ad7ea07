#include "cli/member_table.hpp"

#include <gtest/gtest.h>

namespace zkr::cli {
namespace {

using testing::member_role;
using testing::member_status;

member_status member(const char* address, member_role role, std::int64_t zxid = 0) {
  return {.address = address, .role = role, .version = "3.8.0", .zxid = zxid, .connections = 2, .nodes = 7};
}

std::string last_line(const std::vector<member_status>& members) {
  const std::string text = member_table(members);
  const auto start = text.rfind('\n', text.size() - 2) + 1;
  return text.substr(start, text.size() - start - 1);
}

TEST(member_table, has_a_line_for_each_and_a_verdict) {
  auto dead = member("c:2181", member_role::unreachable);
  dead.problem = "Connection refused";
  EXPECT_EQ(member_table({member("a:2181", member_role::leader, 0x2'0000'0007),
                          member("b:2181", member_role::follower, 0x2'0000'0004), dead}),
            "MEMBER  ROLE                       ZXID     LAG  CONNECTIONS     NODES\n"
            "a:2181  leader              0x200000007       -            2         7\n"
            "b:2181  follower            0x200000004       3            2         7\n"
            "c:2181  unreachable  Connection refused\n"
            "quorum: 2 of 3 serve; a:2181 leads; one more failure stops the service\n");
}

TEST(member_table, lag_counts_from_the_leaders_epoch) {
  const auto all =
      member_json({member("a", member_role::leader, 0x3'0000'0002), member("b", member_role::follower, 0x2'0000'0ffff),
                   member("c", member_role::not_serving)});
  EXPECT_EQ(all["members"][1]["lag"], 2);
  EXPECT_FALSE(all["members"][0].contains("lag"));
  EXPECT_FALSE(all["members"][2].contains("zxid"));
  EXPECT_EQ(all["leader"], "a");
}

TEST(member_table, verdicts) {
  const auto leader = member("l", member_role::leader, 1);
  const auto follower = member("f", member_role::follower, 1);
  const auto down = member("d", member_role::unreachable);
  const auto lost = member("n", member_role::not_serving);
  EXPECT_EQ(last_line({leader, follower, follower}), "quorum: all 3 serve; l leads");
  EXPECT_EQ(last_line({leader, follower, follower, follower, down}), "quorum: 4 of 5 serve; l leads; 1 more may fail");
  EXPECT_EQ(last_line({lost, down, down}), "no quorum: none of 3 serves; 2 must be up and reach each other");
  EXPECT_EQ(last_line({lost, down, down, lost}), "no quorum: none of 4 serves; 3 must be up and reach each other");
  EXPECT_EQ(last_line({member("s", member_role::standalone)}), "a standalone server");
  EXPECT_EQ(last_line({follower}), "no leader among these 1; are all members named?");
  EXPECT_EQ(last_line({leader, member("m", member_role::leader, 2), follower}),
            "2 leaders: one of them was cut off and has not noticed yet; ask again");
}

TEST(member_table, of_two_leaders_the_one_of_the_later_epoch_counts) {
  const auto both = testing::judge(
      {member("old", member_role::leader, 0x1'0000'0005), member("new", member_role::leader, 0x2'0000'0000)});
  EXPECT_EQ(both.leader, 1U);
  EXPECT_FALSE(both.complete(2));
}

TEST(member_table, foreign_text_cannot_steer_the_terminal) {
  auto odd = member("a", member_role::unknown);
  odd.problem = "\x1b[2J";
  EXPECT_EQ(member_table({odd}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace zkr::cli
