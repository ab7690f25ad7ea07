#include "server/node_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "server/tree.hpp"

namespace zkr::testing {
namespace {

using backend::node;
using backend::node_table;

TEST(node_table_test, holds_what_a_map_would_hold) {
  // Among so few paths all slots are in use, and there are runs of collisions that wrap around the end.
  const auto seed = static_cast<std::uint32_t>(::testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(seed);
  std::minstd_rand random(seed + 1);
  node_table table;
  std::map<std::string, node*, std::less<>> expected;
  for (int step = 0; step < 20'000; ++step) {
    const std::string path = "/" + std::to_string(random() % 100);
    const auto known = expected.find(path);
    if (known == expected.end()) {
      expected[path] = &table.insert(path);
    } else if (random() % 2 == 0) {
      table.erase(*known->second);
      expected.erase(known);
    }
    ASSERT_EQ(table.size(), expected.size());
    if (step % 50 != 0) continue;
    for (int i = 0; i < 100; ++i) {
      const std::string each = "/" + std::to_string(i);
      const auto there = expected.find(each);
      ASSERT_EQ(table.find(each), there == expected.end() ? nullptr : there->second) << each << ", step " << step;
    }
  }
}

TEST(node_table_test, nodes_stay_where_they_are_and_keep_their_paths) {
  node_table table;
  EXPECT_EQ(table.find("/a"), nullptr);
  node& first = table.insert("/a");
  for (int i = 0; i < 1000; ++i) table.insert("/" + std::to_string(i));
  EXPECT_EQ(table.find("/a"), &first);
  EXPECT_EQ(first.path, "/a");
  std::set<std::string_view> seen;
  table.for_each([&](const node& one) { seen.insert(one.path); });
  EXPECT_EQ(seen.size(), 1001U);
}

TEST(node_table_test, moves_with_its_nodes) {
  node_table from;
  node& made = from.insert("/a");
  node_table to = std::move(from);
  EXPECT_EQ(to.find("/a"), &made);
  EXPECT_EQ(to.size(), 1U);
}

}  // namespace
}  // namespace zkr::testing
