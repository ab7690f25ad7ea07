#include "transport/resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <random>

namespace zkr::transport {
namespace {

error bad_entry(std::string_view entry, std::string_view why) {
  std::string detail = "host list: \"";
  return error(errc::invalid_argument, "connect", {}, detail.append(entry).append("\": ").append(why));
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_ipv6(std::string_view text) {
  in6_addr ignored{};
  return inet_pton(AF_INET6, std::string(text.substr(0, text.find('%'))).c_str(), &ignored) == 1;
}

bool is_name(std::string_view text) noexcept {
  // What names and IPv4 addresses are made of; underscores stand in many container networks' names.
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

result<server_name> parse_entry(std::string_view entry) {
  if (entry.empty()) return bad_entry(entry, "an entry is empty");
  server_name server;
  std::string_view rest;
  if (entry.front() == '[') {
    const auto end = entry.find(']');
    if (end == std::string_view::npos) return bad_entry(entry, "']' is missing");
    server.host = entry.substr(1, end - 1);
    if (!is_ipv6(server.host)) return bad_entry(entry, "not an IPv6 address");
    rest = entry.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return bad_entry(entry, "only ':' and a port may follow ']'");
  } else {
    const auto colon = entry.find(':');
    server.host = entry.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : entry.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos) {
      return bad_entry(entry, "more than one ':'; an IPv6 address stands in brackets");
    }
    if (!is_name(server.host)) return bad_entry(entry, "not a host name or address");
  }
  if (rest.empty()) return server;
  rest.remove_prefix(1);
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), server.port);
  if (parsed.ec != std::errc() || parsed.ptr != rest.data() + rest.size() || server.port == 0) {
    return bad_entry(entry, "the port is not a number from 1 to 65535");
  }
  return server;
}

}  // namespace

result<std::vector<server_name>> parse_hosts(std::string_view hosts) {
  std::vector<server_name> servers;
  for (std::size_t start = 0; start <= hosts.size();) {
    const auto comma = std::min(hosts.find(',', start), hosts.size());
    auto server = parse_entry(trimmed(hosts.substr(start, comma - start)));
    if (!server) return std::move(server).error();
    servers.push_back(*std::move(server));
    start = comma + 1;
  }
  return servers;
}

bool needs_lookup(const server_name& server) {
  in_addr ignored{};
  return !is_ipv6(server.host) && inet_pton(AF_INET, server.host.c_str(), &ignored) != 1;
}

result<std::vector<std::string>> look_up(const std::string& host) {
  addrinfo hints{};
  // Both families, whatever this machine's own addresses are: an address that cannot be reached costs one attempt.
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &raw); failed != 0) {
    return error(errc::resolve_failed, "connect", {}, host + ": " + gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, &freeaddrinfo);
  std::vector<std::string> ips;
  for (const auto* one = found.get(); one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
      ips.emplace_back(text);
    }
  }
  if (ips.empty()) return error(errc::resolve_failed, "connect", {}, host + ": it has no IP address");
  return ips;
}

void shuffle(std::vector<server_address>& addresses) {
  std::random_device seed;
  std::shuffle(addresses.begin(), addresses.end(), std::mt19937(seed()));
}

result<resolved_servers> resolve(const std::vector<server_name>& servers, const resolver& how) {
  resolved_servers all;
  for (const auto& server : servers) {
    auto ips = how.find(server.host);
    if (!ips) {
      all.problems.push_back(ips.error().detail().empty() ? server.host : ips.error().detail());
      continue;
    }
    for (auto& ip : *ips) {
      server_address address{std::move(ip), server.port};
      if (std::find(all.addresses.begin(), all.addresses.end(), address) == all.addresses.end()) {
        all.addresses.push_back(std::move(address));
      }
    }
  }
  if (all.addresses.empty()) {
    return error(errc::resolve_failed, "connect", {},
                 "no server has an address: " + (all.problems.empty() ? std::string("no host") : all.problems.front()));
  }
  how.arrange(all.addresses);
  return all;
}

std::vector<server_address> in_order_of(const std::vector<server_address>& before, std::vector<server_address> found) {
  const auto place = [&](const server_address& one) { return std::find(before.begin(), before.end(), one); };
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return found;
}

std::string connect_string(const std::vector<server_address>& addresses, std::size_t first) {
  const std::size_t count = addresses.size();
  std::string list;
  for (std::size_t i = 0; i < (count | 1U); ++i) {
    const auto& address = addresses[(first + i) % count];
    if (i > 0) list += ',';
    list.append(address.ip).append(":").append(std::to_string(address.port));
  }
  return list;
}

}  // namespace zkr::transport
