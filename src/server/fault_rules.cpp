#include "server/fault_rules.hpp"

#include <algorithm>

namespace zkr::backend {

namespace {

constexpr std::chrono::milliseconds longest_delay{0x7fff'ffff};

bool is_handshake(fault_point at) noexcept {
  return at == fault_point::new_session || at == fault_point::resumed_session;
}

bool is_request(fault_point at) noexcept { return at != fault_point::connection && !is_handshake(at); }

bool delays(fault_action what) noexcept {
  return what == fault_action::delay_request || what == fault_action::delay_reply;
}

bool covers(fault_point rule, fault_point at) noexcept {
  return rule == at || (rule == fault_point::any_request && is_request(at) && at != fault_point::ping);
}

bool fits(const fault_rule& rule, const fault_subject& what) {
  if (!covers(rule.at, what.at)) return false;
  if (rule.session_id != 0 && rule.session_id != what.session_id) return false;
  if (rule.path.empty() && rule.path_prefix.empty()) return true;
  return std::any_of(what.paths.begin(), what.paths.end(), [&](std::string_view path) {
    return rule.path.empty() ? path.substr(0, rule.path_prefix.size()) == rule.path_prefix : path == rule.path;
  });
}

}  // namespace

const char* fault_rules::complaint(const fault_rule& about) {
  const bool known_point = about.at >= fault_point::any_request && about.at <= fault_point::resumed_session;
  const bool known_action = about.action >= fault_action::drop_request && about.action <= fault_action::refuse_session;
  if (!known_point) return "at: no such point";
  if (!known_action) return "action: no such action";
  if (about.at == fault_point::connection && about.action != fault_action::close_before) {
    return "action: a connection can only be closed (close_before)";
  }
  if (about.action == fault_action::refuse_session && about.at != fault_point::resumed_session) {
    return "action: refuse_session is for resumed_session only";
  }
  if (about.action == fault_action::expire_session && about.at == fault_point::new_session) {
    return "action: there is no session to expire yet";
  }
  if (!about.path.empty() && !about.path_prefix.empty()) return "path and path_prefix exclude each other";
  for (const std::string* path : {&about.path, &about.path_prefix}) {
    if (!path->empty() && path->front() != '/') return "path: must begin with '/'";
    if (!path->empty() && !is_request(about.at)) return "path: connections and handshakes have none";
  }
  if (about.session_id != 0 && (about.at == fault_point::connection || about.at == fault_point::new_session)) {
    return "session_id: there is no session yet";
  }
  if (about.times == 0) return "times: must be 1 or more";
  if (delays(about.action) && (about.delay < std::chrono::milliseconds(1) || about.delay > longest_delay)) {
    return "delay: must be 1 ms to 24 days";
  }
  if (!delays(about.action) && about.delay.count() != 0) return "delay: this action has none";
  return nullptr;
}

fault_id fault_rules::add(const fault_rule& rule) {
  entries_.push_back({{++last_, rule, 0, 0}, 0});
  return last_;
}

bool fault_rules::remove(fault_id which) {
  return std::erase_if(entries_, [&](const entry& one) { return one.counted.id == which; }) != 0;
}

std::optional<fault_rules::decision> fault_rules::match(const fault_subject& what) {
  std::optional<decision> taken;
  for (entry& one : entries_) {
    const fault_rule& rule = one.counted.rule;
    if (!fits(rule, what)) continue;
    ++one.counted.matched;
    if (taken || one.counted.matched <= rule.skip || one.begun >= rule.times) continue;
    ++one.begun;
    taken = decision{one.counted.id, rule.action, rule.delay};
  }
  return taken;
}

void fault_rules::done(fault_id which) {
  for (entry& one : entries_) {
    if (one.counted.id == which) ++one.counted.fired;
  }
}

std::vector<fault_report> fault_rules::report() const {
  std::vector<fault_report> all;
  for (const entry& one : entries_) all.push_back(one.counted);
  return all;
}

std::optional<std::uint64_t> fault_rules::fired(fault_id which) const {
  for (const entry& one : entries_) {
    if (one.counted.id == which) return one.counted.fired;
  }
  return std::nullopt;
}

}  // namespace zkr::backend
