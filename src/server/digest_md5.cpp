#include "server/digest_md5.hpp"

#include <nettle/md5.h>
#include <nettle/memops.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

namespace zkr::backend {

namespace {

constexpr std::size_t largest_response_bytes = 4096;
constexpr std::size_t proof_bytes = 32;
constexpr std::string_view the_uri = "zookeeper/zk-sasl-md5";

std::string md5(std::string_view of) {
  md5_ctx state;
  md5_init(&state);
  md5_update(&state, of.size(), reinterpret_cast<const std::uint8_t*>(of.data()));
  std::array<std::uint8_t, MD5_DIGEST_SIZE> hash{};
  md5_digest(&state, hash.size(), hash.data());
  return {hash.begin(), hash.end()};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.append({digits[byte >> 4U], digits[byte & 15U]});
  }
  return text;
}

// RFC 2831 2.1.2.1: what ISO 8859-1 can say goes into the hash in it, though it came in UTF-8. The rest stays.
std::string in_latin1(std::string_view utf8) {
  std::string text;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      text.push_back(utf8[i]);
      continue;
    }
    const bool fits = (lead == 0xc2 || lead == 0xc3) && i + 1 < utf8.size();
    const unsigned char trail = fits ? static_cast<unsigned char>(utf8[i + 1]) : 0;
    if ((trail & 0xc0U) != 0x80) return std::string(utf8);
    text.push_back(static_cast<char>((lead & 3U) << 6U | (trail & 0x3fU)));
    ++i;
  }
  return text;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), [](char c) { return lower(c); });
  return made;
}

using directives = std::map<std::string, std::string, std::less<>>;

/// key=value, … where a value may be quoted; RFC 2831 7.1. Like Java's: spaces may stand between all of them, the last
/// of equal keys counts, what stands at the end without a value is passed over.
class directive_reader {
 public:
  explicit directive_reader(std::string_view text) : rest_(text) {}

  std::optional<directives> read() {
    directives found;
    while (true) {
      skip_spaces();
      const std::string_view key = take_word("=,");
      skip_spaces();
      if (rest_.empty()) return found;
      if (key.empty() || !take('=')) return std::nullopt;
      skip_spaces();
      std::optional<std::string> value = take_value();
      skip_spaces();
      if (!value || (!rest_.empty() && !take(','))) return std::nullopt;
      found.insert_or_assign(lower(key), *std::move(value));
    }
  }

 private:
  static bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_word(std::string_view ends) {
    const auto end = std::find_if(rest_.begin(), rest_.end(),
                                  [&](char c) { return is_space(c) || ends.find(c) != std::string_view::npos; });
    const std::string_view word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(word.size());
    return word;
  }
  std::optional<std::string> take_value() {
    if (!take('"')) {
      const std::string_view word = take_word(",");
      // Empty is fine, but for the last.
      return word.empty() && rest_.empty() ? std::nullopt : std::optional<std::string>(word);
    }
    std::string value;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) break;
      value.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    return take('"') ? std::optional<std::string>(std::move(value)) : std::nullopt;
  }

  std::string_view rest_;
};

bool is_number(std::string_view text, int base, std::optional<int> wanted) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && (!wanted || number == *wanted);
}

}  // namespace

std::string digest_md5_secret(std::string_view user, std::string_view realm, std::string_view password) {
  return md5(in_latin1(user).append(":").append(in_latin1(realm)).append(":").append(in_latin1(password)));
}

std::string digest_md5_response(std::string_view secret, const digest_md5_facts& facts, std::string_view verb) {
  std::string a1(secret);
  a1.append(":").append(facts.nonce).append(":").append(facts.client_nonce);
  if (facts.authorisation) a1.append(":").append(*facts.authorisation);
  const std::string a2 = std::string(verb).append(":").append(facts.uri);
  std::string all = hex(md5(a1));
  all.append(":").append(facts.nonce).append(":00000001:").append(facts.client_nonce);
  return hex(md5(all.append(":auth:").append(hex(md5(a2)))));
}

std::optional<std::string> digest_md5::respond(std::string_view token) {
  switch (next_) {
    case step::challenge:
      // Whatever the client has sent with its wish: Java's server does not look at it.
      next_ = step::response;
      return std::string("realm=\"")
          .append(sasl_realm)
          .append("\",nonce=\"")
          .append(nonce_)
          .append("\",charset=utf-8,algorithm=md5-sess");
    case step::response: next_ = step::done; return judge(token);
    case step::done: break;
  }
  return std::nullopt;
}

std::optional<std::string> digest_md5::judge(std::string_view response) {
  if (response.size() > largest_response_bytes) return std::nullopt;
  std::optional<directives> said = directive_reader(response).read();
  if (!said) return std::nullopt;
  const auto has = [&](std::string_view key) { return said->find(key) != said->end(); };
  const auto text = [&](std::string_view key, std::string_view otherwise = {}) {
    const auto found = said->find(key);
    return found == said->end() ? std::string(otherwise) : found->second;
  };
  for (const char* needed : {"username", "nonce", "cnonce", "digest-uri", "response"}) {
    if (!has(needed)) return std::nullopt;
  }
  const bool fits = text("charset", "utf-8") == "utf-8" && text("realm") == sasl_realm && text("nonce") == nonce_ &&
                    is_number(text("nc", "1"), 16, 1) && text("qop", "auth") == "auth" &&
                    is_number(text("maxbuf", "65536"), 10, {}) && lower(text("digest-uri")) == the_uri;
  const auto known = secrets_.find(text("username"));
  if (!fits || known == secrets_.end()) return std::nullopt;

  digest_md5_facts facts{nonce_, text("cnonce"), text("digest-uri"), {}};
  if (has("authzid")) facts.authorisation = text("authzid");
  const std::string expected = digest_md5_response(known->second, facts, "AUTHENTICATE");
  const std::string proof = text("response");
  if (proof.size() != proof_bytes || expected.size() != proof_bytes ||
      memeql_sec(proof.data(), expected.data(), proof.size()) == 0) {
    return std::nullopt;
  }
  // Whomever it wants to act for: like Apache, it is who has proved to be here.
  user_ = known->first;
  return "rspauth=" + digest_md5_response(known->second, facts, "");
}

std::string random_nonce() {
  std::random_device source;
  std::string bytes;
  while (bytes.size() < 20) bytes.push_back(static_cast<char>(source()));
  return hex(bytes);
}

}  // namespace zkr::backend
