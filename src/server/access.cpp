#include "server/access.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace zkr::backend {

namespace {

constexpr std::string_view world_scheme = "world";
constexpr std::string_view auth_scheme = "auth";
constexpr std::string_view digest_scheme = "digest";
constexpr std::string_view ip_scheme = "ip";
constexpr std::string_view super_scheme = "super";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// Apache splits with String.split, which drops empty parts at the end: "a:b:" is as good as "a:b".
bool is_digest_id(std::string_view id) {
  std::vector<std::string_view> parts = split(id, ':');
  while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
  return parts.size() == 2;
}

// Integer.parseInt: an optional sign, digits.
std::optional<int> java_int(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 10) return std::nullopt;
  long long value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(negative ? -value : value);
}

std::optional<std::uint32_t> ipv4(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const std::string_view part : parts) {
    const std::optional<int> value = java_int(part);
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    address = address << 8U | static_cast<std::uint32_t>(*value);
  }
  return address;
}

struct network {
  std::uint32_t address = 0;
  std::uint32_t mask = 0;
};

std::optional<network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<std::uint32_t> address = ipv4(text.substr(0, slash));
  if (!address) return std::nullopt;
  int bits = 32;
  if (slash != std::string_view::npos) {
    const std::optional<int> given = java_int(text.substr(slash + 1));
    if (!given || *given < 0 || *given > 32) return std::nullopt;
    bits = *given;
  }
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << static_cast<unsigned>(32 - bits);
  return network{*address & mask, mask};
}

bool fits(const principal& who, const acl_entry& entry) noexcept {
  if (who.scheme != entry.scheme) return false;
  // SASLAuthenticationProvider lets this user in wherever one of SASL may go.
  if (entry.scheme == sasl_scheme && who.id == "super") return true;
  if (entry.scheme != ip_scheme) return who.id == entry.id;
  const std::optional<network> wanted = parse_network(entry.id);
  const std::optional<std::uint32_t> actual = ipv4(who.id);
  return wanted && actual && (*actual & wanted->mask) == wanted->address;
}

bool is_world(const acl_entry& entry) noexcept { return entry.scheme == world_scheme && entry.id == "anyone"; }

// What could be a principal of Kerberos, user[/host][@realm], or has no '@' at all.
bool is_sasl_id(std::string_view id) {
  const std::size_t at = id.find('@');
  if (at == std::string_view::npos) return true;
  const std::string_view name = id.substr(0, at);
  return id.find_first_of("@/", at + 1) == std::string_view::npos && std::count(name.begin(), name.end(), '/') <= 1;
}

bool is_well_formed(const acl_entry& entry, sasl_ids sasl) {
  if (is_world(entry)) return true;
  if (entry.scheme == digest_scheme) return is_digest_id(entry.id);
  if (entry.scheme == ip_scheme) return parse_network(entry.id).has_value();
  if (entry.scheme == sasl_scheme) return sasl == sasl_ids::accepted && is_sasl_id(entry.id);
  return false;
}

}  // namespace

std::optional<principals> authenticate(std::string_view scheme, std::string_view credentials,
                                       std::string_view peer_address, std::string_view super_id) {
  if (scheme == ip_scheme) return principals{{std::string(ip_scheme), std::string(peer_address)}};
  if (scheme != digest_scheme || credentials.data() == nullptr) return std::nullopt;
  std::string id = digest_id(credentials);
  principals added;
  if (!super_id.empty() && id == super_id) added.push_back({std::string(super_scheme), ""});
  added.push_back({std::string(digest_scheme), std::move(id)});
  return added;
}

bool permits(const acl_list& list, std::int32_t wanted, const principals& who) noexcept {
  if (list.empty()) return true;
  const auto is_super = [](const principal& one) { return one.scheme == super_scheme; };
  for (const acl_entry& entry : list) {
    if ((entry.perms & wanted) == 0) continue;
    if (is_world(entry)) return true;
    if (std::any_of(who.begin(), who.end(), [&](const principal& one) { return fits(one, entry); })) return true;
  }
  return std::any_of(who.begin(), who.end(), is_super);
}

std::optional<acl_list> normalised(const acl_list& list, const principals& who, sasl_ids sasl) {
  acl_list stored;
  for (auto entry = list.begin(); entry != list.end(); ++entry) {
    if (std::find(list.begin(), entry, *entry) != entry) continue;
    if (entry->scheme == auth_scheme) {
      const std::size_t before = stored.size();
      for (const principal& one : who) {
        if (one.scheme == digest_scheme || one.scheme == sasl_scheme)
          stored.push_back({entry->perms, one.scheme, one.id});
      }
      if (stored.size() == before) return std::nullopt;
    } else if (is_well_formed(*entry, sasl)) {
      stored.push_back(*entry);
    } else {
      return std::nullopt;
    }
  }
  if (stored.empty()) return std::nullopt;
  return stored;
}

acl_list masked(const acl_list& list) {
  acl_list shown = list;
  for (acl_entry& entry : shown) {
    const std::size_t colon = entry.id.find(':');
    if (entry.scheme == digest_scheme && colon != std::string::npos) entry.id.replace(colon, std::string::npos, ":x");
  }
  return shown;
}

std::string_view user_name(const principal& who) noexcept {
  const std::string_view id = who.id;
  return who.scheme == digest_scheme ? id.substr(0, id.find(':')) : id;
}

}  // namespace zkr::backend
