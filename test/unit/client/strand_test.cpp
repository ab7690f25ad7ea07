#include "client/strand.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "client/call_context.hpp"
#include "client/gate.hpp"
#include "core/thread.hpp"

namespace zkr::detail {
namespace {

/// Runs work on several threads at once, as a user's executor may.
class pool final : public executor {
 public:
  void execute(unique_function<void()> work) override { threads_[next_++ % 2].execute(std::move(work)); }

 private:
  std::atomic<unsigned> next_ = 0;
  thread_executor threads_[2] = {thread_executor("pool-a"), thread_executor("pool-b")};
};

/// A thread cannot be owned by what runs on it: here the test owns it.
std::shared_ptr<executor> outliving(executor& one) { return {std::shared_ptr<void>(), &one}; }

TEST(strand, runs_one_thing_at_a_time_in_order_on_a_concurrent_executor) {
  pool threads;
  const auto one = std::make_shared<strand>(outliving(threads), [](std::string_view) {});
  std::vector<int> order;  // unsynchronised on purpose: the strand is the synchronisation
  const auto done = std::make_shared<gate>();
  for (int i = 0; i < 1000; ++i) {
    one->run([&order, done, i] {
      order.push_back(i);
      if (i == 999) done->open();
    });
  }
  done->wait();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(strand, exception_is_reported_and_changes_nothing_else) {
  std::string reported;
  const auto done = std::make_shared<gate>();
  {
    thread_executor thread("one");
    const auto one = std::make_shared<strand>(outliving(thread), [&](std::string_view what) { reported = what; });
    one->run([] { throw std::runtime_error("thrown by a handler"); });
    one->run([done] { done->open(); });
    done->wait();
  }
  EXPECT_EQ(reported, "thrown by a handler");
}

TEST(strand, marks_its_thread_as_one_that_must_not_wait) {
  thread_executor thread("one");
  const auto one = std::make_shared<strand>(outliving(thread), [](std::string_view) {});
  bool inside = false;
  const auto done = std::make_shared<gate>();
  EXPECT_FALSE(no_blocking::here());
  one->run([&inside, done] {
    inside = no_blocking::here();
    done->open();
  });
  done->wait();
  EXPECT_TRUE(inside);
}

TEST(strand, drops_its_work_where_the_executor_drops_what_it_was_given) {
  struct refusing final : executor {
    void execute(unique_function<void()>) override {}
  };
  const auto one = std::make_shared<strand>(std::make_shared<refusing>(), [](std::string_view) {});
  const auto held = std::make_shared<int>();
  bool ran = false;
  one->run([&ran, held, last = one] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(one.use_count(), 1) << "nothing keeps the strand";
}

TEST(strand, executor_lives_until_the_last_piece_of_work_is_done) {
  struct listed final : executor {
    explicit listed(std::vector<unique_function<void()>>& there) : to(there) {}
    void execute(unique_function<void()> work) override { to.push_back(std::move(work)); }
    std::vector<unique_function<void()>>& to;
  };
  std::vector<unique_function<void()>> list;
  auto where = std::make_shared<listed>(list);
  const auto gone = std::weak_ptr(where);
  auto one = std::make_shared<strand>(std::exchange(where, nullptr), [](std::string_view) {});
  int ran = 0;
  one->run([&, last = one] {
    ++ran;
    last->run([&ran] { ++ran; });  // arrives while the first batch runs: needs the executor once more
  });
  one.reset();
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto work = std::move(list[i]);
    work();
  }
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(gone.expired());
}

}  // namespace
}  // namespace zkr::detail
