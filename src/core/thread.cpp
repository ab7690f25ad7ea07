#include "core/thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace zkr::detail {

static_assert(sizeof(sigset_t) <= 128);

unsigned process_number() noexcept {
  static std::atomic<unsigned> forks = 0;
  static const int asked = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  (void)asked;
  return forks.load(std::memory_order_relaxed);
}

signals_blocked::signals_blocked() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, reinterpret_cast<sigset_t*>(saved_));
}

signals_blocked::~signals_blocked() { pthread_sigmask(SIG_SETMASK, reinterpret_cast<sigset_t*>(saved_), nullptr); }

std::thread start_thread(std::string_view name, unique_function<void()> body) {
  const signals_blocked during_creation;
  return std::thread([name = std::string(name.substr(0, 15)), body = std::move(body)]() mutable {
    pthread_setname_np(pthread_self(), name.c_str());
    body();
  });
}

struct thread_executor::impl {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<unique_function<void()>> waiting;  // guarded by mutex
  bool ending = false;                           // guarded by mutex
  std::thread thread;

  void run() {
    std::vector<unique_function<void()>> batch;
    for (;;) {
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return ending || !waiting.empty(); });
        if (waiting.empty()) return;
        batch.swap(waiting);
      }
      for (auto& work : batch) {
        work();
        work = nullptr;
      }
      batch.clear();
    }
  }
};

thread_executor::thread_executor(std::string_view thread_name) : impl_(std::make_unique<impl>()) {
  impl_->thread = start_thread(thread_name, [state = impl_.get()] { state->run(); });
}

thread_executor::~thread_executor() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->changed.notify_one();
  impl_->thread.join();
}

void thread_executor::execute(unique_function<void()> work) {
  bool idle = false;
  {
    const std::scoped_lock lock(impl_->mutex);
    idle = impl_->waiting.empty();
    impl_->waiting.push_back(std::move(work));
  }
  if (idle) impl_->changed.notify_one();
}

bool thread_executor::on_thread() const noexcept { return impl_->thread.get_id() == std::this_thread::get_id(); }

}  // namespace zkr::detail
