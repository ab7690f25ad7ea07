#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "zkrecipes/unique_function.hpp"

namespace zkr::detail {

/// The part of a subscription that its handle and its source share: whether its handler may still run.
class subscription_state {
 public:
  virtual ~subscription_state() = default;

  /// Runs `handler` unless the subscription has ended; a handle that is destroyed meanwhile waits for it.
  template <typename Handler>
  void run(Handler&& handler) {
    if (!enter()) return;
    const leave_guard guard{*this};
    handler();
  }

  [[nodiscard]] bool active() const noexcept;
  void cancel() noexcept;
  /// cancel(), and waits until the handler is not running, unless this is the thread that runs it.
  void cancel_and_wait() noexcept;

 protected:
  /// Called once, by the first cancel(), without a lock: the source can let go.
  virtual void on_cancel() noexcept {}

 private:
  struct leave_guard {
    subscription_state& of;
    ~leave_guard() { of.leave(); }
  };
  bool enter();
  void leave() noexcept;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  bool cancelled_ = false;      // guarded by mutex_
  std::thread::id running_on_;  // guarded by mutex_
};

}  // namespace zkr::detail
