#pragma once

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
  /// An operation has ended: its latency from the call to its end, and its error, or nullptr.
  virtual void on_operation(std::string_view operation, duration latency, const error* problem) {
    (void)operation, (void)latency, (void)problem;
  }
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
