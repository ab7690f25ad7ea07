#include "transport/zk_log.hpp"

#include <gtest/gtest.h>

#include "core/virtual_scheduler.hpp"

namespace zkr::transport {
namespace {

using namespace std::chrono_literals;

TEST(parse_log_line, takes_level_and_text) {
  const auto warning = parse_log_line("2026-01-02 03:04:05,678:99(0x7f01):ZOO_WARN@do_io@380: Delaying: \"a:b\"\n");
  EXPECT_EQ(warning.level, 4);
  EXPECT_EQ(warning.text, "Delaying: \"a:b\"");
  EXPECT_EQ(parse_log_line("x:ZOO_ERROR@f@1: bad").level, 3);
  EXPECT_EQ(parse_log_line("x:ZOO_INFO@f@1: so").level, 6);
  EXPECT_EQ(parse_log_line("x:ZOO_DEBUG@f@1: so").level, 7);
}

TEST(parse_log_line, keeps_what_it_does_not_know) {
  for (const auto* line : {"", "no mark", ":ZOO_", ":ZOO_WARN", ":ZOO_WARN@f", "ZOO_WARN@f@1: x"}) {
    EXPECT_EQ(parse_log_line(line).level, 6) << line;
    EXPECT_EQ(parse_log_line(line).text, line);
  }
}

TEST(log_queue, lets_a_burst_pass_then_few_and_tells_how_many_were_dropped) {
  detail::virtual_scheduler clock;
  log_queue queue(clock);
  int notified = 0;
  queue.on_first([&] { ++notified; });
  for (std::size_t i = 0; i < log_queue::burst + 30; ++i) queue.push({3, "storm"});
  EXPECT_EQ(notified, 1);
  auto lines = queue.take();
  ASSERT_EQ(lines.size(), log_queue::burst + 1);
  EXPECT_EQ(lines.back().text, "lines of the C library's log that were dropped: 30");
  EXPECT_TRUE(queue.take().empty());

  clock.run_for(log_queue::refill);
  queue.push({3, "passes"});
  queue.push({3, "does not"});
  EXPECT_EQ(notified, 2);
  lines = queue.take();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "passes");
  EXPECT_EQ(lines[1].text, "lines of the C library's log that were dropped: 1");

  clock.run_for(24h);
  for (std::size_t i = 0; i < log_queue::burst + 1; ++i) queue.push({3, "storm"});
  EXPECT_EQ(queue.take().size(), log_queue::burst + 1);
}

TEST(log_channel, gives_each_handle_a_function_of_its_own) {
  detail::virtual_scheduler clock;
  const auto first = std::make_shared<log_queue>(clock);
  const auto second = std::make_shared<log_queue>(clock);
  log_channel one(first);
  const log_channel two(second);
  EXPECT_NE(one.callback(), two.callback());
  one.callback()("x:ZOO_WARN@f@1: to the first");
  two.callback()("x:ZOO_WARN@f@1: to the second");
  EXPECT_EQ(first->take().at(0).text, "to the first");
  EXPECT_EQ(second->take().at(0).text, "to the second");

  const auto callback = one.callback();
  one = log_channel();
  callback("x:ZOO_WARN@f@1: to nobody");
  EXPECT_TRUE(first->take().empty());
  const log_channel again(first);
  EXPECT_EQ(again.callback(), callback);
}

TEST(log_channel, is_silent_where_there_are_no_functions_left) {
  detail::virtual_scheduler clock;
  const auto queue = std::make_shared<log_queue>(clock);
  std::vector<log_channel> many;
  for (int i = 0; i < 200; ++i) many.emplace_back(queue);
  many.back().callback()("lost");
  EXPECT_TRUE(queue->take().empty());
}

}  // namespace
}  // namespace zkr::transport
