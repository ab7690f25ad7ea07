#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/sasl_users.hpp"

// What a stranger sends instead of a response, and what may stand in a file of users. Nobody who does not know a password
// gets in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zkr::backend;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_sasl_users(text, "users");
  static const sasl_secrets users{{"ann", digest_md5_secret("ann", sasl_realm, "a password that nobody guesses")}};
  digest_md5 server(users, "n");
  if (!server.respond(text) || server.respond(text) || !server.user().empty()) std::abort();
  return 0;
}
