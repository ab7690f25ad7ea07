#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "zkrecipes/clock.hpp"

namespace zkr::detail {

/// Opens once; threads wait for that. Shared: open() may still be in it when a wait has ended.
class gate {
 public:
  void open() {
    {
      const std::scoped_lock lock(mutex_);
      open_ = true;
    }
    opened_.notify_all();  // whoever wakes would find the lock taken otherwise, and sleep again
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  /// @return true where it is open. The one wait with a timer of its own: for a session's end on the server.
  bool wait_for(duration longest) {
    std::unique_lock lock(mutex_);
    return opened_.wait_for(lock, longest, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

}  // namespace zkr::detail
