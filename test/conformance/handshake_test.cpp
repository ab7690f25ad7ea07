#include <algorithm>

#include "conformance/differences.hpp"
#include "conformance/wire_client.hpp"
#include "support/eventually.hpp"
#include "unit/wire/hex.hpp"

// The start of a connection: new sessions, returning ones, and nonsense.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using wire::connect_request;

std::string shake(raw_client& with, const connect_request& asked) {
  std::string frame;
  wire::append_connect_request_frame(frame, asked);
  with.send(frame);
  return with.receive_frame();
}

const std::string expired = from_hex(
    "00000000 00000000 0000000000000000"
    "00000010 00000000000000000000000000000000 00");

TEST(handshake_conformance, the_read_only_byte_comes_back_if_it_was_sent) {
  for (const auto& [read_only, size] : {std::pair(std::optional(false), 37U), std::pair(std::optional<bool>(), 36U)}) {
    raw_client client(port_under_test());
    const std::string answer = shake(client, {5, 0, 1000, 0, std::string_view("", 0), read_only});
    EXPECT_EQ(answer.size(), size);
    const auto reply = wire::decode_connect_reply(answer);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->protocol_version, 0);
    EXPECT_NE(reply->session_id, 0);
    EXPECT_EQ(reply->password.size(), 16U);
  }
}

TEST(handshake_conformance, a_password_of_any_length_is_accepted_for_a_new_session) {
  for (const std::string& password : {std::string(), std::string("x"), std::string(16, '\0'), std::string(100, 'x')}) {
    EXPECT_NE(wire_client(connect_request{0, 0, 1000, 0, password, false}).session_id, 0) << password.size();
  }
}

