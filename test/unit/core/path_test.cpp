#include "zkrecipes/path.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "zkrecipes/acl.hpp"

namespace zkr {
namespace {

TEST(path, takes_what_apache_takes) {
  for (const auto* good :
       {"/", "/a", "/a/b", "/a.", "/..a", "/a b", "/\xC2\xA0", "/\xE4\xB8\xAD\xE6\x96\x87", "/a/.b"}) {
    EXPECT_TRUE(check_path(good)) << good;
  }
}

TEST(path, refuses_what_apache_refuses) {
  using namespace std::string_view_literals;
  for (const auto bad : {""sv, "a"sv, "/a/"sv, "//"sv, "/a//b"sv, "/."sv, "/a/.."sv, "/a/./b"sv, "/\0"sv, "/a\x1f"sv,
                         "/\x7f"sv, "/\xC2\x85"sv, "/\xEE\x80\x80"sv, "/\xEF\xBF\xB0"sv, "/\xF0\x9F\x98\x80"sv,
                         "/\xFF"sv, "/\xC0\x80"sv, "/\xE4\xB8"sv, "/\xED\xA0\x80"sv}) {
    EXPECT_FALSE(check_path(bad)) << bad;
  }
}

TEST(path, sequential_stem_may_end_in_a_slash_but_not_in_two) {
  EXPECT_TRUE(check_path("/a/", path_kind::sequential_stem));
  EXPECT_TRUE(check_path("/a", path_kind::sequential_stem));
  EXPECT_FALSE(check_path("/a//", path_kind::sequential_stem));
}

TEST(path, parts) {
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/"), "");
  EXPECT_EQ(node_name("/a/b"), "b");
  EXPECT_EQ(node_name("/"), "");
  EXPECT_EQ(join_path("/", "a"), "/a");
  EXPECT_EQ(join_path("/a", "b"), "/a/b");
}

RC_GTEST_PROP(path, never_reads_past_its_bytes, (const std::string& any)) { (void)check_path(any); }

TEST(acl, digest_is_apaches) {
  // DigestAuthenticationProvider's own example.
  EXPECT_EQ(digest_id("super", "test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
  EXPECT_EQ(digest_id("super:test"), digest_id("super", "test"));
  EXPECT_EQ(digest_id("no-colon").substr(0, 9), "no-colon:");
}

}  // namespace
}  // namespace zkr
