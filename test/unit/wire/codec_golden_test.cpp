#include <gtest/gtest.h>

#include "unit/wire/hex.hpp"
#include "wire/codec.hpp"

// Byte vectors worked out by hand from ZooKeeper's jute definitions, one field a group.
namespace zkr::wire {
namespace {

using zkr::testing::from_hex;
using zkr::testing::to_hex;

struct golden_request {
  const char* name;
  request body;
  const char* payload;  // behind the length
};

const stat_t sample_stat{.czxid = 1,
                         .mzxid = 2,
                         .ctime = 3,
                         .mtime = 4,
                         .version = 5,
                         .cversion = -1,
                         .aversion = 7,
                         .ephemeral_owner = 0x0100000000000001,
                         .data_length = 9,
                         .num_children = 10,
                         .pzxid = 11};
constexpr const char* sample_stat_hex =
    "0000000000000001 0000000000000002 0000000000000003 0000000000000004 00000005 ffffffff 00000007 0100000000000001 "
    "00000009 0000000a 000000000000000b";

const acl_list& world() {
  static const acl_list list{{31, "world", "anyone"}};
  return list;
}
constexpr const char* world_hex = "00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65";

std::vector<golden_request> golden_requests() {
  static const std::string create_body = std::string("00000002 2f61 00000002 6869 ") + world_hex;
  static const std::string create = "00000007 00000001 " + create_body + " 00000003";
  static const std::string create2 = "00000007 0000000f " + create_body + " 00000000";
  static const std::string container = "00000007 00000013 " + create_body + " 00000004";
  static const std::string ttl = "00000007 00000015 " + create_body + " 00000005 00000000000003e8";
  static const std::string set_acl = std::string("00000007 00000007 00000002 2f61 ") + world_hex + " 00000002";
  static const std::string multi = std::string("00000007 0000000e ") +               //
                                   "0000000d 00 ffffffff 00000002 2f61 00000003 " +  // check
                                   "00000001 00 ffffffff 00000002 2f62 ffffffff " + world_hex +
                                   " 00000000 " +                                             // create, null data
                                   "00000005 00 ffffffff 00000002 2f63 00000000 ffffffff " +  // set, empty data
                                   "00000002 00 ffffffff 00000002 2f64 ffffffff " +           // remove
                                   "ffffffff 01 ffffffff";
  return {
      {"create", create_request{opcode::create, "/a", "hi", world(), 3}, create.c_str()},
      {"create2", create_request{opcode::create2, "/a", "hi", world(), 0}, create2.c_str()},
      {"create_container", create_request{opcode::create_container, "/a", "hi", world(), 4}, container.c_str()},
      {"create_ttl", create_request{opcode::create_ttl, "/a", "hi", world(), 5, 1000}, ttl.c_str()},
      {"remove", remove_request{"/a", 2}, "00000007 00000002 00000002 2f61 00000002"},
      {"exists", exists_request{"/a", true}, "00000007 00000003 00000002 2f61 01"},
      {"get_data", get_data_request{"/a", false}, "00000007 00000004 00000002 2f61 00"},
      {"set_data", set_data_request{"/a", "x", -1}, "00000007 00000005 00000002 2f61 00000001 78 ffffffff"},
      {"get_acl", get_acl_request{"/a"}, "00000007 00000006 00000002 2f61"},
      {"set_acl", set_acl_request{"/a", world(), 2}, set_acl.c_str()},
      {"get_children", get_children_request{opcode::get_children, "/", true}, "00000007 00000008 00000001 2f 01"},
      {"get_children2", get_children_request{opcode::get_children2, "/", false}, "00000007 0000000c 00000001 2f 00"},
      {"sync", sync_request{"/"}, "00000007 00000009 00000001 2f"},
      {"ping", ping_request{}, "00000007 0000000b"},
      {"check", check_request{"/a", 1}, "00000007 0000000d 00000002 2f61 00000001"},
      {"multi",
       multi_request{{check_request{"/a", 3}, create_request{opcode::create, "/b", std::nullopt, world(), 0},
                      set_data_request{"/c", "", -1}, remove_request{"/d", -1}}},
       multi.c_str()},
      {"empty_multi", multi_request{}, "00000007 0000000e ffffffff 01 ffffffff"},
      {"multi_read",
       multi_read_request{{get_data_request{"/a", false}, get_children_request{opcode::get_children, "/b", false}}},
       "00000007 00000016 00000004 00 ffffffff 00000002 2f61 00 00000008 00 ffffffff 00000002 2f62 00 ffffffff 01 "
       "ffffffff"},
      {"reconfig", reconfig_request{"a", {}, "", -1},
       "00000007 00000010 00000001 61 ffffffff 00000000 ffffffffffffffff"},
      {"check_watches", remove_watches_request{opcode::check_watches, "/a", 3},
       "00000007 00000011 00000002 2f61 00000003"},
      {"remove_watches", remove_watches_request{opcode::remove_watches, "/a", 1},
       "00000007 00000012 00000002 2f61 00000001"},
      {"auth", auth_request{0, "digest", "u:p"}, "00000007 00000064 00000000 00000006 646967657374 00000003 753a70"},
      {"set_watches", set_watches_request{opcode::set_watches, 5, {"/a"}, {}, {"/b", "/c"}, {}, {}},
       "00000007 00000065 0000000000000005 00000001 00000002 2f61 00000000 00000002 00000002 2f62 00000002 2f63"},
      {"set_watches2", set_watches_request{opcode::set_watches2, 5, {}, {}, {}, {"/a"}, {"/b"}},
       "00000007 00000069 0000000000000005 00000000 00000000 00000000 00000001 00000002 2f61 00000001 00000002 2f62"},
      {"sasl", sasl_request{"t"}, "00000007 00000066 00000001 74"},
      {"get_ephemerals", get_ephemerals_request{{}}, "00000007 00000067 ffffffff"},
      {"get_all_children_number", get_all_children_number_request{"/"}, "00000007 00000068 00000001 2f"},
      {"add_watch", add_watch_request{"/a", 1}, "00000007 0000006a 00000002 2f61 00000001"},
      {"who_am_i", who_am_i_request{}, "00000007 0000006b"},
      {"close_session", close_session_request{}, "00000007 fffffff5"},
  };
}

TEST(codec_golden, requests) {
  for (const golden_request& golden : golden_requests()) {
    SCOPED_TRACE(golden.name);
    const std::string payload = from_hex(golden.payload);
    std::string frame;
    append_request_frame(frame, 7, golden.body);
    EXPECT_EQ(to_hex(frame.substr(4)), to_hex(payload));
    EXPECT_EQ(to_hex(frame.substr(0, 4)), to_hex(std::string{'\0', '\0', '\0', static_cast<char>(payload.size())}));
    const decoded_request decoded = decode_request(payload);
    EXPECT_EQ(decoded.code, errc::ok);
    EXPECT_EQ(decoded.body.index(), golden.body.index());
  }
}

struct golden_reply {
  const char* name;
  opcode of;
  reply body;
  std::string payload;
};

TEST(codec_golden, replies) {
  const std::string stat = sample_stat_hex;
  const std::vector<golden_reply> table = {
      {"create", opcode::create, create_reply{"/a", std::nullopt}, "00000002 2f61"},
      {"create2", opcode::create2, create_reply{"/a", sample_stat}, "00000002 2f61" + stat},
      {"create_ttl", opcode::create_ttl, create_reply{"/a", sample_stat}, "00000002 2f61" + stat},
      {"remove", opcode::remove, empty_reply{}, ""},
      {"exists", opcode::exists, stat_reply{sample_stat}, stat},
      {"get_data", opcode::get_data, get_data_reply{"hi", sample_stat}, "00000002 6869" + stat},
      {"get_null_data", opcode::get_data, get_data_reply{std::nullopt, sample_stat}, "ffffffff" + stat},
      {"get_acl", opcode::get_acl, get_acl_reply{world(), sample_stat}, world_hex + stat},
      {"get_children", opcode::get_children, get_children_reply{{"b", "c"}, std::nullopt},
       "00000002 00000001 62 00000001 63"},
      {"get_children2", opcode::get_children2, get_children_reply{{}, sample_stat}, "00000000" + stat},
      {"sync", opcode::sync, sync_reply{"/a"}, "00000002 2f61"},
      {"sasl", opcode::sasl, sasl_reply{}, "ffffffff"},
      {"get_ephemerals", opcode::get_ephemerals, get_ephemerals_reply{{"/e"}}, "00000001 00000002 2f65"},
      {"get_all_children_number", opcode::get_all_children_number, get_all_children_number_reply{6}, "00000006"},
      {"add_watch", opcode::add_watch, add_watch_reply{0}, "00000000"},
      {"who_am_i", opcode::who_am_i, who_am_i_reply{{{"ip", "::1"}}}, "00000001 00000002 6970 00000003 3a3a31"},
      {"multi", opcode::multi,
       multi_reply{{create_reply{"/a", std::nullopt}, create_reply{"/c", sample_stat}, stat_reply{sample_stat},
                    empty_reply{opcode::remove}, empty_reply{opcode::check}}},
       "00000001 00 00000000 00000002 2f61 0000000f 00 00000000 00000002 2f63" + stat + "00000005 00 00000000" + stat +
           "00000002 00 00000000 0000000d 00 00000000 ffffffff 01 ffffffff"},
      {"failed_multi", opcode::multi,
       multi_reply{{error_result{errc::ok}, error_result{errc::no_node}, error_result{errc::runtime_inconsistency}}},
       "ffffffff 00 00000000 00000000 ffffffff 00 ffffff9b ffffff9b ffffffff 00 fffffffe fffffffe ffffffff 01 "
       "ffffffff"},
  };
  for (const golden_reply& golden : table) {
    SCOPED_TRACE(golden.name);
    const std::string payload = from_hex("00000007 0000000000000009 00000000" + golden.payload);
    std::string frame;
    append_reply_frame(frame, {7, 9, errc::ok}, golden.body);
    EXPECT_EQ(to_hex(frame.substr(4)), to_hex(payload));
    std::string_view body = payload;
    ASSERT_TRUE(decode_reply_header(body));
    const decoded_reply decoded = decode_reply(body, golden.of);
    EXPECT_EQ(decoded.code, errc::ok);
    EXPECT_EQ(decoded.body.index(), golden.body.index());
  }
}

TEST(codec_golden, a_failed_reply_has_no_body) {
  std::string frame;
  append_reply_frame(frame, {-8, 0x22, errc::node_exists}, sync_reply{"/not/sent"});
  EXPECT_EQ(to_hex(frame),
            "00000010"
            "fffffff8"
            "0000000000000022"
            "ffffff92");
}

TEST(codec_golden, events) {
  std::string frame;
  append_event_frame(frame, {event_type::removed, 3, "/a"});
  EXPECT_EQ(to_hex(frame),
            to_hex(from_hex("0000001e ffffffff ffffffffffffffff 00000000 00000002 00000003 00000002 2f61")));
  const auto event = decode_event(std::string_view(frame).substr(20));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, event_type::removed);
  EXPECT_EQ(event->path, "/a");
}

TEST(codec_golden, both_sizes_of_the_handshake) {
  const std::string password(16, 'p');
  connect_request asked{0, 5, 6000, 0x1234, password, false};
  std::string frame;
  append_connect_request_frame(frame, asked);
  EXPECT_EQ(to_hex(frame), to_hex(from_hex("0000002d 00000000 0000000000000005 00001770 0000000000001234 00000010"
                                           "70707070707070707070707070707070 00")));
  asked.read_only.reset();
  frame.clear();
  append_connect_request_frame(frame, asked);
  EXPECT_EQ(frame.size(), 4U + 44U);
  const auto decoded = decode_connect_request(std::string_view(frame).substr(4));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->session_id, 0x1234);
  EXPECT_EQ(decoded->password, password);
  EXPECT_FALSE(decoded->read_only.has_value());

  connect_reply answered{0, 6000, 0x1234, password, true};
  frame.clear();
  append_connect_reply_frame(frame, answered);
  EXPECT_EQ(to_hex(frame), to_hex(from_hex("00000025 00000000 00001770 0000000000001234 00000010"
                                           "70707070707070707070707070707070 01")));
  answered.read_only.reset();
  frame.clear();
  append_connect_reply_frame(frame, answered);
  EXPECT_EQ(frame.size(), 4U + 36U);
  const auto decoded_answer = decode_connect_reply(std::string_view(frame).substr(4));
  ASSERT_TRUE(decoded_answer);
  EXPECT_EQ(decoded_answer->timeout_ms, 6000);
}

}  // namespace
}  // namespace zkr::wire
