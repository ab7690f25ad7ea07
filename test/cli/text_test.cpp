#include "cli/text.hpp"

#include <gtest/gtest.h>

namespace zkr::cli {
namespace {

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
