#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/acl.hpp"

// Who is who, and who may do what: ZooKeeper's schemes world, auth, digest, ip and sasl, and its super
// user.
namespace zkr::backend {

/// What a connection has proved to be.
struct principal {
  std::string scheme;
  std::string id;

  friend bool operator==(const principal&, const principal&) = default;
};
using principals = std::vector<principal>;
inline constexpr std::string_view sasl_scheme = "sasl";

/// What an auth request adds; nothing where the scheme is unknown. `super_id` is the digest id of the super user, or "".
[[nodiscard]] std::optional<principals> authenticate(std::string_view scheme, std::string_view credentials,
                                                     std::string_view peer_address, std::string_view super_id);

/// True where an entry of `list` that grants one of `wanted` fits one of `who`. An empty list grants everything.
[[nodiscard]] bool permits(const acl_list& list, std::int32_t wanted, const principals& who) noexcept;

/// Whether lists may name users of SASL: there must be some.
enum class sasl_ids { refused, accepted };

/// A client's list as it is stored: without duplicates, "auth" replaced by the identities of the connection. Nothing
/// where the list is empty or an entry is not well formed (-114).
[[nodiscard]] std::optional<acl_list> normalised(const acl_list& list, const principals& who, sasl_ids sasl);

/// The list without the hashes of passwords, as it is shown to those who may not administrate the node.
[[nodiscard]] acl_list masked(const acl_list& list);

/// What whoAmI shows of an identity: the name of a digest, the address of an ip.
[[nodiscard]] std::string_view user_name(const principal& who) noexcept;

}  // namespace zkr::backend
