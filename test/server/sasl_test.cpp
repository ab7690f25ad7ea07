#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "server/digest_md5.hpp"
#include "server/processor_harness.hpp"
#include "server/sasl_users.hpp"
#include "unit/wire/hex.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// ---- the digest -----------------------------------------------------------------------------------------------------

TEST(digest_md5, gives_the_examples_of_rfc_2831) {
  const std::string secret = backend::digest_md5_secret("chris", "elwood.innosoft.com", "secret");
  const backend::digest_md5_facts imap{"OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk", "imap/elwood.innosoft.com"};
  EXPECT_EQ(backend::digest_md5_response(secret, imap, "AUTHENTICATE"), "d388dad90d4bbd760a152321f2143af7");
  EXPECT_EQ(backend::digest_md5_response(secret, imap, ""), "ea40f60335c427b5527b84dbabcdfffd");
  const backend::digest_md5_facts acap{"OA9BSXrbuRhWay", "OA9BSuZWMSpW8m", "acap/elwood.innosoft.com"};
  EXPECT_EQ(backend::digest_md5_response(secret, acap, "AUTHENTICATE"), "6084c6db3fede7352c551284490fd0fc");
  EXPECT_EQ(backend::digest_md5_response(secret, acap, ""), "2f0b3d7c3c2e486600ef710726aa2eae");
}

TEST(digest_md5, hashes_in_latin1_what_latin1_can_say) {
  const auto secret = [](const char* user) { return backend::digest_md5_secret(user, "r", "p"); };
  EXPECT_EQ(secret("zo\xc3\xab"), secret("zo\xeb"));
  EXPECT_NE(secret("zo\xc3\xab\xe2\x82\xac"), secret("zo\xeb\xe2\x82\xac")) << "the euro is not in it: all stays UTF-8";
}

// ---- a negotiation --------------------------------------------------------------------------------------------------

constexpr const char* uri = "zookeeper/zk-sasl-md5";

