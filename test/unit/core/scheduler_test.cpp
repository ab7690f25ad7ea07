#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

#include "core/boot_scheduler.hpp"
#include "core/virtual_scheduler.hpp"

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

TEST(virtual_scheduler, runs_in_order_of_time_then_of_arrival) {
  virtual_scheduler clock;
  const auto start = clock.now();
  std::vector<int> order;
  clock.schedule(start + 2s, [&] { order.push_back(3); });
  clock.schedule(start + 1s, [&] { order.push_back(1); });
  clock.schedule(start + 1s, [&] { order.push_back(2); });
  clock.post([&] { order.push_back(0); });
  clock.run_for(10s);
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(clock.now(), start + 10s);
}

TEST(virtual_scheduler, time_stands_at_the_work_that_runs) {
  virtual_scheduler clock;
  const auto start = clock.now();
  time_point seen;
  clock.schedule(start + 3s, [&] { seen = clock.now(); });
  clock.run_for(5s);
  EXPECT_EQ(seen, start + 3s);
}

TEST(virtual_scheduler, cancelled_work_does_not_run) {
  virtual_scheduler clock;
  bool ran = false;
  const auto timer = clock.schedule(clock.now() + 1s, [&] { ran = true; });
  EXPECT_TRUE(clock.cancel(timer));
  EXPECT_FALSE(clock.cancel(timer));
  clock.run_for(5s);
  EXPECT_FALSE(ran);
}

TEST(boot_scheduler, runs_work_at_its_time_and_not_before) {
  boot_scheduler clock("test");
  const auto at = clock.now() + 20ms;
  std::promise<time_point> ran;
  clock.schedule(at, [&] { ran.set_value(clock.now()); });
  EXPECT_GE(ran.get_future().get(), at);
}

TEST(boot_scheduler, earlier_work_overtakes_later) {
  boot_scheduler clock("test");
  std::promise<void> done;
  std::vector<int> order;
  clock.schedule(clock.now() + 40ms, [&] {
    order.push_back(2);
    done.set_value();
  });
  clock.schedule(clock.now() + 10ms, [&] { order.push_back(1); });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(boot_scheduler, past_work_runs_at_once_and_never_inside_the_call) {
  boot_scheduler clock("test");
  std::promise<std::thread::id> ran;
  clock.schedule(time_point::min(), [&] { ran.set_value(std::this_thread::get_id()); });
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(boot_scheduler, cancel_takes_work_back) {
  boot_scheduler clock("test");
  std::promise<void> done;
  bool ran = false;
  const auto timer = clock.schedule(clock.now() + 10ms, [&] { ran = true; });
  EXPECT_TRUE(clock.cancel(timer));
  clock.schedule(clock.now() + 20ms, [&] { done.set_value(); });
  done.get_future().wait();
  EXPECT_FALSE(ran);
}

TEST(boot_scheduler, ends_with_work_waiting) {
  boot_scheduler clock("test");
  clock.schedule(clock.now() + 1h, [] {});
}

}  // namespace
}  // namespace zkr::detail
