#pragma once

#include <signal.h>

#include <initializer_list>
#include <optional>

#include "cli/descriptor.hpp"

namespace zkr::cli {

/// The signal mask and the dispositions that this process was started with; a command that it starts gets them back.
class inherited_signals {
 public:
  /// Notes them, then ignores SIGPIPE (a write says EPIPE) and has children collected by us. Called first of all.
  static inherited_signals take_over() noexcept;
  /// Puts them back. Async-signal-safe.
  void restore() const noexcept;

 private:
  sigset_t mask_{};
  struct sigaction pipe_ {};
  struct sigaction child_ {};
};

/// Signals as something to poll for. They stay blocked afterwards.
class signal_source {
 public:
  /// Blocks `wanted` in this thread, and in those that it starts; ones that are ignored (nohup, a shell's `&`) stay so.
  explicit signal_source(std::initializer_list<int> wanted);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// The next one that has arrived.
  [[nodiscard]] std::optional<int> read() noexcept;

 private:
  descriptor fd_;
};

}  // namespace zkr::cli