/// What Java's clients and kazoo send.
std::string right_response(std::string_view nonce, std::string_view user = "ann", std::string_view password = "secret",
                           std::optional<std::string> authorisation = std::nullopt) {
  const std::string secret = backend::digest_md5_secret(user, backend::sasl_realm, password);
  const backend::digest_md5_facts facts{std::string(nonce), "c", uri, authorisation};
  std::string text = "charset=utf-8,username=\"" + std::string(user) + "\",realm=\"zk-sasl-md5\",nonce=\"";
  text.append(nonce).append("\",nc=00000001,cnonce=\"c\",digest-uri=\"").append(uri);
  text.append("\",maxbuf=65536,response=").append(backend::digest_md5_response(secret, facts, "AUTHENTICATE"));
  if (authorisation) text.append(",authzid=\"").append(*authorisation).append("\"");
  return text.append(",qop=auth");
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

struct negotiation {
  negotiation() { EXPECT_TRUE(server.respond("")); }

  backend::sasl_secrets users{{"ann", backend::digest_md5_secret("ann", backend::sasl_realm, "secret")}};
  backend::digest_md5 server{users, "n"};
};

bool is_accepted(const std::string& response) {
  negotiation with;
  const bool accepted = with.server.respond(response).has_value();
  EXPECT_EQ(with.server.user(), accepted ? "ann" : "") << response;
  return accepted;
}

TEST(digest_md5, challenges_then_proves_that_it_knows_the_password_too) {
  negotiation with;
  backend::digest_md5 another(with.users, "n");
  EXPECT_EQ(another.respond(""), "realm=\"zk-sasl-md5\",nonce=\"n\",charset=utf-8,algorithm=md5-sess");
  EXPECT_EQ(another.user(), "");
  const backend::digest_md5_facts facts{"n", "c", uri};
  EXPECT_EQ(another.respond(right_response("n")),
            "rspauth=" + backend::digest_md5_response(with.users.at("ann"), facts, ""));
  EXPECT_EQ(another.user(), "ann");
}

TEST(digest_md5, takes_one_response_only) {
  negotiation refused;
  EXPECT_FALSE(refused.server.respond("garbage"));
  EXPECT_FALSE(refused.server.respond(right_response("n")));
  EXPECT_EQ(refused.server.user(), "");
  negotiation done;
  EXPECT_TRUE(done.server.respond(right_response("n")));
  EXPECT_FALSE(done.server.respond(right_response("n")));
}

TEST(digest_md5, refuses_who_does_not_know_the_password) {
  EXPECT_TRUE(is_accepted(right_response("n")));
  EXPECT_FALSE(is_accepted(right_response("n", "ann", "wrong")));
  EXPECT_FALSE(is_accepted(right_response("n", "bob")));
  EXPECT_FALSE(is_accepted(right_response("another")));
  // The client may want to act for another: it is who it is.
  EXPECT_TRUE(is_accepted(right_response("n", "ann", "secret", "bob")));
}

TEST(digest_md5, refuses_what_does_not_fit_the_challenge) {
  const std::string right = right_response("n");
  for (const char* needed : {"username=\"ann\",", "realm=\"zk-sasl-md5\",", "nonce=\"n\",", "cnonce=\"c\",",
                             "digest-uri=\"zookeeper/zk-sasl-md5\","}) {
    EXPECT_FALSE(is_accepted(replaced(right, needed, ""))) << needed;
  }
  for (const char* optional : {"charset=utf-8,", "nc=00000001,", "maxbuf=65536,", ",qop=auth"}) {
    EXPECT_TRUE(is_accepted(replaced(right, optional, ""))) << optional;
  }
  EXPECT_FALSE(is_accepted(replaced(right, "response=", "x=")));
  EXPECT_FALSE(is_accepted(replaced(right, "response=", "response=0")));
  EXPECT_FALSE(is_accepted(replaced(right, "utf-8", "latin")));
  EXPECT_FALSE(is_accepted(replaced(right, "zk-sasl-md5", "other")));
  EXPECT_FALSE(is_accepted(replaced(right, "digest-uri=\"zookeeper", "digest-uri=\"other")));
  EXPECT_FALSE(is_accepted(replaced(right, "=00000001", "=00000002")));
  EXPECT_FALSE(is_accepted(replaced(right, "=00000001", "=x")));
  EXPECT_FALSE(is_accepted(replaced(right, "65536", "x")));
  EXPECT_FALSE(is_accepted(replaced(right, "qop=auth", "qop=auth-int")));
}

TEST(digest_md5, reads_lists_as_java_does) {
  const std::string right = right_response("n");
  for (const auto& [from, to] : {std::pair{"username=\"ann\"", "username=ann"},
                                 {"\"ann\"", "\"a\\nn\""},
                                 {"username=", "UserName="},
                                 {"username=", " username\t= "},
                                 {",nc", " , nc"},
                                 {",nc", ",odd=,nc"},
                                 {",nc", ",odd=x,nc"},
                                 {"=00000001", "=\"1\""},
                                 {"username=", "username=bob,username="}}) {
    EXPECT_TRUE(is_accepted(replaced(right, from, to))) << to;
  }
  for (const char* end : {",", ", ", ",odd", ",odd=x"}) EXPECT_TRUE(is_accepted(right + end)) << end;
  for (const char* end : {",odd=", ",odd=\"x", ",odd=\"x\\", ",odd=\"x\"y", ",,", ",=x", ",a b"}) {
    EXPECT_FALSE(is_accepted(right + end)) << end;
  }
  for (const char* all : {"", "garbage", "\"", "=", ",,,"}) EXPECT_FALSE(is_accepted(all)) << all;
  EXPECT_TRUE(is_accepted(right + ",odd=" + std::string(4096 - right.size() - 5, 'x')));
  EXPECT_FALSE(is_accepted(right + ",odd=" + std::string(4097 - right.size() - 5, 'x')));
}

TEST(digest_md5, nonces_do_not_repeat) { EXPECT_NE(backend::random_nonce(), backend::random_nonce()); }

// ---- the users ------------------------------------------------------------------------------------------------------

TEST(sasl_users, stand_in_lines_as_in_jaas_conf) {
  const auto read = backend::parse_sasl_users(
      "# ours\n\n  user_ann=\"secret\"\r\nuser_bob = \"a \\\"quoted\\\" \\\\ one\" ;\nuser_c=\"\";", "users");
  ASSERT_TRUE(read) << read.error().message();
  const auto secret = [](const char* user, const char* password) {
    return backend::digest_md5_secret(user, backend::sasl_realm, password);
  };
  EXPECT_EQ(*read, (backend::sasl_secrets{{"ann", secret("ann", "secret")},
                                          {"bob", secret("bob", "a \"quoted\" \\ one")},
                                          {"c", secret("c", "")}}));
}

TEST(sasl_users, what_is_wrong_is_said_by_line_and_not_shown) {
  for (const auto& [line, why] : {std::pair{"ann=\"secret\"", "no user_NAME"},
                                  {"user_ann", "no user_NAME"},
                                  {"user_=\"secret\"", "no name"},
                                  {"user_a@b=\"secret\"", "Kerberos"},
                                  {"user_a/b=\"secret\"", "Kerberos"},
                                  {"user_ann=secret", "quotes"},
                                  {"user_ann=\"secret", "quotes"},
                                  {"user_ann=\"secret\\", "quotes"},
                                  {"user_ann=\"secret\\n\"", "quotes"},
                                  {"user_ann=\"secret\" x", "quotes"},
                                  {"user_first=\"secret\"", "twice"}}) {
    const auto read = backend::parse_sasl_users(std::string("user_first=\"x\"\n") + line, "some/users");
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().code(), errc::invalid_argument);
    EXPECT_THAT(read.error().message(), HasSubstr("some/users:2: "));
    EXPECT_THAT(read.error().message(), HasSubstr(why)) << line;
    EXPECT_THAT(read.error().message(), Not(HasSubstr("secret"))) << line;
  }
  EXPECT_EQ(backend::parse_sasl_users("# nobody\n", "users").error().code(), errc::invalid_argument);
}

