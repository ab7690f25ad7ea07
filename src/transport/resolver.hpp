#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/result.hpp"

// From "zk1:2181,zk2,[::1]:2181" to the addresses that the C library is given. It is never given a name: it would
// resolve it again and again, and a list of even length makes it skip every other server after a disconnect
// (ZOOKEEPER-2466).
namespace zkr::transport {

inline constexpr std::uint16_t default_port = 2181;

/// A server as the user writes it.
struct server_name {
  std::string host;  ///< A name or a numeric address; IPv6 without its brackets.
  std::uint16_t port = default_port;

  friend bool operator==(const server_name&, const server_name&) = default;
};

/// A server's numeric address.
struct server_address {
  std::string ip;  ///< IPv6 without brackets, with its scope where it has one ("fe80::1%eth0").
  std::uint16_t port = default_port;

  friend bool operator==(const server_address&, const server_address&) = default;
};

/// Splits a host list: "name", "name:port", "[IPv6]" or "[IPv6]:port", separated by commas; blanks around an entry are
/// ignored, nothing else is.
///
/// @par Errors  invalid_argument; the message quotes the entry and says what is wrong with it.
[[nodiscard]] result<std::vector<server_name>> parse_hosts(std::string_view hosts);

/// The numeric addresses of a host, of all families. Blocks.
using lookup = std::function<result<std::vector<std::string>>(const std::string& host)>;
/// getaddrinfo.
[[nodiscard]] result<std::vector<std::string>> look_up(const std::string& host);

/// A random order, so that clients spread over the servers.
void shuffle(std::vector<server_address>& addresses);

/// How names become an ordered list of addresses; replaced in tests.
struct resolver {
  lookup find = look_up;
  std::function<void(std::vector<server_address>&)> arrange = shuffle;
};

struct resolved_servers {
  std::vector<server_address> addresses;  ///< Without duplicates, arranged, not empty.
  std::vector<std::string> problems;      ///< A line for each host that has no address at present.
};

/// Looks up all hosts. Blocks as long as the lookups do.
///
/// @par Errors  resolve_failed where no host has an address; the message names the first, and why.
[[nodiscard]] result<resolved_servers> resolve(const std::vector<server_name>& servers, const resolver& how);

/// What was found now, in the order of `before` as far as it was there, so that a list that is gone through stays one.
[[nodiscard]] std::vector<server_address> in_order_of(const std::vector<server_address>& before,
                                                      std::vector<server_address> found);

/// Whether a host is a name, whose addresses may change.
[[nodiscard]] bool needs_lookup(const server_name& server);

/// The list in the C library's notation ("10.0.0.1:2181,::1:2181", without brackets), beginning with the entry number
/// `first` (modulo the length). A list of even length is made odd by repeating an entry: after a disconnect the library
/// advances by two, and would never come to the others (ZOOKEEPER-2466).
[[nodiscard]] std::string connect_string(const std::vector<server_address>& addresses, std::size_t first);

}  // namespace zkr::transport
