#include "server/zoo_cfg.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "server/properties.hpp"
#include "server/setting_rules.hpp"

namespace zkr::backend {

std::string configuration::read(std::string_view text, std::string_view file) {
  const properties from = parse_properties(text);
  for (const property& one : from.list) {
    const std::string place = fmt::format("{}:{}", file, one.line);
    if (const setting_rule* rule = find_rule(one.key)) {
      if (const std::string bad = rule->read(settings_, one.value); !bad.empty()) {
        return fmt::format("{}: {}: {}", place, one.key, bad);
      }
      origins_.insert_or_assign(std::string(rule->key), place);
    } else if (const std::string refused = refusal_of(one.key, one.value); !refused.empty()) {
      return fmt::format("{}: {}: {}", place, one.key, refused);
    } else if (!is_unneeded(one.key)) {
      return fmt::format("{}: {}: there is no such key", place, one.key);
    } else if (std::find(unneeded_.begin(), unneeded_.end(), one.key) == unneeded_.end()) {
      unneeded_.push_back(one.key);
    }
  }
  return from.bad ? fmt::format("{}:{}: {}", file, from.bad->line, from.bad->what) : std::string();
}

std::string configuration::set(std::string_view key, std::string_view value, std::string_view origin) {
  const setting_rule* rule = find_rule(key);
  if (rule == nullptr) return fmt::format("{}: there is no key {}", origin, key);
  if (const std::string bad = rule->read(settings_, value); !bad.empty()) return fmt::format("{}: {}", origin, bad);
  origins_.insert_or_assign(std::string(rule->key), std::string(origin));
  return {};
}

std::string configuration::check() const {
  const server_options& to = settings_.server;
  const auto least = to.min_session_timeout.value_or(2 * to.tick_time);
  const auto most = to.max_session_timeout.value_or(20 * to.tick_time);
  if (least <= most) return {};
  return fmt::format("{}: minSessionTimeout: {} ms is more than maxSessionTimeout, {} ms ({})",
                     origin("minSessionTimeout"), least.count(), most.count(), origin("maxSessionTimeout"));
}

std::string configuration::origin(std::string_view key) const {
  const auto found = origins_.find(key);
  return found == origins_.end() ? "default" : found->second;
}

std::string configuration::print() const {
  std::string text;
  for (const setting_rule& one : setting_rules()) {
    const auto value = one.write(settings_);
    if (!value) continue;
    text += fmt::format("# {}\n", origin(one.key));
    text += one.secret ? fmt::format("# {} is set, and not shown\n", one.key) : format_property(one.key, *value) + "\n";
  }
  return text;
}

}  // namespace zkr::backend