TEST(sasl_users, must_be_readable) {
  const auto started = server::start({.sasl_users_file = "/nonexistent/users"});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), errc::io_error);
  EXPECT_THAT(started.error().message(), HasSubstr("/nonexistent/users"));
  EXPECT_EQ(server::start({.sasl_users_file = "/"}).error().code(), errc::io_error);
  EXPECT_EQ(server::start({.require_sasl = true}).error().code(), errc::invalid_argument);
}

// ---- in the server --------------------------------------------------------------------------------------------------

class sasl_test : public ::testing::Test {
 protected:
  static backend::processor_options with_users(bool required = false) {
    backend::processor_options options = processor_harness::fast();
    options.sasl_users = backend::parse_sasl_users("user_ann=\"secret\"\nuser_super=\"secret\"", "users").value();
    options.require_sasl = required;
    return options;
  }

  static incoming sasl(processor_harness::client& from, std::string_view token) {
    return from.call(wire::sasl_request{token});
  }
  /// The last reply of a negotiation.
  static incoming prove(processor_harness::client& who, std::string_view user, std::string_view password) {
    const std::string body = sasl(who, std::string_view("", 0)).body;
    const std::size_t nonce = body.find("nonce=\"") + 7;
    return sasl(who, right_response(body.substr(nonce, body.find('"', nonce) - nonce), user, password));
  }
  errc create(processor_harness::client& by, const char* path, acl_list acl) {
    return by.call(wire::create_request{wire::opcode::create, path, "", std::move(acl), 0}).code();
  }

  processor_harness server{with_users()};
};

