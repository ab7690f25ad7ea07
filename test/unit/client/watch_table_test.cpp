#include "client/watch_table.hpp"

#include <gtest/gtest.h>

namespace zkr::detail {
namespace {

TEST(watch_table, watches_of_owners_that_are_gone_do_not_pile_up) {
  watch_table table;
  const auto kept = std::make_shared<int>();
  table.add(watch_kind::data, "/kept", {.handler = [](const watch_event&) {}, .where = nullptr, .owner = kept});
  table.add(watch_kind::data, "/free", {.handler = [](const watch_event&) {}, .where = nullptr});
  for (int i = 0; i < 10'000; ++i) {
    const auto brief = std::make_shared<int>();
    table.add(watch_kind::child, "/brief-" + std::to_string(i % 3),
              {.handler = [](const watch_event&) {}, .where = nullptr, .owner = brief});
    ASSERT_LE(table.size(), 65u);
  }
  EXPECT_EQ(table.take(wire::event_type::data_changed, "/kept").size(), 1u);
  EXPECT_EQ(table.take(wire::event_type::data_changed, "/free").size(), 1u);
  (void)table.take_all();
  EXPECT_TRUE(table.empty());
}

TEST(watch_table, an_event_takes_the_watches_that_it_fires_and_no_other) {
  watch_table table;
  for (const auto kind : {watch_kind::data, watch_kind::exist, watch_kind::child}) {
    table.add(kind, "/a", {.handler = [](const watch_event&) {}, .where = nullptr});
  }
  EXPECT_EQ(table.take(wire::event_type::created, "/b").size(), 0u);
  EXPECT_EQ(table.take(wire::event_type::children_changed, "/a").size(), 1u);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.take(wire::event_type::data_changed, "/a").size(), 2u);
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace zkr::detail
