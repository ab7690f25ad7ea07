#pragma once

#include <mutex>

#include "client/client_core.hpp"

namespace zkr::detail {

/// Holds the core's lock, and behind it performs what its holder has decided.
class client_core::section {
 public:
  explicit section(client_core& core) : core_(core), lock_(core.mutex_) {}
  section(const section&) = delete;
  section& operator=(const section&) = delete;
  ~section() {
    core_.poll_keeper();
    todo.pump = core_.has_to_send();
    if (todo.pump && todo.only_pump() && !core_.observed_) {
      core_.pump(std::move(lock_));
    } else {
      lock_.unlock();
      core_.perform(todo);
    }
  }

  effects todo;

 private:
  client_core& core_;
  std::unique_lock<spinning_mutex> lock_;
};

}  // namespace zkr::detail
