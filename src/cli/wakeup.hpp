#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "cli/descriptor.hpp"

namespace zkr::cli {

/// Wakes the thread that polls `fd()`. Says only that something may have changed.
class wakeup {
 public:
  wakeup() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// From any thread.
  void set() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);  // fails only when it is set 2^64 times
  }
  void clear() const noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  descriptor fd_;
};

}  // namespace zkr::cli
