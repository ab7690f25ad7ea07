#include "server/sasl_users.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <sstream>

namespace zkr::backend {

namespace {

constexpr const char* operation = "read SASL users";

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// What stands between the quotes, if nothing but a ';' stands behind them.
std::optional<std::string> password_in(std::string_view text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string password;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      const std::string_view rest = trimmed(text.substr(i + 1));
      return rest.empty() || rest == ";" ? std::optional(std::move(password)) : std::nullopt;
    }
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
    }
    password.push_back(text[i]);
  }
  return std::nullopt;
}

}  // namespace

result<sasl_secrets> parse_sasl_users(std::string_view text, std::string_view file_name) {
  sasl_secrets found;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto bad = [&](const char* what) {
      return error(errc::invalid_argument, operation, {}, fmt::format("{}:{}: {}", file_name, number, what));
    };
    constexpr std::string_view prefix = "user_";
    const std::size_t equals = line.find('=');
    if (!line.starts_with(prefix) || equals == std::string_view::npos) return bad("it is no user_NAME=\"PASSWORD\"");
    const std::string name(trimmed(line.substr(prefix.size(), equals - prefix.size())));
    if (name.empty()) return bad("there is no name");
    if (name.find_first_of("@/") != std::string::npos) return bad("a name with '@' or '/' is one of Kerberos");
    const std::optional<std::string> password = password_in(trimmed(line.substr(equals + 1)));
    if (!password) return bad("the password does not stand in quotes");
    if (!found.emplace(name, digest_md5_secret(name, sasl_realm, *password)).second) return bad("the name comes twice");
  }
  if (found.empty()) {
    return error(errc::invalid_argument, operation, {}, fmt::format("{}: there are no users", file_name));
  }
  return found;
}

result<sasl_secrets> read_sasl_users(const std::string& file) {
  std::ifstream from(file, std::ios::binary);
  std::ostringstream text;
  // A folder can be opened, and not be read.
  if (from.is_open()) text << from.rdbuf();
  if (!text || !from.is_open() || from.bad()) return error(errc::io_error, operation, {}, file + " cannot be read");
  return parse_sasl_users(text.str(), file);
}

}  // namespace zkr::backend
