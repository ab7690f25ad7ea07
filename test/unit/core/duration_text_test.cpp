#include "core/duration_text.hpp"

#include <gtest/gtest.h>

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

TEST(duration_text, needs_a_unit_and_nothing_else) {
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("7us"), 7us);
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("9223372036s"), 9223372036s);
  for (const auto* bad : {"", "10", "s", "10 s", " 10s", "10s ", "10S", "1.5s", "-1s", "+1s", "1m30s", "10sec", "0x10s",
                          "99999999999999999999s", "9223372037s", "3000000h"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << '\'' << bad << '\'';
  }
}

TEST(duration_text, is_written_in_the_largest_exact_unit) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(10s), "10s");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(3600s), "1h");
  EXPECT_EQ(format_duration(7ns), "7ns");
}

}  // namespace
}  // namespace zkr::detail
