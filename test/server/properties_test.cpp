#include "server/properties.hpp"

#include <gtest/gtest.h>

// The syntax of java.util.Properties.
namespace zkr::testing {
namespace {

using backend::parse_properties;
using backend::property;

std::vector<property> list_of(std::string_view text) {
  const backend::properties read = parse_properties(text);
  EXPECT_FALSE(read.bad) << text;
  return read.list;
}

TEST(properties, take_each_line_apart) {
  struct row {
    std::string_view text;
    std::string_view key;
    std::string_view value;
  };
  for (const row& one : {
           row{"a=b", "a", "b"},
           row{"a:b", "a", "b"},
           row{"a b", "a", "b"},
           row{"a = b", "a", "b"},
           row{" \t\fa\t:\f b c ", "a", "b c"},
           row{"a", "a", ""},
           row{"a=", "a", ""},
           row{"=b", "", "b"},
           row{"a==b", "a", "=b"},
           row{"a : = b", "a", "= b"},
           row{"a=b=c:d", "a", "b=c:d"},
           row{"a=b # no comment", "a", "b # no comment"},
           row{R"(a\=\:\ b=c)", "a=: b", "c"},
           row{R"(a=\t\n\\x\y)", "a", "\\xy"},
           row{R"(a=x\ty\nz)", "a", "x\ty\nz"},
           row{R"(\u0061=\u00fc\u20aC\ud83d\ude00)", "a", "ü€😀"},
           row{"a=ü", "a", "ü"},
           row{"a=b\\\nc", "a", "bc"},
           row{"a=b\\\r\n  \t c", "a", "bc"},
           row{"a\\\n=\\\nb", "a", "b"},
           row{"a=b\\\n#c", "a", "b#c"},
           row{"a=b\\\\", "a", "b\\"},
           row{"a=b\\", "a", "b"},
           row{"a=b\\\n", "a", "b"},
       }) {
    const auto list = list_of(one.text);
    ASSERT_EQ(list.size(), 1U) << one.text;
    EXPECT_EQ(list[0].key, one.key) << one.text;
    EXPECT_EQ(list[0].value, one.value) << one.text;
    EXPECT_EQ(list[0].line, 1);
  }
}

TEST(properties, know_their_lines) {
  EXPECT_EQ(list_of("# c\n\na=1\r\nb=2\r! c \\\n  c=\\\n   3\n\n \t\nd=4"),
            (std::vector<property>{{"a", "1", 3}, {"b", "2", 4}, {"c", "3", 6}, {"d", "4", 10}}));
  EXPECT_EQ(list_of("a=1\na=2"), (std::vector<property>{{"a", "1", 1}, {"a", "2", 2}}));
  EXPECT_TRUE(list_of("").empty());
  EXPECT_TRUE(list_of("\n# only\n!this").empty());
  EXPECT_TRUE(list_of("\\\n\\\n").empty());
}

TEST(properties, name_the_line_that_cannot_be_read) {
  for (const std::string_view bad : {R"(b=\u12)", R"(b=\u12g4)", R"(b=\u)", R"(\uzzzz=b)", R"(b=\ud83d)", R"(b=\ude00)",
                                     R"(b=\ud83d\u0041)", R"(b=\u0000)", R"(b=\u-123)"}) {
    const auto read = parse_properties("a=1\n" + std::string(bad) + "\nc=3");
    ASSERT_TRUE(read.bad) << bad;
    EXPECT_EQ(read.bad->line, 2) << bad;
    EXPECT_EQ(read.list, (std::vector<property>{{"a", "1", 1}}));
  }
  EXPECT_TRUE(parse_properties(std::string_view("a=\0", 3)).bad);
}

TEST(properties, come_back_as_they_were_written) {
  for (const std::string_view value : {"", "x", "a b", "\\", "a\\", "=:#!", "x\ty\nz\r\fü", "a=b"}) {
    const auto list = list_of(backend::format_property("key", value));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].value, value);
  }
}

TEST(properties, nul_characters_are_refused_also_behind_a_backslash) {
  using std::string_literals::operator""s;
  for (const std::string& text : {"a=\0"s, "a=b\\\0"s, "a=\\u0000"s}) {
    ASSERT_TRUE(parse_properties(text).bad) << text;
    EXPECT_EQ(parse_properties(text).bad->what, "there is a NUL character");
  }
}

}  // namespace
}  // namespace zkr::testing
