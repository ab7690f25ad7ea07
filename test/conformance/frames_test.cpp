#include <algorithm>
#include <tuple>

#include "conformance/differences.hpp"
#include "conformance/wire_client.hpp"
#include "unit/wire/hex.hpp"

// Framing, xids, zxids, malformed and unknown requests.
namespace zkr::testing {
namespace {

using wire::opcode;

using frames_conformance = wire_conformance;

std::string frame_of(std::int32_t type, std::string_view body) {
  std::string frame;
  wire::writer to(frame);
  wire::write(to, wire::request_header{7, static_cast<opcode>(type)});
  return frame.append(body);
}

TEST_F(frames_conformance, pipelined_requests_are_answered_in_order) {
  std::vector<std::int32_t> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(zk.send(wire::create_request{opcode::create, at(std::to_string(i)), "", open_acl(), 0}));
    sent.push_back(zk.send(wire::get_data_request{folder}));
  }
  for (const std::int32_t xid : sent) {
    const incoming reply = zk.next();
    EXPECT_EQ(reply.header.xid, xid);
    EXPECT_EQ(reply.code(), errc::ok);
  }
}

TEST_F(frames_conformance, xids_come_back_but_those_of_pings) {
  for (const std::int32_t xid : {0, 5, -8, 0x7fffffff}) {
    zk.bytes.send(wire::sync_request{"/"}, xid);
    EXPECT_EQ(zk.next().header.xid, xid);
    zk.bytes.send(wire::ping_request{}, xid);
    EXPECT_EQ(zk.next().header.xid, -2);
    zk.bytes.send(wire::auth_request{0, "digest", "a:b"}, xid);
    EXPECT_EQ(zk.next().header.xid, xid);
  }
}

TEST_F(frames_conformance, every_write_has_a_zxid_also_one_that_fails_and_reads_have_none) {
  const std::string none = at("none");
  // Somebody else's session or container may end in between: then once more.
  const auto steps = [this](const wire::request& request) {
    std::int64_t least = 1000;
    for (int round = 0; round < 5; ++round) {
      const std::int64_t before = zk.exists("/").header.zxid;
      const std::int64_t own = zk.call(request).header.zxid;
      const std::int64_t after = zk.exists("/").header.zxid;
      EXPECT_LE(own, after);
      least = std::min(least, after - before);
    }
    return least;
  };
  EXPECT_EQ(steps(wire::create_request{opcode::create, folder, "", open_acl(), 0}), 1);
  EXPECT_EQ(steps(wire::set_data_request{none, "", -1}), 1);
  EXPECT_EQ(steps(wire::remove_request{none, -1}), 1);
  EXPECT_EQ(steps(wire::set_data_request{folder, "", -1}), 1);
  EXPECT_EQ(steps(wire::set_acl_request{folder, open_acl(), -1}), 1);
  EXPECT_EQ(steps(wire::multi_request{}), 1);
  EXPECT_EQ(steps(wire::multi_request{{wire::check_request{none, 1}, wire::remove_request{folder, -1}}}), 1);
  EXPECT_EQ(steps(wire::get_data_request{folder}), 0);
  EXPECT_EQ(steps(wire::sync_request{folder}), 0);
  EXPECT_EQ(steps(wire::add_watch_request{folder, 0}), 0);
  EXPECT_EQ(steps(wire::get_children_request{opcode::get_children, folder}), 0);
}

TEST_F(frames_conformance, the_reply_to_a_write_has_its_zxid) {
  const incoming made = zk.create(at("a"));
  EXPECT_EQ(made.header.zxid, made.stat(opcode::create2).czxid);
  const incoming set = zk.set(at("a"), "x");
  EXPECT_EQ(set.header.zxid, set.stat(opcode::set_data).mzxid);
}

TEST_F(frames_conformance, what_stands_behind_a_request_is_passed_over) {
  std::string frame;
  wire::append_request_frame(frame, 7, wire::exists_request{"/"});
  EXPECT_EQ(zk.call_frame(frame.substr(4) + "more").code(), errc::ok);
}

TEST_F(frames_conformance, malformed_requests_are_answered_and_the_connection_stays) {
  for (const std::int32_t type : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 19, 21, 22, 101, 103, 104, 105, 106}) {
    EXPECT_EQ(zk.call_frame(frame_of(type, from_hex("000003e8"))).code(), errc::marshalling_error) << type;
    EXPECT_EQ(zk.call_frame(frame_of(type, "")).code(), errc::marshalling_error) << type;
  }
  EXPECT_EQ(zk.exists("/").code(), errc::ok);
}

TEST_F(frames_conformance, frames_without_a_header_close) {
  for (const std::size_t size : {0U, 1U, 7U}) {
    wire_client client;
    client.send_frame(std::string(size, '\0'));
    EXPECT_TRUE(client.is_closed()) << size;
  }
}

