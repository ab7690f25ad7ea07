#pragma once

#include <memory>
#include <string_view>
#include <thread>

#include "zkrecipes/executor.hpp"

namespace zkr::detail {

/// Starts a thread that bears `name` (cut to 15 characters) and blocks all signals, so that handlers run elsewhere.
[[nodiscard]] std::thread start_thread(std::string_view name, unique_function<void()> body);

/// Another number in a forked child than in its parent: getpid() without asking the kernel at every request.
[[nodiscard]] unsigned process_number() noexcept;

/// Blocks all signals of this thread while it lives: threads that a C library starts meanwhile inherit the mask.
class signals_blocked {
 public:
  signals_blocked() noexcept;
  ~signals_blocked();
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;

 private:
  alignas(8) unsigned char saved_[128];
};

/// One named thread that runs work in the order of its arrival. Destroying it runs what waits, then ends the thread;
/// never destroy it from its own thread.
class thread_executor final : public executor {
 public:
  explicit thread_executor(std::string_view thread_name);
  ~thread_executor() override;
  thread_executor(const thread_executor&) = delete;
  thread_executor& operator=(const thread_executor&) = delete;

  void execute(unique_function<void()> work) override;
  [[nodiscard]] bool on_thread() const noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr::detail