TEST(handshake_conformance, time_outs_lie_between_2_and_20_ticks) {
  for (const auto& [asked, given] :
       {std::pair(1, 500), {0, 500}, {-5, 500}, {500, 500}, {1777, 1777}, {5000, 5000}, {1'000'000'000, 5000}}) {
    EXPECT_EQ(wire_client(asked).timeout_ms, given) << asked;
  }
}

TEST(handshake_conformance, a_client_that_has_seen_more_is_not_served) {
  raw_client client(port_under_test());
  EXPECT_EQ(shake(client, {0, std::int64_t{1} << 60U, 1000, 0, std::string_view("", 0), false}), "");
}

TEST(handshake_conformance, a_session_moves_to_the_connection_that_knows_its_password) {
  wire_client before;
  EXPECT_EQ(before.create("/handshake.e", "", wire::create_flags::ephemeral).code(), errc::ok);
  wire_client after(connect_request{0, 0, 1234, before.session_id, before.password, false});
  EXPECT_EQ(after.session_id, before.session_id);
  EXPECT_EQ(after.password, before.password);
  EXPECT_EQ(after.timeout_ms, 1234) << "negotiated anew";
  EXPECT_TRUE(before.is_closed());
  EXPECT_EQ(after.stat("/handshake.e").ephemeral_owner, after.session_id);
}

TEST(handshake_conformance, watches_and_identities_belong_to_the_connection) {
  wire_client before;
  EXPECT_EQ(before.auth("digest", "ann:secret"), errc::ok);
  EXPECT_EQ(before.exists("/handshake.w", true).code(), errc::no_node);
  wire_client after(connect_request{0, 0, 5000, before.session_id, before.password, false});
  EXPECT_EQ(after.create("/handshake.w").code(), errc::ok);
  EXPECT_TRUE(after.events().empty());
  EXPECT_EQ(after.call(wire::set_acl_request{"/handshake.w", {{perms::all, "auth", ""}}, -1}).code(),
            errc::invalid_acl);
}

TEST(handshake_conformance, wrong_passwords_and_unknown_sessions_are_told_expired) {
  wire_client owner;
  const std::string wrong(16, 'x');
  for (const auto& [id, password] : std::vector<std::pair<std::int64_t, std::string>>{
           {owner.session_id + 99, wrong}, {12345, owner.password}, {owner.session_id, wrong}}) {
    raw_client client(port_under_test());
    EXPECT_EQ(to_hex(shake(client, {0, 0, 1000, id, password, false})), to_hex(expired)) << id;
    EXPECT_TRUE(client.is_closed());
  }
}

TEST(handshake_conformance, returning_without_the_read_only_byte_is_answered_without_it) {
  wire_client before(connect_request{0, 0, 1000, 0, std::string(16, '\0'), std::nullopt});
  const std::string password = before.password;
  raw_client back(port_under_test());
  const std::string answer = shake(back, {0, 0, 1234, before.session_id, password, std::nullopt});
  EXPECT_EQ(answer.size(), 36U);
  const auto reply = wire::decode_connect_reply(answer);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->session_id, before.session_id);
  EXPECT_EQ(reply->timeout_ms, 1234);
  EXPECT_EQ(reply->password, password);
  back.send(wire::exists_request{"/"});
  EXPECT_EQ(back.receive_code(), errc::ok);

  raw_client stranger(port_under_test());
  EXPECT_EQ(to_hex(shake(stranger, {0, 0, 1234, before.session_id + 99, password, std::nullopt})),
            to_hex(expired.substr(0, 36)));
  EXPECT_TRUE(stranger.is_closed());
}

TEST(handshake_conformance, coming_back_costs_no_zxid_and_a_new_session_costs_one) {
  // Somebody else's session or container may end in between: then once more.
  std::int64_t least_new = 1000;
  std::int64_t least_back = 1000;
  wire_client counter;
  for (int round = 0; round < 5; ++round) {
    const std::int64_t before = counter.exists("/").header.zxid;
    const wire_client fresh;
    const std::int64_t between = counter.exists("/").header.zxid;
    const wire_client back(connect_request{0, 0, 5000, fresh.session_id, fresh.password, false});
    least_new = std::min(least_new, between - before);
    least_back = std::min(least_back, counter.exists("/").header.zxid - between);
  }
  EXPECT_EQ(least_new, 1);
  EXPECT_EQ(least_back, 0);
}

TEST(handshake_conformance, a_wrong_password_does_not_touch_the_session) {
  wire_client owner;
  raw_client stranger(port_under_test());
  EXPECT_EQ(to_hex(shake(stranger, {0, 0, 1000, owner.session_id, std::string(16, 'x'), false})), to_hex(expired));
  EXPECT_TRUE(stranger.is_closed());
  EXPECT_EQ(owner.exists("/").code(), differs("password-first") ? errc::ok : errc::connection_loss);
  const std::string password = owner.password;
  EXPECT_EQ(wire_client(connect_request{0, 0, 1000, owner.session_id, password, false}).session_id, owner.session_id);
}

TEST(handshake_conformance, nonsense_closes_without_a_word) {
  std::string ping;
  wire::append_request_frame(ping, -2, wire::ping_request{});
  for (const std::string& bytes : {std::string(4, '\0'), ping, from_hex("00000003 616263"), from_hex("ffffffff"),
                                   from_hex("7fffffff"), from_hex("00100000")}) {
    raw_client client(port_under_test());
    client.send(bytes);
    EXPECT_EQ(client.receive_all(), "") << to_hex(bytes);
  }
}

TEST(handshake_conformance, may_come_byte_by_byte) {
  raw_client client(port_under_test());
  std::string frame;
  wire::append_connect_request_frame(frame, {0, 0, 1000, 0, std::string_view("", 0), false});
  wire::append_request_frame(frame, 7, wire::exists_request{"/"});
  for (const char& byte : frame) client.send(std::string_view(&byte, 1));
  EXPECT_EQ(client.receive_frame().size(), 37U);
  EXPECT_EQ(client.receive_code(), errc::ok);
}

}  // namespace
}  // namespace zkr::testing
