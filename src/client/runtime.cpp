#include "zkrecipes/runtime.hpp"

#include <mutex>
#include <random>
#include <thread>

#include "client/call_context.hpp"
#include "core/boot_scheduler.hpp"
#include "core/thread.hpp"

namespace zkr {
namespace {

class threaded_runtime final : public runtime {
 public:
  threaded_runtime() {
    // Whoever runs on these threads must not wait for a client: the client may need them.
    const auto mark = [] { thread_local const detail::no_blocking while_it_lives; };
    for (auto* one : {&clock_, &loss_clock_}) one->post(mark);
    for (auto* one : {&dispatch_, &reaper_}) one->execute(mark);
  }

  scheduler& clock() noexcept override { return clock_; }
  scheduler& loss_clock() noexcept override { return loss_clock_; }
  executor& dispatch() noexcept override { return dispatch_; }
  executor& reaper() noexcept override { return reaper_; }
  std::uint64_t random() noexcept override {
    const std::scoped_lock lock(random_mutex_);
    return random_();
  }
  bool may_block() const noexcept override { return true; }

  [[nodiscard]] bool on_own_thread() const noexcept {
    return clock_.on_thread() || loss_clock_.on_thread() || dispatch_.on_thread() || reaper_.on_thread();
  }

 private:
  std::mutex random_mutex_;
  std::mt19937_64 random_{(std::uint64_t{std::random_device{}()} << 32U) ^ std::random_device{}()};
  detail::boot_scheduler clock_{"zkr-clock"};
  detail::boot_scheduler loss_clock_{"zkr-loss"};
  detail::thread_executor dispatch_{"zkr-dispatch"};
  detail::thread_executor reaper_{"zkr-reaper"};
};

/// The last client may let go on a thread of the runtime itself, which cannot wait for its own end.
void end_runtime(threaded_runtime* which) {
  if (!which->on_own_thread()) {
    delete which;
    return;
  }
  detail::start_thread("zkr-end", [which] { delete which; }).detach();
}

}  // namespace

std::shared_ptr<runtime> runtime::create() { return {new threaded_runtime, end_runtime}; }

std::shared_ptr<runtime> runtime::shared_default() {
  static std::mutex mutex;
  static std::weak_ptr<runtime> current;
  const std::scoped_lock lock(mutex);
  auto shared = current.lock();
  if (!shared) current = shared = create();
  return shared;
}

}  // namespace zkr
