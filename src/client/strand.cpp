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

void strand::kick() {
  where_->execute([self = shared_from_this()] { self->drain(); });
}

void strand::drain() {
  std::vector<unique_function<void()>> batch;
  {
    const std::scoped_lock lock(mutex_);
    batch.swap(waiting_);
  }
  {
    const no_blocking here;
    for (auto& work : batch) {
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
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
      if (waiting_.capacity() < batch.capacity()) {
        batch.clear();
        waiting_.swap(batch);  // keeps the room for the next time
      }
      active_ = false;
      return;
    }
  }
  kick();  // others on this executor come in between
}

}  // namespace zkr::detail
