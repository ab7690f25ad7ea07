#include "server/event_log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace zkr::testing {
namespace {

using namespace backend;

class event_log_test : public ::testing::Test {
 protected:
  std::vector<std::string> lines;
  event_log log{[this](log_level, const std::string& text) { lines.push_back(text); }, log_level::info};
};

TEST_F(event_log_test, values_cannot_forge) {
  EXPECT_EQ(log_value("/plain-1.0:x"), "/plain-1.0:x");
  EXPECT_EQ(log_value(""), R"("")");
  EXPECT_EQ(log_value("a b"), R"("a b")");
  EXPECT_EQ(log_value("event=x"), R"("event=x")");
  EXPECT_EQ(log_value("\"\\"), R"("\"\\")");
  EXPECT_EQ(log_value("a\nb\r\x1b[2J\x7f"), R"("a\x0ab\x0d\x1b[2J\x7f")");
  EXPECT_EQ(log_value("\u2028\xff"), R"("\xe2\x80\xa8\xff")");
  EXPECT_EQ(log_value(std::string_view("a\0b", 3)), R"("a\x00b")");
}

TEST_F(event_log_test, levels_below_the_least_are_left_out) {
  log.write(log_level::debug, "one", {});
  log.write(log_level::info, "two", {{"a", "1"}, {"b", "2 3"}});
  EXPECT_EQ(lines, std::vector<std::string>{"event=two a=1 b=\"2 3\""});
  EXPECT_FALSE(event_log().takes(log_level::error));
}

TEST_F(event_log_test, warnings_come_seldom_by_kind_and_say_what_was_left_out) {
  for (int i = 0; i < 10; ++i) log.warn_seldom("closed", {{"reason", "x"}, {"client", std::to_string(i)}});
  log.warn_seldom("closed", {{"reason", "y"}, {"client", "1"}});
  log.finish();
  EXPECT_EQ(lines, (std::vector<std::string>{"event=closed reason=x client=0", "event=closed reason=y client=1",
                                             "event=closed reason=x suppressed=9"}));
}

}  // namespace
}  // namespace zkr::testing
