#include "cli/fault_json.hpp"

#include <algorithm>
#include <array>

namespace zkr::cli {

namespace {

using nlohmann::json;

// In the order of the enumerations.
constexpr std::array points = {
    "any_request", "create",    "remove",         "exists",        "get",        "set",         "get_acl",
    "set_acl",     "children",  "sync",           "multi",         "multi_read", "ping",        "auth",
    "set_watches", "add_watch", "remove_watches", "close_session", "connection", "new_session", "resumed_session"};
constexpr std::array actions = {"drop_request", "drop_reply",  "delay_request",  "delay_reply",
                                "close_before", "close_after", "expire_session", "refuse_session"};
static_assert(points.size() == static_cast<std::size_t>(fault_point::resumed_session) + 1);
static_assert(actions.size() == static_cast<std::size_t>(fault_action::refuse_session) + 1);

error bad(const std::string& member, const char* what) {
  return error(errc::invalid_argument, "fault rule", {}, member + ": " + what);
}

template <typename Enum, std::size_t Size>
bool take_name(const json& from, const std::array<const char*, Size>& names, Enum& into) {
  if (!from.is_string()) return false;
  const auto found = std::find(names.begin(), names.end(), from.get_ref<const std::string&>());
  if (found == names.end()) return false;
  into = static_cast<Enum>(found - names.begin());
  return true;
}

bool take_count(const json& from, std::uint64_t& into) {
  if (from.is_number_unsigned()) into = from.get<std::uint64_t>();
  return from.is_number_unsigned();
}

bool take_text(const json& from, std::string& into) {
  if (from.is_string()) into = from.get<std::string>();
  return from.is_string();
}

}  // namespace

result<fault_rule> rule_from(const json& object) {
  if (!object.is_object()) return error(errc::invalid_argument, "fault rule", {}, "must be a JSON object");
  fault_rule rule;
  for (const auto& [member, value] : object.items()) {
    if (member == "at") {
      if (!take_name(value, points, rule.at)) return bad(member, "no such point");
    } else if (member == "action") {
      if (!take_name(value, actions, rule.action)) return bad(member, "no such action");
    } else if (member == "path") {
      if (!take_text(value, rule.path)) return bad(member, "must be text");
    } else if (member == "path_prefix") {
      if (!take_text(value, rule.path_prefix)) return bad(member, "must be text");
    } else if (member == "session_id") {
      if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)) {
        return bad(member, "must be a whole number of 64 bits");
      }
      rule.session_id = value.get<std::int64_t>();
    } else if (member == "skip") {
      if (!take_count(value, rule.skip)) return bad(member, "must be a whole number, 0 or more");
    } else if (member == "times") {
      if (value == "always") {
        rule.times = fault_rule::always;
      } else if (!take_count(value, rule.times)) {
        return bad(member, "must be a whole number, or \"always\"");
      }
    } else if (member == "delay_ms") {
      std::uint64_t ms = 0;
      if (!take_count(value, ms) || ms > 0x7fff'ffff) return bad(member, "must be a whole number, up to 24 days");
      rule.delay = std::chrono::milliseconds(ms);
    } else {
      return bad(member, "no such member");
    }
  }
  return rule;
}

json to_json(const fault_report& report) {
  const fault_rule& rule = report.rule;
  json made = {{"id", report.id},
               {"at", points.at(static_cast<std::size_t>(rule.at))},
               {"action", actions.at(static_cast<std::size_t>(rule.action))},
               {"skip", rule.skip},
               {"matched", report.matched},
               {"fired", report.fired}};
  made["times"] = rule.times == fault_rule::always ? json("always") : json(rule.times);
  if (!rule.path.empty()) made["path"] = rule.path;
  if (!rule.path_prefix.empty()) made["path_prefix"] = rule.path_prefix;
  if (rule.session_id != 0) made["session_id"] = rule.session_id;
  if (rule.delay.count() != 0) made["delay_ms"] = rule.delay.count();
  return made;
}

json to_json(const server_statistics& counted) {
  json requests = json::object();
  for (const auto& [opcode, count] : counted.requests) requests[std::to_string(opcode)] = count;
  return {{"requests", requests},
          {"packets_received", counted.packets_received},
          {"packets_sent", counted.packets_sent},
          {"expired_sessions", counted.expired_sessions},
          {"connections", counted.connections},
          {"sessions", counted.sessions},
          {"nodes", counted.nodes},
          {"watches", counted.watches},
          {"last_zxid", counted.last_zxid}};
}

}  // namespace zkr::cli
