#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "zkrecipes/result.hpp"

namespace zkr::testing {

/// A network of the members' own: a namespace a member, and one with a router between them and this process. The router
/// loses packets silently, in one direction or both, as a network does that fails.
///
///   198.18.N.I          member I, from 1 (198.18.0.0/15 is set aside for tests of networks: RFC 2544)
///   198.18.N.(100 + I)  the same member by its gate
///   198.18.N.253        the router
///   198.18.N.254        this process
class ensemble_network {
 public:
  /// Whether this process may make one: it needs to be root, or nearly so, and Debian's package iproute2.
  [[nodiscard]] static bool possible();
  /// @par Errors  io_error.
  [[nodiscard]] static result<ensemble_network> make(std::size_t members);

  ensemble_network(ensemble_network&& other) noexcept;
  ensemble_network& operator=(ensemble_network&& other) = delete;
  ~ensemble_network();

  /// Members count from 0 here.
  [[nodiscard]] std::string address(std::size_t member) const { return host(member + 1); }
  [[nodiscard]] std::string gate(std::size_t member) const { return host(member + 101); }
  [[nodiscard]] std::string outside() const { return host(254); }
  /// The name of a member's namespace, for `ip netns exec`.
  [[nodiscard]] std::string space(std::size_t member) const;

  /// Loses what goes from one address to another, until heal().
  result<void> cut(const std::string& from, const std::string& to);
  result<void> heal();

 private:
  ensemble_network(std::string name, int number, std::size_t members)
      : name_(std::move(name)), number_(number), members_(members) {}
  [[nodiscard]] std::string host(std::size_t last) const;
  [[nodiscard]] std::string set_up() const;

  std::string name_;  ///< Of the namespaces; empty: moved from.
  int number_;
  std::size_t members_;
  std::set<std::pair<std::string, std::string>> cuts_;
};

}  // namespace zkr::testing
