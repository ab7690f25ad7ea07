#include "zkrecipes/acl.hpp"

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include <array>

namespace zkr {
namespace {

std::string base64_sha1(std::string_view text) {
  sha1_ctx state;
  sha1_init(&state);
  sha1_update(&state, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  std::array<std::uint8_t, SHA1_DIGEST_SIZE> hash{};
  sha1_digest(&state, hash.size(), hash.data());
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(hash.size()), '\0');
  base64_encode_raw(encoded.data(), hash.size(), hash.data());
  return encoded;
}

}  // namespace

const acl_list& open_acl() {
  static const acl_list list{{perms::all, "world", "anyone"}};
  return list;
}

const acl_list& read_acl() {
  static const acl_list list{{perms::read, "world", "anyone"}};
  return list;
}

const acl_list& creator_all_acl() {
  static const acl_list list{{perms::all, "auth", ""}};
  return list;
}

std::string digest_id(std::string_view user, std::string_view password) {
  std::string credentials(user);
  return digest_id(credentials.append(":").append(password));
}

std::string digest_id(std::string_view credentials) {
  std::string id(credentials.substr(0, credentials.find(':')));
  return id.append(":").append(base64_sha1(credentials));
}

}  // namespace zkr
