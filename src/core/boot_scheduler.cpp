#include "core/boot_scheduler.hpp"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "core/thread.hpp"
#include "core/timer_queue.hpp"

namespace zkr {

boot_clock::time_point boot_clock::now() noexcept {
  timespec at{};
  clock_gettime(CLOCK_BOOTTIME, &at);
  return time_point(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
}

namespace detail {

struct boot_scheduler::impl {
  asio::io_context loop{1};
  asio::posix::stream_descriptor alarm{loop};
  std::mutex mutex;
  timer_queue queue;               // guarded by mutex
  time_point armed = no_deadline;  // guarded by mutex: when the timerfd goes off
  std::thread thread;

  impl() {
    const int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) std::abort();  // no descriptor left at start: nothing can work
    alarm.assign(fd);
  }

  // With the mutex held.
  void arm() noexcept {
    const auto next = queue.next().value_or(no_deadline);
    if (next == armed) return;
    armed = next;
    itimerspec spec{};
    if (next != no_deadline) {
      // A time of zero would disarm it; a time that has passed goes off at once.
      const auto since_boot = std::max(next.time_since_epoch(), duration(1));
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
      spec.it_value.tv_sec = seconds.count();
      spec.it_value.tv_nsec = (since_boot - seconds).count();
    }
    timerfd_settime(alarm.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr);
  }

  void wait() {
    alarm.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& failed) {
      if (failed) return;
      std::uint64_t expirations = 0;
      (void)::read(alarm.native_handle(), &expirations, sizeof expirations);
      run_due();
      wait();
    });
  }

  void run_due() {
    for (;;) {
      unique_function<void()> work;
      {
        const std::scoped_lock lock(mutex);
        work = queue.pop_due(boot_clock::now());
        if (!work) {
          armed = no_deadline;  // it has gone off
          arm();
          return;
        }
      }
      work();
    }
  }
};

boot_scheduler::boot_scheduler(std::string_view thread_name) : impl_(std::make_unique<impl>()) {
  impl_->wait();
  impl_->thread = start_thread(thread_name, [state = impl_.get()] {
    const auto keep = asio::make_work_guard(state->loop);
    state->loop.run();
  });
}

boot_scheduler::~boot_scheduler() {
  impl_->loop.stop();
  impl_->thread.join();
}

scheduler::timer boot_scheduler::schedule(time_point at, unique_function<void()> work) {
  const std::scoped_lock lock(impl_->mutex);
  const auto id = impl_->queue.add(at, std::move(work));
  impl_->arm();
  return id;
}

bool boot_scheduler::cancel(timer which) noexcept {
  unique_function<void()> work;  // destroyed after the lock is released
  const std::scoped_lock lock(impl_->mutex);
  work = impl_->queue.take(which);
  return static_cast<bool>(work);
}

void boot_scheduler::post(unique_function<void()> work) { asio::post(impl_->loop, std::move(work)); }

bool boot_scheduler::on_thread() const noexcept { return impl_->thread.get_id() == std::this_thread::get_id(); }

}  // namespace detail
}  // namespace zkr