TEST_F(frames_conformance, lengths_beyond_the_limit_close) {
  for (const char* length : {"ffffffff", "80000000", "7fffffff", "00100000"}) {
    wire_client client;
    client.bytes.send(from_hex(length));
    EXPECT_TRUE(client.is_closed()) << length;
  }
}

TEST_F(frames_conformance, the_largest_frame_is_served) {
  constexpr std::size_t limit = 1'048'575;
  const std::string path = at("large");
  const wire::create_request empty{opcode::create, path, "", open_acl(), 0};
  std::string frame;
  wire::append_request_frame(frame, 1, empty);
  const std::string data(limit + 4 - frame.size(), 'x');
  wire::create_request full = empty;
  full.data = data;
  EXPECT_EQ(zk.call(full).code(), errc::ok);
  EXPECT_EQ(zk.remove(path), errc::ok);
}

TEST_F(frames_conformance, unknown_types_are_unimplemented_and_end_the_connection) {
  for (const std::int32_t type : {10, 23, 99, 108, 1000, -12}) {
    wire_client client;
    const incoming reply = client.call_frame(frame_of(type, from_hex("00000001 2f")));
    EXPECT_EQ(reply.code(), errc::unimplemented) << type;
    EXPECT_EQ(reply.header.zxid, -1) << type;
    EXPECT_TRUE(client.is_closed()) << type;
  }
}

// deleteContainer and createSession: Apache takes them from clients as well, and makes no sense of them.
TEST_F(frames_conformance, types_that_servers_use_among_themselves) {
  const bool refused = differs("internal-types");
  zk.create(at("c"), "", wire::create_flags::container);
  wire_client client;
  const incoming reaped = client.call_frame(frame_of(20, std::string("\0\0\0", 3) + "\x2" + "/c"));
  EXPECT_EQ(reaped.code(), refused ? errc::unimplemented : errc::bad_arguments);
  wire_client other;
  other.send_frame(frame_of(-10, from_hex("00001388")));
  const incoming reply = other.next();
  EXPECT_EQ(reply.header.xid, refused ? 7 : 0) << "Apache answers with a handshake";
  EXPECT_EQ(reply.code() == errc::unimplemented, refused);
  EXPECT_TRUE(zk.has(at("c")));
}

TEST_F(frames_conformance, a_check_of_its_own) {
  for (const auto& [path, version, error] :
       {std::tuple(at("none"), -1, errc::no_node), std::tuple(std::string("bad"), -1, errc::bad_arguments),
        std::tuple(folder, 7, errc::bad_version)}) {
    wire_client client;
    const errc code = client.call(wire::check_request{path, version}).code();
    EXPECT_EQ(code, differs("lone-check") ? errc::unimplemented : error) << path;
  }
}

TEST_F(frames_conformance, auth_is_applied_at_once_and_answered) {
  std::vector<std::int32_t> sent;
  for (int i = 0; i < 30; ++i) {
    sent.push_back(zk.send(wire::create_request{opcode::create, at(std::to_string(i)), "", open_acl(), 0}));
  }
  sent.push_back(zk.send(wire::auth_request{0, "digest", "a:b"}));
  sent.push_back(zk.send(wire::create_request{opcode::create, at("own"), "", {{31, "auth", ""}}, 0}));
  std::vector<std::int32_t> answered;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const incoming reply = zk.next();
    EXPECT_EQ(reply.code(), errc::ok) << i;
    answered.push_back(reply.header.xid);
  }
  if (!differs("auth-in-order")) std::sort(answered.begin(), answered.end());
  EXPECT_EQ(answered, sent);
}

TEST_F(frames_conformance, every_byte_but_0_is_true) {
  EXPECT_EQ(zk.call_frame(frame_of(3, from_hex("00000001 2f 07"))).code(), errc::ok);
  zk.call(wire::remove_watches_request{opcode::check_watches, "/", 2});
  EXPECT_EQ(zk.last.code(), errc::ok);
}

TEST_F(frames_conformance, sync_gives_back_whatever_path) {
  for (const char* body : {"ffffffff", "00000000", "00000007 6e6f2070617468"}) {
    const incoming reply = zk.call_frame(frame_of(9, from_hex(body)));
    EXPECT_EQ(reply.code(), errc::ok);
    EXPECT_EQ(to_hex(reply.body), to_hex(from_hex(body)));
  }
}

TEST_F(frames_conformance, text_that_is_no_utf8_names_no_node) {
  EXPECT_EQ(zk.exists("/\xff\xfe").code(), errc::no_node);
}

TEST_F(frames_conformance, sasl_and_reconfig_are_not_there) {
  const incoming sasl = zk.call(wire::sasl_request{"x"});
  EXPECT_EQ(sasl.code(), errc::ok);
  EXPECT_EQ(to_hex(sasl.body), "ffffffff");
  EXPECT_EQ(zk.call(wire::reconfig_request{"", "", "x", -1}).code(), errc::reconfig_disabled);
}

}  // namespace
}  // namespace zkr::testing
