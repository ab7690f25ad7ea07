#include "server/setting_rules.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace zkr::backend {

namespace {

using std::chrono::milliseconds;
using settings = server_settings;
using text = std::string_view;
using written = std::optional<std::string>;

constexpr std::int64_t largest_int = std::numeric_limits<std::int32_t>::max();

// ---- values ---------------------------------------------------------------------------------------------------------

std::string lower(text of) {
  std::string made(of);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return made;
}

std::string whole(text value, std::int64_t least, std::int64_t most, std::int64_t& into) {
  const bool hex = value.starts_with("0x");
  const text digits = hex ? value.substr(2) : value;
  std::int64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  const bool is_number = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  if (!is_number || number < least || number > most) {
    return fmt::format("'{}' is no whole number from {} to {}", value, least, most);
  }
  into = number;
  return {};
}

template <typename T>
std::string whole_to(text value, std::int64_t least, std::int64_t most, T& into) {
  std::int64_t number = 0;
  std::string bad = whole(value, least, most, number);
  if (bad.empty()) into = static_cast<T>(number);
  return bad;
}

std::string span_to(text value, std::int64_t most, milliseconds& into) {
  std::int64_t number = 0;
  std::string bad = whole(value, 1, most, number);
  if (bad.empty()) into = milliseconds(number);
  return bad;
}

// Apache's -1 is its default.
std::string bound_to(text value, std::optional<milliseconds>& into) {
  if (value == "-1") {
    into.reset();
    return {};
  }
  milliseconds span{};
  std::string bad = span_to(value, largest_int, span);
  if (bad.empty()) into = span;
  return bad;
}

std::string flag_to(text value, bool& into) {
  const std::string word = lower(value);
  if (word != "true" && word != "false") return fmt::format("'{}' is neither true nor false", value);
  into = word == "true";
  return {};
}

std::string path_to(text value, std::string& into) {
  if (value.empty()) return "there is no path";
  into = value;
  return {};
}

written number(std::int64_t value) { return std::to_string(value); }
written flag(bool value) { return value ? "true" : "false"; }
written unless_empty(const std::string& value) { return value.empty() ? written() : written(value); }
written ms(milliseconds value) { return number(value.count()); }

std::string address_to(text value, std::string& into) {
  const std::string address(value == "localhost" ? "127.0.0.1" : value);
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (inet_pton(AF_INET, address.c_str(), ignored.data()) != 1 &&
      inet_pton(AF_INET6, address.c_str(), ignored.data()) != 1) {
    return fmt::format("'{}' is no numeric address, like 127.0.0.1 or ::", value);
  }
  into = address;
  return {};
}

std::string read_admin_port(settings& into, text value) {
  into.admin.port_named = true;
  return whole_to(value, 0, 65535, into.admin.port);
}

std::string read_admin_enabled(settings& into, text value) {
  bool on = false;
  std::string bad = flag_to(value, on);
  into.admin.enabled = on;
  return bad;
}

std::string read_command_url(settings& into, text value) {
  const bool plain_path = value.size() > 1 && value.front() == '/' && value.back() != '/' &&
                          std::all_of(value.begin(), value.end(), [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                   c == '/' || c == '_' || c == '-' || c == '.';
                          });
  if (!plain_path || value == "/metrics") return fmt::format("'{}' is no path, like /commands, of its own", value);
  into.admin.command_url = value;
  return {};
}

std::string read_words(settings& into, text value) {
  std::vector<std::string> words;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    text word = value.substr(0, comma);
    value = comma == text::npos ? text() : value.substr(comma + 1);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (word.empty()) continue;
    const bool four_letters =
        word.size() == 4 && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (word != "*" && !four_letters) return fmt::format("'{}' is no four-letter word", word);
    words.emplace_back(word);
  }
  into.server.four_letter_words = std::move(words);
  return {};
}

written write_words(const settings& from) {
  std::string joined;
  for (const std::string& word : from.server.four_letter_words) joined.append(joined.empty() ? "" : ", ").append(word);
  return joined;
}

std::string read_super(settings& into, text value) {
  // Not shown: it is half of a secret.
  if (!value.empty() && value.find(':') == text::npos) return "it is not of the form user:hash";
  into.server.super_digest = value;
  return {};
}

std::string read_compatibility(settings& into, text value) {
  if (value != "3.8" && value != "3.9") return fmt::format("'{}' is neither 3.8 nor 3.9", value);
  into.server.compatibility = value == "3.9" ? server_compatibility::apache_3_9 : server_compatibility::apache_3_8;
  return {};
}

written write_compatibility(const settings& from) {
  return from.server.compatibility == server_compatibility::apache_3_9 ? "3.9" : "3.8";
}

// ---- keys -----------------------------------------------------------------------------------------------------------

using enum key_form;

