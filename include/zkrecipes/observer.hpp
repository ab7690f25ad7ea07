#pragma once

#include <cstddef>
#include <string_view>

#include "zkrecipes/error.hpp"
#include "zkrecipes/log_level.hpp"
#include "zkrecipes/session.hpp"

namespace zkr {

/// What happens inside, for logs and metrics. Every function has an empty default.
///
/// @par Threads  called from any thread of the library, also concurrently; must be quick, must not throw, and must not
///               call the client.
class observer {
 public:
  virtual ~observer() = default;

  /// A line of diagnosis, without node data or credentials. Lines of libzookeeper are rate-limited.
  virtual void on_log(log_level level, std::string_view line) { (void)level, (void)line; }
  /// After every change of the session's state.
  virtual void on_session(const session_info& session) { (void)session; }
  /// An operation of a user has ended: its latency from the call to its end, and its error, or nullptr. (Recipes' and
  /// subscriptions' own requests are not reported.)
  virtual void on_operation(std::string_view operation, duration latency, const error* problem) {
    (void)operation, (void)latency, (void)problem;
  }
  /// Users' operations that have not ended, after a change: sent, and waiting for a connection or for room.
  virtual void on_load(std::size_t in_flight, std::size_t waiting) { (void)in_flight, (void)waiting; }
  /// A watch's handler, or a subscription's, is about to be called; `lag` ago the client got the notice.
  virtual void on_watch(duration lag) { (void)lag; }
  /// The lease was renewed while something was held, when `left` of it was left (0: too late). Shrinks towards 0 as
  /// servers or this process get too slow; `session_timeout` is what to compare it with.
  virtual void on_lease(duration left, duration session_timeout) { (void)left, (void)session_timeout; }
  /// A grant was handed out (`given`), or has ended.
  virtual void on_grant(std::string_view path, std::int64_t fencing_token, bool given) {
    (void)path, (void)fencing_token, (void)given;
  }
  /// Something failed that no caller waits for: a clean-up, a release, a destructor.
  virtual void on_background_error(const error& problem) { (void)problem; }
  /// User code threw out of a callback; `what` is the exception's text.
  virtual void on_callback_exception(std::string_view what) { (void)what; }

 protected:
  observer() = default;
  observer(const observer&) = default;
  observer& operator=(const observer&) = default;
};

}  // namespace zkr
