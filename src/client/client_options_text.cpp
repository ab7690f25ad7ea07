#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/duration_text.hpp"
#include "zkrecipes/client_options.hpp"

// Options out of texts. What is wrong is said by the option's name; values are never repeated, for they may be secret.
namespace zkr {
namespace {

error bad(std::string what) { return error(errc::invalid_argument, "client_options", {}, std::move(what)); }

constexpr const char* duration_wanted = "must be a whole number with a unit, as 500ms or 10s";

// Each of these takes a value, or says what is wrong with it.

const char* take(std::string_view value, duration& into) {
  const auto span = detail::parse_duration(value);
  if (!span) return duration_wanted;
  into = *span;
  return nullptr;
}

const char* take(std::string_view value, std::optional<duration>& into) { return take(value, into.emplace()); }

const char* take(std::string_view value, std::size_t& into) {
  const char* end = value.data() + value.size();
  const auto [rest, problem] = std::from_chars(value.data(), end, into);
  return problem == std::errc() && rest == end ? nullptr : "must be a whole number";
}

const char* take(std::string_view value, start_mode& into) {
  into = value == "wait" ? start_mode::wait : start_mode::background;
  return value == "wait" || value == "background" ? nullptr : "must be wait or background";
}

const char* take(std::string_view value, session_loss& into) {
  into = value == "reopen" ? session_loss::reopen : session_loss::stay_closed;
  return value == "reopen" || value == "stay_closed" ? nullptr : "must be reopen or stay_closed";
}

const char* take(std::string_view value, missing_chroot& into) {
  into = value == "fail" ? missing_chroot::fail : missing_chroot::create;
  return value == "fail" || value == "create" ? nullptr : "must be fail or create";
}

const char* take(std::string_view value, std::vector<auth_entry>& into) {
  const auto colon = value.find(':');
  if (colon == std::string_view::npos || colon == 0) return "must be SCHEME:CREDENTIALS, as digest:user:password";
  into.push_back({std::string(value.substr(0, colon)), std::string(value.substr(colon + 1))});
  return nullptr;
}

template <auto Member>
const char* set(client_options& of, std::string_view value) {
  return take(value, of.*Member);
}

struct named_option {
  std::string_view name;
  const char* (*set)(client_options&, std::string_view);
};

using options = client_options;
constexpr std::array all_options{
    named_option{"auth", set<&options::auth>},
    named_option{"chroot", set<&options::chroot>},
    named_option{"close_timeout", set<&options::close_timeout>},
    named_option{"follower_timeout", set<&options::follower_timeout>},
    named_option{"handshake_timeout", set<&options::handshake_timeout>},
    named_option{"lease_margin", set<&options::lease_margin>},
    named_option{"loss_timeout", set<&options::loss_timeout>},
    named_option{"max_in_flight", set<&options::max_in_flight>},
    named_option{"max_watch_bytes", set<&options::max_watch_bytes>},
    named_option{"on_session_loss", set<&options::on_session_loss>},
    named_option{"operation_timeout", set<&options::operation_timeout>},
    named_option{"session_timeout", set<&options::session_timeout>},
    named_option{"start", set<&options::start>},
    named_option{"tick_time", set<&options::tick_time>},
    named_option{"warn_before", set<&options::warn_before>},
};

const named_option* find(std::string_view name) {
  const auto* found =
      std::find_if(all_options.begin(), all_options.end(), [&](const named_option& one) { return one.name == name; });
  return found == all_options.end() ? nullptr : found;
}

result<client_options> checked(client_options made) {
  if (const auto valid = made.validate(); !valid) return valid.error();
  return made;
}

// "%2F" -> "/". Unset: a '%' without two digits behind it, or a NUL.
std::optional<std::string> unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
    if (byte == 0) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

constexpr std::string_view scheme = "zk://";
constexpr const char* broken_escape = "a '%' must be followed by two hexadecimal digits, not 00";

// What is not printable in a name that the user gave is left out of the message.
std::string quoted(std::string_view name) {
  const auto odd = [](char c) { return c < '!' || c > '~'; };
  const auto end = std::find_if(name.begin(), name.end(), odd);
  return "'" + std::string(name.begin(), end) + (end == name.end() ? "'" : "...'");
}

}  // namespace

result<client_options> client_options::from_uri(std::string_view uri) {
  if (!uri.starts_with(scheme)) return bad("uri: must begin with zk://");
  uri.remove_prefix(scheme.size());
  const auto question = std::min(uri.find('?'), uri.size());
  client_options made;
  auto where = unescaped(uri.substr(0, question));
  if (!where) return bad(std::string("uri: hosts: ") + broken_escape);
  if (where->find('@') != std::string::npos) return bad("uri: hosts: no user and password there; see auth");
  made.hosts = *std::move(where);
  std::vector<std::string_view> seen;
  for (auto left = uri.substr(std::min(question + 1, uri.size())); !left.empty();) {
    const auto end = std::min(left.find('&'), left.size());
    const auto pair = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const auto equals = pair.find('=');
    const auto name = pair.substr(0, equals);
    const named_option* known = find(name);
    if (known == nullptr) return bad("uri: " + quoted(name) + " is no option");
    if (equals == std::string_view::npos) return bad("uri: " + quoted(name) + " has no value");
    if (name != "auth" && std::find(seen.begin(), seen.end(), name) != seen.end())
      return bad("uri: " + quoted(name) + " stands there twice");
    seen.push_back(name);
    const auto value = unescaped(pair.substr(equals + 1));
    const char* complaint = value ? known->set(made, *value) : broken_escape;
    if (complaint != nullptr) return bad("uri: " + std::string(name) + ": " + complaint);
  }
  return checked(std::move(made));
}

result<client_options> client_options::from_env(std::string_view prefix) {
  // What `zkr elect` gives its command is not about clients.
  constexpr std::array given{"FENCING_TOKEN", "PATH", "NODE", "ID"};
  if (prefix.empty()) return bad("environment: the prefix must not be empty");
  client_options made;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable = *at;
    const auto equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string_view::npos) continue;
    const auto full_name = variable.substr(0, equals);
    const auto name = full_name.substr(std::min(prefix.size(), equals));
    const auto value = variable.substr(equals + 1);
    if (name == "SERVERS") {
      made.hosts = value;
      continue;
    }
    if (prefix == "ZKR_" && std::find(given.begin(), given.end(), name) != given.end()) continue;
    std::string lower(name);
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const bool capitals = std::none_of(lower.begin(), lower.end(), is_lower);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const named_option* known = capitals ? find(lower) : nullptr;
    if (known == nullptr) return bad("environment: " + quoted(full_name) + " stands for no option");
    if (const char* complaint = known->set(made, value); complaint != nullptr)
      return bad("environment: " + std::string(full_name) + ": " + complaint);
  }
  return checked(std::move(made));
}

}  // namespace zkr