constexpr std::array rules{
    setting_rule{"clientPort", plain, [](settings& s, text v) { return whole_to(v, 0, 65535, s.server.port); },
                 [](const settings& s) { return number(s.server.port); }},
    setting_rule{"clientPortAddress", plain, [](settings& s, text v) { return address_to(v, s.server.address); },
                 [](const settings& s) { return written(s.server.address); }},
    setting_rule{"admin.enableServer", property, read_admin_enabled,
                 [](const settings& s) { return flag(s.admin.on()); }},
    setting_rule{"admin.serverPort", property, read_admin_port, [](const settings& s) { return number(s.admin.port); }},
    setting_rule{"admin.serverAddress", property, [](settings& s, text v) { return address_to(v, s.admin.address); },
                 [](const settings& s) { return written(s.admin.address); }},
    setting_rule{"admin.commandURL", property, read_command_url,
                 [](const settings& s) { return written(s.admin.command_url); }},
    setting_rule{"dataDir", plain, [](settings& s, text v) { return path_to(v, s.server.data_dir); },
                 [](const settings& s) { return unless_empty(s.server.data_dir); }},
    setting_rule{"dataLogDir", plain, [](settings& s, text v) { return path_to(v, s.server.data_log_dir); },
                 [](const settings& s) { return unless_empty(s.server.data_log_dir); }},
    // Session time-outs are 32-bit milliseconds on the wire; 20 ticks must fit.
    setting_rule{"tickTime", plain,
                 [](settings& s, text v) { return span_to(v, largest_int / 20, s.server.tick_time); },
                 [](const settings& s) { return ms(s.server.tick_time); }},
    setting_rule{"minSessionTimeout", plain,
                 [](settings& s, text v) { return bound_to(v, s.server.min_session_timeout); },
                 [](const settings& s) { return ms(s.server.min_session_timeout.value_or(2 * s.server.tick_time)); }},
    setting_rule{"maxSessionTimeout", plain,
                 [](settings& s, text v) { return bound_to(v, s.server.max_session_timeout); },
                 [](const settings& s) { return ms(s.server.max_session_timeout.value_or(20 * s.server.tick_time)); }},
    setting_rule{
        "maxClientCnxns", plain,
        [](settings& s, text v) { return whole_to(v, 0, largest_int, s.server.max_connections_per_address); },
        [](const settings& s) { return number(static_cast<std::int64_t>(s.server.max_connections_per_address)); }},
    setting_rule{"maxCnxns", property,
                 [](settings& s, text v) { return whole_to(v, 0, largest_int, s.server.max_connections); },
                 [](const settings& s) { return number(static_cast<std::int64_t>(s.server.max_connections)); }},
    setting_rule{"4lw.commands.whitelist", property, read_words, write_words},
    setting_rule{"jute.maxbuffer", property,
                 [](settings& s, text v) { return whole_to(v, 64, largest_int, s.server.max_frame_bytes); },
                 [](const settings& s) { return number(static_cast<std::int64_t>(s.server.max_frame_bytes)); }},
    setting_rule{"extendedTypesEnabled", property,
                 [](settings& s, text v) { return flag_to(v, s.server.allow_ttl_nodes); },
                 [](const settings& s) { return flag(s.server.allow_ttl_nodes); }},
    setting_rule{"enforceQuota", property, [](settings& s, text v) { return flag_to(v, s.server.enforce_quota); },
                 [](const settings& s) { return flag(s.server.enforce_quota); }},
    setting_rule{"znode.container.checkIntervalMs", property,
                 [](settings& s, text v) { return span_to(v, largest_int, s.server.reap_interval); },
                 [](const settings& s) { return ms(s.server.reap_interval); }},
    setting_rule{"DigestAuthenticationProvider.superDigest", property, read_super,
                 [](const settings& s) { return unless_empty(s.server.super_digest); }, true},
    setting_rule{"snapCount", property,
                 [](settings& s, text v) { return whole_to(v, 2, largest_int, s.server.snap_count); },
                 [](const settings& s) { return number(static_cast<std::int64_t>(s.server.snap_count)); }},
    setting_rule{"fsync.warningthresholdms", property,
                 [](settings& s, text v) {
                   std::int64_t number = 0;
                   std::string bad = whole(v, 0, largest_int, number);
                   if (bad.empty()) s.server.slow_fsync = milliseconds(number);
                   return bad;
                 },
                 [](const settings& s) { return ms(s.server.slow_fsync); }},
    setting_rule{"preAllocSize", property,
                 [](settings& s, text v) { return whole_to(v, 1, largest_int, s.pre_alloc_kib); },
                 [](const settings& s) { return number(s.pre_alloc_kib); }},
    setting_rule{"autopurge.snapRetainCount", plain,
                 [](settings& s, text v) { return whole_to(v, 1, largest_int, s.server.snapshots_kept); },
                 [](const settings& s) { return number(static_cast<std::int64_t>(s.server.snapshots_kept)); }},
    setting_rule{"autopurge.purgeInterval", plain,
                 [](settings& s, text v) {
                   // Ten years: what is longer does not fit every clock.
                   std::int64_t hours = 0;
                   std::string bad = whole(v, 0, 87'600, hours);
                   if (bad.empty()) s.purge_interval = std::chrono::hours(hours);
                   return bad;
                 },
                 [](const settings& s) { return number(s.purge_interval.count()); }},
    setting_rule{"sessionRequireClientSASLAuth", property,
                 [](settings& s, text v) { return flag_to(v, s.server.require_sasl); },
                 [](const settings& s) { return flag(s.server.require_sasl); }},
    // Ours: Apache takes them for properties of Java that it does not know, and goes on.
    setting_rule{"zkrecipes.saslUsers", plain, [](settings& s, text v) { return path_to(v, s.server.sasl_users_file); },
                 [](const settings& s) { return unless_empty(s.server.sasl_users_file); }},
    setting_rule{"zkrecipes.compatibility", plain, read_compatibility, write_compatibility},
};

constexpr text prefix = "zookeeper.";

}  // namespace

std::span<const setting_rule> setting_rules() noexcept { return rules; }

const setting_rule* find_rule(std::string_view key) noexcept {
  for (const setting_rule& one : rules) {
    if (key == one.key) return &one;
    if (one.form == property && key.starts_with(prefix) && key.substr(prefix.size()) == one.key) return &one;
  }
  return nullptr;
}

}  // namespace zkr::backend
