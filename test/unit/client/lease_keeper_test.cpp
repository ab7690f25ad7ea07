#include "client/lease_keeper.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "client/grant_state.hpp"

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

/// Time that the test moves. Nothing runs by itself: the process is stopped, and a reply is the first to come through.
class stopped_clock final : public scheduler {
 public:
  [[nodiscard]] time_point now() const noexcept override { return at; }
  timer schedule(time_point, unique_function<void()>) override { return ++last_; }
  bool cancel(timer) noexcept override { return true; }
  void post(unique_function<void()> work) override { posted.push_back(std::move(work)); }

  void run_posted() {
    for (auto& work : std::exchange(posted, {})) work();
  }

  time_point at{1h};
  std::vector<unique_function<void()>> posted;

 private:
  timer last_ = 0;
};

struct told final : grant_watcher {
  void on_given() override { ++given; }
  void on_ended(const error& why) override { ended.push_back(why.code()); }
  int given = 0;
  std::vector<errc> ended;
};

TEST(lease_keeper, a_renewal_that_comes_after_the_end_of_the_lease_does_not_bring_the_grant_back) {
  constexpr duration timeout = 10s;
  stopped_clock clock;
  lease_keeper keeper({}, clock, clock, [](auto) { return unique_function<void()>(); });
  transport::session_event began{.what = transport::session_event::kind::connected, .connection = 1, .at = clock.at};
  began.session_timeout = timeout;
  began.handshake_submitted = clock.at;
  keeper.session_began(began);

  const auto grant = std::make_shared<grant_state>(grant_state::origin{"/l/n-1", 7, "/l/n-1", any_version},
                                                   operations(), clock, keeper.cell(), 1, [](handler<void>) {});
  const auto watcher = std::make_shared<told>();
  keeper.take(grant, watcher);
  clock.run_posted();
  ASSERT_EQ(watcher->given, 1);
  const auto lost = grant->lost();
  const auto transaction_at = [&](time_point when) {
    clock.at = when;
    keeper.acked({1, when, when, 1}, true);
  };
  const auto start = clock.at;
  transaction_at(start + 1s);
  transaction_at(start + 4s);
  transaction_at(start + 8s);
  EXPECT_FALSE(lost.stop_requested());

  // It was written down before that the lease ends here; nobody has asked held() since, and no alarm has gone off.
  transaction_at(start + 20s);
  transaction_at(start + 23s);
  transaction_at(start + 26s);
  clock.run_posted();
  EXPECT_GT(keeper.cell()->valid_until.load(), clock.at) << "the session's lease itself is good again";
  EXPECT_FALSE(grant->held());
  EXPECT_TRUE(lost.stop_requested());
  EXPECT_EQ(watcher->ended, std::vector{errc::ownership_lost});
}

}  // namespace
}  // namespace zkr::detail
