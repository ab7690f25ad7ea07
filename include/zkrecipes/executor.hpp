#pragma once

#include "zkrecipes/unique_function.hpp"

namespace zkr {

/// Where callbacks run. The library serialises what it hands over (one strand a client); the executor need not.
class executor {
 public:
  virtual ~executor() = default;
  /// Runs `work` once, later, not inside this call. Must not throw, and must not drop `work`.
  virtual void execute(unique_function<void()> work) = 0;

 protected:
  executor() = default;
  executor(const executor&) = default;
  executor& operator=(const executor&) = default;
};

}  // namespace zkr
