#include "zkrecipes/unique_function.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace zkr {
namespace {

TEST(unique_function, holds_what_can_only_be_moved) {
  unique_function<int()> one = [value = std::make_unique<int>(7)] { return *value; };
  unique_function<int()> other = std::move(one);
  EXPECT_FALSE(one);
  ASSERT_TRUE(other);
  EXPECT_EQ(other(), 7);
}

TEST(unique_function, large_targets_live_on_the_heap_and_die_once) {
  const auto counter = std::make_shared<int>(0);
  {
    std::array<char, 200> ballast{};
    unique_function<std::size_t()> one = [ballast, counter] { return ballast.size(); };
    unique_function<std::size_t()> other;
    other = std::move(one);
    EXPECT_EQ(other(), 200U);
    EXPECT_EQ(counter.use_count(), 2);
  }
  EXPECT_EQ(counter.use_count(), 1);
}

TEST(unique_function, passes_arguments_on) {
  unique_function<std::unique_ptr<int>(std::unique_ptr<int>, int)> add = [](std::unique_ptr<int> a, int b) {
    *a += b;
    return a;
  };
  EXPECT_EQ(*add(std::make_unique<int>(2), 3), 5);
}

TEST(unique_function, assigning_nothing_destroys_the_target) {
  const auto counter = std::make_shared<int>(0);
  unique_function<void()> one = [counter] {};
  one = nullptr;
  EXPECT_FALSE(one);
  EXPECT_EQ(counter.use_count(), 1);
}

}  // namespace
}  // namespace zkr
