#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "core/log_line.hpp"
#include "zkrecipes/clock.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::backend {

/// "key=value"; what a client may have chosen stands in there so that it makes neither another pair nor another line.
struct log_field {
  std::string_view key;
  std::string value;
};

using detail::hex;
using detail::log_value;

/// What a server tells its operator: lines "event=NAME key=value ...".
///
/// @par Threads  none of its own; not synchronised.
class event_log {
 public:
  using sink = std::function<void(log_level, const std::string&)>;
  using fields = std::initializer_list<log_field>;

  event_log() = default;
  event_log(sink to, log_level least) : to_(std::move(to)), least_(least) {}

  /// Whether it is worth making the fields.
  [[nodiscard]] bool takes(log_level level) const noexcept { return to_ && level <= least_; }
  void write(log_level level, std::string_view event, fields with);
  /// A warning that others can cause as often as they like: one a second of a kind, which is named by the event and the
  /// value of the first field; the next one says how many were left out.
  void warn_seldom(std::string_view event, fields with);
  /// Says what was left out and not said yet.
  void finish();

 private:
  struct kind {
    time_point next{};
    std::uint64_t left_out = 0;
  };
  sink to_;
  log_level least_ = log_level::info;
  std::map<std::string, kind> kinds_;  ///< By the beginning of the line: events and reasons, which are few.
};

}  // namespace zkr::backend
