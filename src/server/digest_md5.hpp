#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

// SASL's mechanism DIGEST-MD5 (RFC 2831), as Apache's server offers it to kazoo and to Java's clients.
namespace zkr::backend {

/// The one realm there is; Apache's, of which its clients must know.
inline constexpr std::string_view sasl_realm = "zk-sasl-md5";

/// What stands for a password: the hash of it with user and realm, 16 bytes.
[[nodiscard]] std::string digest_md5_secret(std::string_view user, std::string_view realm, std::string_view password);

/// Secrets by user.
using sasl_secrets = std::map<std::string, std::string, std::less<>>;

/// What goes into a response, beside the secret.
struct digest_md5_facts {
  std::string nonce;
  std::string client_nonce;
  std::string uri;
  std::optional<std::string> authorisation = std::nullopt;
};

/// RFC 2831 2.1.2.1 with qop "auth" and the nonce's first use. `verb` is "AUTHENTICATE" for the client's response, "" for
/// the server's.
[[nodiscard]] std::string digest_md5_response(std::string_view secret, const digest_md5_facts& facts,
                                              std::string_view verb);

/// The server's side of one negotiation: a challenge, one response, the verdict. There is no second attempt.
class digest_md5 {
 public:
  /// @param secrets  outlives this object.
  /// @param nonce    never used before, and not to be guessed; printable, without quotes.
  digest_md5(const sasl_secrets& secrets, std::string nonce) : secrets_(secrets), nonce_(std::move(nonce)) {}

  /// What to answer; nothing: refused.
  [[nodiscard]] std::optional<std::string> respond(std::string_view token);
  /// Who the client is; "" until it has proved it.
  [[nodiscard]] const std::string& user() const noexcept { return user_; }

 private:
  enum class step { challenge, response, done };

  [[nodiscard]] std::optional<std::string> judge(std::string_view response);

  const sasl_secrets& secrets_;
  const std::string nonce_;
  std::string user_;
  step next_ = step::challenge;
};

/// A nonce from the system's source of randomness.
[[nodiscard]] std::string random_nonce();

}  // namespace zkr::backend
