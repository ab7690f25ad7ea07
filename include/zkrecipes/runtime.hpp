#pragma once

#include <cstdint>
#include <memory>

#include "zkrecipes/executor.hpp"
#include "zkrecipes/scheduler.hpp"

namespace zkr {

/// Threads and time of one or more clients: a scheduler thread (the library's own work), a loss thread (fires
/// `grant::lost()` and nothing else), a dispatch thread (callbacks, unless the client has an executor of its own) and a
/// reaper (closes sessions). Twenty clients on one runtime add no thread but libzookeeper's two each.
///
/// A simulation has a runtime of its own kind: one thread, virtual time, seeded random numbers.
class runtime {
 public:
  /// A runtime on real threads. Its threads end when the last client that uses it is gone.
  [[nodiscard]] static std::shared_ptr<runtime> create();
  /// The runtime of all clients that were not given one; it lives while any of them does.
  [[nodiscard]] static std::shared_ptr<runtime> shared_default();

  virtual ~runtime() = default;

  [[nodiscard]] virtual scheduler& clock() noexcept = 0;
  [[nodiscard]] virtual scheduler& loss_clock() noexcept = 0;
  [[nodiscard]] virtual executor& dispatch() noexcept = 0;
  [[nodiscard]] virtual executor& reaper() noexcept = 0;
  /// Random numbers for identifiers and jitter; not for secrets.
  [[nodiscard]] virtual std::uint64_t random() noexcept = 0;
  /// False in a simulation: everything that waits gives `would_deadlock`.
  [[nodiscard]] virtual bool may_block() const noexcept = 0;

 protected:
  runtime() = default;
  runtime(const runtime&) = default;
  runtime& operator=(const runtime&) = default;
};

}  // namespace zkr
