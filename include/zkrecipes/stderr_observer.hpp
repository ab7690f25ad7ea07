#pragma once

#include "zkrecipes/observer.hpp"

namespace zkr {

/// Writes what happens on standard error, a line each, as the bundled server's log has them:
///
///     2026-01-31T23:59:59.999Z warn event=session state=suspended cause=connection_loss session=0x1000a generation=1
///
/// Whatever others may have chosen (paths, texts of errors) is quoted, so that it makes no pair and no line of its own.
/// Operations that succeed are not written.
///
/// @par Threads  safe from several; a line is one write.
class stderr_observer : public observer {
 public:
  /// @param least  the least level that is written.
  explicit stderr_observer(log_level least = log_level::info) noexcept : least_(least) {}

  void on_log(log_level level, std::string_view line) override;
  void on_session(const session_info& session) override;
  void on_operation(std::string_view operation, duration latency, const error* problem) override;
  void on_grant(std::string_view path, std::int64_t fencing_token, bool given) override;
  void on_background_error(const error& problem) override;
  void on_callback_exception(std::string_view what) override;

 private:
  const log_level least_;
};

}  // namespace zkr
