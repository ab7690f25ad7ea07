#include "zkrecipes/acl.hpp"

#include <openssl/evp.h>

#include <array>

namespace zkr {
namespace {

std::string base64_sha1(std::string_view text) {
  std::array<unsigned char, 20> hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha1(), nullptr);
  std::array<unsigned char, 29> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), hash.data(), static_cast<int>(hash.size()));
  return {encoded.begin(), encoded.begin() + length};
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
