#include "cli/text.hpp"

#include <gtest/gtest.h>

namespace zkr::cli {
namespace {

using namespace std::chrono_literals;

TEST(text, durations_need_a_unit_and_nothing_else) {
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

TEST(text, durations_are_written_in_the_largest_exact_unit) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(10s), "10s");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(3600s), "1h");
  EXPECT_EQ(format_duration(7ns), "7ns");
}

TEST(text, foreign_text_cannot_steer_a_terminal) {
  EXPECT_EQ(printable("plain, with spaces"), "plain, with spaces");
  EXPECT_EQ(printable("\x1b[2J\n\t\x7f"), "\\x1b[2J\\x0a\\x09\\x7f");
  EXPECT_EQ(printable(std::string_view("\0a", 2)), "\\x00a");
  EXPECT_EQ(printable("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");                             // C1 control: CSI
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");                             // no UTF-8
  EXPECT_EQ(printable("\xc0\xaf\xe0\x80\x80"), "\\xc0\\xaf\\xe0\\x80\\x80");  // overlong
}

}  // namespace
}  // namespace zkr::cli
