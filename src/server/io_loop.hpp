#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "wire/stream.hpp"
#include "zkrecipes/result.hpp"
#include "zkrecipes/scheduler.hpp"

namespace zkr::backend {

/// Sockets and timers of one thread: the one that calls `run`. The time is CLOCK_BOOTTIME's.
class io_loop final : public scheduler {
 public:
  io_loop();
  ~io_loop() override;
  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;

  /// Runs until `stop`. What was posted before is run first.
  void run();
  /// Ends `run` after the piece of work that runs at that moment. @par Threads  any.
  void stop() noexcept;

  /// Listens at once, also where an earlier server's connections still linger (SO_REUSEADDR).
  /// @param port  0: any free one; see `acceptor::local`.
  /// @par Errors  io_error, with the system's words; resolve_failed: the address is not numeric.
  [[nodiscard]] result<std::unique_ptr<wire::acceptor>> listen(const std::string& address, std::uint16_t port);

  [[nodiscard]] time_point now() const noexcept override { return boot_clock::now(); }
  timer schedule(time_point at, unique_function<void()> work) override;
  bool cancel(timer which) noexcept override;
  /// @par Threads  any.
  void post(unique_function<void()> work) override;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr::backend
