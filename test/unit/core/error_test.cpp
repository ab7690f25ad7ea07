#include <gtest/gtest.h>

#include "zkrecipes/result.hpp"

namespace zkr {
namespace {

TEST(error, says_what_where_and_whether_it_may_have_happened) {
  error why(errc::connection_loss, "set", "/a");
  EXPECT_EQ(why.message(), "set /a: connection_loss (the connection was lost before the reply)");
  why.set_sent(outcome::unknown);
  EXPECT_EQ(why.message(), "set /a: connection_loss (the connection was lost before the reply); outcome unknown");
  EXPECT_EQ(error(static_cast<errc>(-999), "get", "/a").message(), "get /a: error -999 (a code without a name)");
}

TEST(error, every_code_has_a_name_and_a_meaning_of_its_own) {
  for (int code = -130; code <= 14; ++code) {
    const auto one = static_cast<errc>(code);
    if (to_string(one) == "error") continue;
    EXPECT_FALSE(describe(one).empty()) << code;
    for (int other = -130; other < code; ++other) {
      if (to_string(static_cast<errc>(other)) == "error") continue;
      EXPECT_NE(to_string(one), to_string(static_cast<errc>(other)));
    }
  }
  for (const auto code :
       {errc::timed_out, errc::cancelled, errc::closed, errc::session_lost, errc::overloaded, errc::would_deadlock,
        errc::unsupported, errc::invalid_path, errc::invalid_argument, errc::too_large, errc::no_chroot,
        errc::ownership_lost, errc::resolve_failed, errc::io_error}) {
    EXPECT_NE(to_string(code), "error");
  }
}

TEST(result, value_throws_the_exception_that_stands_for_the_error) {
  const auto fail = [](errc code) { return result<int>(error(code)); };
  EXPECT_EQ(result<int>(7).value(), 7);
  EXPECT_THROW((void)fail(errc::no_node).value(), node_exception);
  EXPECT_THROW((void)fail(errc::session_lost).value(), connection_exception);
  EXPECT_THROW((void)fail(errc::timed_out).value(), interrupted_exception);
  EXPECT_THROW((void)fail(errc::invalid_path).value(), usage_exception);
  error doubtful(errc::timed_out);
  doubtful.set_sent(outcome::unknown);
  EXPECT_THROW((void)result<int>(doubtful).value(), in_doubt_exception);
  EXPECT_THROW(result<void>(error(errc::closed)).value(), connection_exception);
  EXPECT_NO_THROW(result<void>().value());
}

TEST(result, chains) {
  const auto half = [](int x) -> result<int> {
    if (x % 2 != 0) return error(errc::invalid_argument);
    return x / 2;
  };
  EXPECT_EQ(*result<int>(8).and_then(half).transform([](int x) { return x + 1; }), 5);
  EXPECT_EQ(result<int>(3).and_then(half).error().code(), errc::invalid_argument);
  EXPECT_EQ(result<int>(error(errc::closed)).value_or(9), 9);
}

}  // namespace
}  // namespace zkr
