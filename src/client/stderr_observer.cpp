#include "zkrecipes/stderr_observer.hpp"

#include <fmt/format.h>

#include "core/log_line.hpp"

namespace zkr {

using detail::hex;
using detail::log_value;
using detail::write_log_line;

void stderr_observer::on_log(log_level level, std::string_view line) {
  if (level <= least_) write_log_line(level, fmt::format("event=log text={}", log_value(line)));
}

void stderr_observer::on_session(const session_info& session) {
  const bool bad = session.state == session_state::suspended || session.state == session_state::lost;
  const auto level = bad ? log_level::warning : log_level::info;
  if (level > least_) return;
  auto text = fmt::format("event=session state={}", to_string(session.state));
  if (session.cause != errc::ok) text += fmt::format(" cause={}", to_string(session.cause));
  if (session.id != 0) text += fmt::format(" session={}", hex(session.id));
  write_log_line(level, text + fmt::format(" generation={} connection={}", session.generation, session.connection));
}

void stderr_observer::on_operation(std::string_view operation, duration latency, const error* problem) {
  // The caller is told of it: for whoever looks for more.
  if (problem == nullptr || log_level::debug > least_) return;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(latency).count();
  write_log_line(log_level::debug,
                 fmt::format("event=operation_failed operation={} error={} path={} outcome={} took_ms={}", operation,
                             to_string(problem->code()), log_value(problem->path()),
                             problem->outcome() == outcome::unknown ? "unknown" : "not_applied", took));
}

void stderr_observer::on_grant(std::string_view path, std::int64_t fencing_token, bool given) {
  if (log_level::info > least_) return;
  write_log_line(log_level::info, fmt::format("event={} path={} token={}", given ? "grant_given" : "grant_ended",
                                              log_value(path), fencing_token));
}

void stderr_observer::on_background_error(const error& problem) {
  if (log_level::warning > least_) return;
  write_log_line(log_level::warning, fmt::format("event=background_error error={} text={}", to_string(problem.code()),
                                                 log_value(problem.message())));
}

void stderr_observer::on_callback_exception(std::string_view what) {
  write_log_line(log_level::error, fmt::format("event=callback_exception text={}", log_value(what)));
}

}  // namespace zkr
