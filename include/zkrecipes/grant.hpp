#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "zkrecipes/call_options.hpp"
#include "zkrecipes/result.hpp"
#include "zkrecipes/unique_function.hpp"

namespace zkr {

namespace detail {
class grant_state;
}

/// Exclusivity that one holder has for a time: what every lock and election hands out. Destroying it releases it.
///
/// At most one holder believes that it holds, given the bounds stated in docs/promises.md. A grant that has ended never
/// comes back; a reconnect within its lease keeps it.
class [[nodiscard]] grant {
 public:
  grant() noexcept = default;
  explicit grant(std::shared_ptr<detail::grant_state> state) noexcept;
  grant(grant&&) noexcept;
  grant& operator=(grant&&) noexcept;
  ~grant();

  /// True only while nobody else can have it. One clock read: right even just after the process was stopped.
  [[nodiscard]] bool held() const noexcept;
  /// How long `held()` is certain to stay true if nothing more is heard from the server; 0 where it is false.
  [[nodiscard]] duration remaining() const noexcept;
  /// `now + remaining()`, on the boot clock. Moves on with every renewal.
  [[nodiscard]] time_point valid_until() const noexcept;
  /// Fires `warn_before` ahead of the end of the lease, or with `lost()`. A later renewal does not undo it.
  [[nodiscard]] std::stop_token at_risk() const noexcept;
  /// Fires when the lease has run out, or as soon as a loss is known. Callbacks on it run on the loss thread: keep them
  /// short.
  [[nodiscard]] std::stop_token lost() const noexcept;
  /// Grows along exclusive grants of a path (the czxid of the grant's node). Hand it to the resource that you protect;
  /// one that refuses tokens smaller than the largest it has seen refuses every former holder.
  [[nodiscard]] std::int64_t fencing_token() const noexcept;
  /// The grant's own node.
  [[nodiscard]] const std::string& path() const noexcept;
  [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

  /// Gives it back: `held()` is false at once, the node is removed in the background, for as long as that takes.
  /// @par Errors  ownership_lost: it had ended before.
  result<void> release() noexcept;
  /// The same, and waits for the server's verdict.
  /// @par Errors   ownership_lost; timed_out, cancelled: the removal goes on in the background.
  /// @par Blocking yes, until the node is gone or the session is over.
  result<void> release(call_options wait);
  /// The same without waiting; `done` runs on the client's executor.
  void async_release(unique_function<void(result<void>)> done);

 private:
  friend class transaction;
  std::shared_ptr<detail::grant_state> state_;
};

}  // namespace zkr
