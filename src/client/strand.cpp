#include "client/strand.hpp"

#include <exception>

#include "client/call_context.hpp"

namespace zkr::detail {

int& no_blocking::depth() noexcept {
  thread_local int depth = 0;
  return depth;
}

bool strand::push(unique_function<void()> work) {
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(std::move(work));
  return !std::exchange(active_, true);
}

/// What the executor is given: it drains the strand, or tells it that it never will.
class strand::turn {
 public:
  explicit turn(std::shared_ptr<strand> of) noexcept : of_(std::move(of)) {}
  turn(turn&& other) noexcept = default;
  turn& operator=(turn&&) = delete;
  ~turn() {
    if (of_) of_->drop();
  }
  void operator()() { std::exchange(of_, nullptr)->drain(); }

 private:
  std::shared_ptr<strand> of_;
};

void strand::kick() { where_->execute(turn(shared_from_this())); }

void strand::drop() {
  std::vector<unique_function<void()>> dropped;  // destroyed without the lock: it may push
  const std::scoped_lock lock(mutex_);
  dropped.swap(waiting_);
  active_ = false;
}

void strand::drain() {
  {
    const std::scoped_lock lock(mutex_);
    running_.swap(waiting_);
  }
  {
    const no_blocking here;
    for (auto& work : running_) {
      try {
        work();
        work = nullptr;
      } catch (const std::exception& thrown) {
        on_exception_(thrown.what());
      } catch (...) {
        on_exception_("an exception of an unknown type");
      }
    }
  }
  running_.clear();
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
      active_ = false;
      return;
    }
  }
  kick();  // others on this executor come in between
}

}  // namespace zkr::detail
