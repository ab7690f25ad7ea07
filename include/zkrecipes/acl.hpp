#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zkr {

/// Permission bits of an ACL entry (ZooDefs.Perms).
namespace perms {
inline constexpr std::int32_t read = 1;
inline constexpr std::int32_t write = 2;
inline constexpr std::int32_t create = 4;
inline constexpr std::int32_t remove = 8;
inline constexpr std::int32_t admin = 16;
inline constexpr std::int32_t all = 31;
}  // namespace perms

/// One entry of a node's access list: who (`scheme`, `id`) may do what (`perms`).
struct acl_entry {
  std::int32_t perms = 0;
  std::string scheme;
  std::string id;

  friend bool operator==(const acl_entry&, const acl_entry&) = default;
};

using acl_list = std::vector<acl_entry>;

/// Everybody may do everything (ZOO_OPEN_ACL_UNSAFE). The default of every create.
[[nodiscard]] const acl_list& open_acl();
/// Everybody may read, nobody may change (ZOO_READ_ACL_UNSAFE).
[[nodiscard]] const acl_list& read_acl();
/// Everything for the identities that the creating client authenticated as (ZOO_CREATOR_ALL_ACL).
[[nodiscard]] const acl_list& creator_all_acl();

/// The id of scheme "digest" for a user: `user:base64(sha1("user:password"))`, as DigestAuthenticationProvider makes it.
[[nodiscard]] std::string digest_id(std::string_view user, std::string_view password);
/// The same for credentials in one string, as they are sent in an auth request: split at the first colon; a string
/// without one is user and credentials at once.
[[nodiscard]] std::string digest_id(std::string_view credentials);

}  // namespace zkr
