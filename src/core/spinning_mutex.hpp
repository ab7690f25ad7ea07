#pragma once

#include <mutex>

namespace zkr::detail {

/// A mutex whose sections take less than a sleep does: whoever finds it locked looks again a few times first. In a batch of
/// requests that one thread submits while another takes the replies, half of all calls would sleep otherwise.
class spinning_mutex {
 public:
  void lock() {
    for (int i = 0; i < looks; ++i) {
      if (mutex_.try_lock()) return;
      relax();
    }
    mutex_.lock();
  }
  bool try_lock() noexcept { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  static void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  static constexpr int looks = 20;
  std::mutex mutex_;
};

}  // namespace zkr::detail