TEST_F(sasl_test, gives_an_identity_for_acls) {
  auto ann = server.connect();
  auto other = server.connect();
  auto root = server.connect();
  const incoming proved = prove(ann, "ann", "secret");
  EXPECT_EQ(proved.code(), errc::ok);
  EXPECT_EQ(proved.header.zxid, 0);
  EXPECT_THAT(proved.body, HasSubstr("rspauth="));
  EXPECT_THAT(ann.call(wire::who_am_i_request{}).body, HasSubstr(std::string("\4sasl\0\0\0\3ann", 11)));

  EXPECT_EQ(create(ann, "/named", {{31, "sasl", "ann"}}), errc::ok);
  EXPECT_EQ(create(ann, "/auth", {{31, "auth", ""}}), errc::ok);
  EXPECT_EQ(create(ann, "/bobs", {{31, "sasl", "bob"}}), errc::ok);
  EXPECT_EQ(create(other, "/odd", {{31, "auth", ""}}), errc::invalid_acl);
  for (const char* path : {"/named", "/auth"}) {
    EXPECT_EQ(ann.get(path).code(), errc::ok);
    EXPECT_EQ(other.get(path).code(), errc::no_auth);
  }
  EXPECT_EQ(ann.get("/bobs").code(), errc::no_auth);
  EXPECT_EQ(prove(root, "super", "secret").code(), errc::ok);
  EXPECT_EQ(root.get("/bobs").code(), errc::ok) << "as Apache's SASLAuthenticationProvider has it";
}

TEST_F(sasl_test, ids_are_names_or_principals_of_kerberos) {
  auto client = server.connect();
  int number = 0;
  for (const char* id : {"", "ann", "a b", "a/b", "a/b/c", "a@b", "a/b@c", "@"}) {
    EXPECT_EQ(create(client, ("/ok-" + std::to_string(++number)).c_str(), {{31, "sasl", id}}), errc::ok) << id;
  }
  for (const char* id : {"a@b@c", "a/b/c@d", "a@b/c"}) {
    EXPECT_EQ(create(client, "/odd", {{31, "sasl", id}}), errc::invalid_acl) << id;
  }
}

TEST_F(sasl_test, a_refusal_ends_the_connection) {
  auto client = server.connect();
  const incoming refused = prove(client, "ann", "wrong");
  EXPECT_EQ(refused.code(), errc::auth_failed);
  EXPECT_EQ(refused.header.zxid, 0);
  EXPECT_EQ(to_hex(refused.body), "ffffffff");
  EXPECT_TRUE(client.closed());

  auto unknown = server.connect();
  EXPECT_EQ(prove(unknown, "bob", "secret").code(), errc::auth_failed);
  auto again = server.connect();
  EXPECT_EQ(prove(again, "ann", "secret").code(), errc::ok);
  EXPECT_EQ(sasl(again, "").code(), errc::auth_failed) << "one negotiation a connection";
  EXPECT_TRUE(again.closed());
  auto null = server.connect();
  null.send(wire::sasl_request{});
  EXPECT_TRUE(null.closed());
  auto plain = server.connect();
  EXPECT_EQ(plain.auth("sasl", "ann"), errc::auth_failed);
}

TEST_F(sasl_test, a_response_fits_one_connection_only) {
  auto first = server.connect();
  auto second = server.connect();
  const std::string body = sasl(first, "").body;
  const std::size_t nonce = body.find("nonce=\"") + 7;
  const std::string response = right_response(body.substr(nonce, body.find('"', nonce) - nonce));
  EXPECT_EQ(sasl(second, "").code(), errc::ok);
  EXPECT_EQ(sasl(second, response).code(), errc::auth_failed);
  EXPECT_EQ(sasl(first, response).code(), errc::ok);
}

TEST_F(sasl_test, may_be_required) {
  processor_harness strict(with_users(true));
  auto hasty = strict.connect();
  const incoming refused = hasty.get("/");
  EXPECT_EQ(refused.code(), errc::session_closed_require_auth);
  EXPECT_EQ(refused.header.zxid, 0);
  EXPECT_TRUE(hasty.closed());
  auto digest = strict.connect();
  EXPECT_EQ(digest.auth("digest", "u:p"), errc::ok);
  EXPECT_EQ(digest.get("/").code(), errc::session_closed_require_auth);
  auto wrong = strict.connect();
  EXPECT_EQ(prove(wrong, "ann", "wrong").code(), errc::session_closed_require_auth);
  auto right = strict.connect();
  EXPECT_EQ(prove(right, "ann", "secret").code(), errc::ok);
  EXPECT_EQ(right.get("/").code(), errc::ok);
}

}  // namespace
}  // namespace zkr::testing
