#include "server/event_log.hpp"

#include <fmt/format.h>

namespace zkr::backend {

namespace {

constexpr std::chrono::seconds seldom{1};

std::string line(std::string_view event, event_log::fields with) {
  std::string text = fmt::format("event={}", event);
  for (const log_field& one : with) text.append(fmt::format(" {}={}", one.key, log_value(one.value)));
  return text;
}

}  // namespace

void event_log::write(log_level level, std::string_view event, fields with) {
  if (takes(level)) to_(level, line(event, with));
}

void event_log::warn_seldom(std::string_view event, fields with) {
  if (!takes(log_level::warning)) return;
  const time_point now = boot_clock::now();
  kind& of = kinds_[line(event, {*with.begin()})];
  if (now < of.next) {
    ++of.left_out;
    return;
  }
  of.next = now + seldom;
  std::string text = line(event, with);
  if (of.left_out != 0) text.append(fmt::format(" suppressed={}", of.left_out));
  of.left_out = 0;
  to_(log_level::warning, text);
}

void event_log::finish() {
  for (auto& [beginning, of] : kinds_) {
    if (of.left_out != 0) to_(log_level::warning, fmt::format("{} suppressed={}", beginning, of.left_out));
  }
  kinds_.clear();
}

}  // namespace zkr::backend
