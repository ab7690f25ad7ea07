#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "zkrecipes/executor.hpp"

namespace zkr::detail {

/// Runs work one piece at a time, in the order in which it was pushed, on an executor that may be concurrent.
///
/// push() calls nothing, so it may be called under a lock; whoever pushed calls kick() later, without one. Where the
/// executor drops what it was given, the work that waits is dropped too, and with it all that it holds.
class strand : public std::enable_shared_from_this<strand> {
 public:
  using report = std::function<void(std::string_view what)>;

  /// @param where         kept alive until the last piece of work is done, which may outlive the client that made it.
  /// @param on_exception  told of exceptions that leave the work.
  strand(std::shared_ptr<executor> where, report on_exception)
      : where_(std::move(where)), on_exception_(std::move(on_exception)) {}

  /// @return true where kick() is needed.
  [[nodiscard]] bool push(unique_function<void()> work);
  void kick();
  /// Both at once.
  void run(unique_function<void()> work) {
    if (push(std::move(work))) kick();
  }

 private:
  class turn;
  void drain();
  void drop();

  const std::shared_ptr<executor> where_;
  const report on_exception_;
  std::mutex mutex_;
  std::vector<unique_function<void()>> waiting_;  // guarded by mutex_
  bool active_ = false;                           // guarded by mutex_: a drain() is scheduled or running
  std::vector<unique_function<void()>> running_;  // of the drain() alone; a member, to keep its room for the next one
};

}  // namespace zkr::detail
