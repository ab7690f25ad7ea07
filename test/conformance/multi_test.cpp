#include "conformance/wire_client.hpp"
#include "unit/wire/hex.hpp"

// Multi and multiRead.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::create_request;
using wire::opcode;

class multi_conformance : public wire_conformance {
 protected:
  static create_request make(std::string_view path, create_flags flags = create_flags::persistent,
                             opcode type = opcode::create) {
    return {type, path, "", open_acl(), static_cast<std::int32_t>(flags)};
  }
  std::vector<errc> errors(std::vector<wire::multi_operation> operations) {
    std::vector<errc> codes;
    for (const wire::multi_result& one : zk.multi(std::move(operations))) {
      const auto* error = std::get_if<wire::error_result>(&one);
      codes.push_back(error != nullptr ? error->code : errc::api_error);
    }
    return codes;
  }

  const std::string a = at("a");
  const std::string b = at("b");
  const std::string none = at("none");
};

TEST_F(multi_conformance, operations_see_earlier_ones_and_share_a_zxid) {
  const std::string child = a + "/c";
  const auto results = zk.multi({make(a), wire::set_data_request{a, "1", 0}, wire::set_data_request{a, "2", 1},
                                 wire::check_request{a, 2}, make(child), wire::remove_request{child, -1}, make(child)});
  ASSERT_EQ(results.size(), 7U);
  EXPECT_EQ(std::get<wire::create_reply>(results[0]).path, a);
  EXPECT_EQ(std::get<wire::create_reply>(results[0]).stat, std::nullopt);
  EXPECT_EQ(std::get<wire::stat_reply>(results[1]).stat.version, 1);
  EXPECT_EQ(std::get<wire::stat_reply>(results[2]).stat.version, 2);
  EXPECT_EQ(std::get<wire::empty_reply>(results[3]).type, opcode::check);
  EXPECT_EQ(std::get<wire::empty_reply>(results[5]).type, opcode::remove);
  const std::int64_t zxid = zk.last.header.zxid;
  const stat_t stat = zk.stat(a);
  EXPECT_EQ(stat.czxid, zxid);
  EXPECT_EQ(stat.mzxid, zxid);
  EXPECT_EQ(stat.pzxid, zxid);
  EXPECT_EQ(stat.cversion, 3);
}

TEST_F(multi_conformance, a_failure_undoes_all_and_marks_what_stands_behind) {
  const stat_t before = zk.stat(folder);
  EXPECT_EQ(errors({make(a), wire::check_request{none, 1}, make(b)}),
            (std::vector<errc>{errc::ok, errc::no_node, errc::runtime_inconsistency}));
  EXPECT_EQ(zk.stat(folder), before);
  EXPECT_EQ(errors({make(a), make(a)}), (std::vector<errc>{errc::ok, errc::node_exists}));
  EXPECT_EQ(errors({wire::set_data_request{folder, "", 7}}), std::vector<errc>{errc::bad_version});
}

TEST_F(multi_conformance, an_empty_one_is_answered_by_its_end) {
  EXPECT_TRUE(zk.multi({}).empty());
  EXPECT_EQ(to_hex(zk.last.body), "ffffffff01ffffffff");
}

TEST_F(multi_conformance, sequence_numbers_of_failures_are_not_used_up) {
  const std::string n = at("n-");
  errors({make(n, create_flags::persistent_sequential), wire::check_request{none, 0}});
  const auto results =
      zk.multi({make(n, create_flags::persistent_sequential), make(a), make(n, create_flags::ephemeral_sequential)});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(std::get<wire::create_reply>(results[0]).path, n + "0000000000");
  EXPECT_EQ(std::get<wire::create_reply>(results[2]).path, n + "0000000002");
}

TEST_F(multi_conformance, containers_and_create2_answer_in_their_way) {
  const auto results = zk.multi({make(a, create_flags::container), make(b, create_flags::persistent, opcode::create2)});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_NE(std::get<wire::create_reply>(results[0]).stat, std::nullopt) << "a container, always with its Stat";
  EXPECT_EQ(std::get<wire::create_reply>(results[1]).stat, std::nullopt) << "until ZOOKEEPER-4026";
}

TEST_F(multi_conformance, foreign_operations_fail_the_whole) {
  // {type 4, done 0, err -1}, path, watch; and the end.
  const std::string get = from_hex("00000007 0000000e 00000004 00 ffffffff 00000001 2f 00 ffffffff 01 ffffffff");
  const incoming reply = zk.call_frame(get);
  EXPECT_EQ(reply.code(), errc::marshalling_error);
  EXPECT_EQ(reply.body, "");
}

TEST_F(multi_conformance, events_come_operation_by_operation_before_the_reply) {
  zk.exists(a, true);
  zk.exists(b, true);
  zk.children(folder, true);
  zk.send(wire::multi_request{{make(a), make(b)}});
  std::vector<seen_event> seen;
  incoming message = zk.next();
  for (; message.header.xid == wire::xid_notification; message = zk.next()) {
    const auto event = wire::decode_event(message.body);
    seen.push_back({event->type, std::string(event->path)});
  }
  EXPECT_EQ(message.code(), errc::ok);
  EXPECT_EQ(seen, (std::vector<seen_event>{{wire::event_type::created, a},
                                           {wire::event_type::children_changed, folder},
                                           {wire::event_type::created, b}}));
}

TEST_F(multi_conformance, a_check_needs_read) {
  zk.call(create_request{opcode::create, a, "", {{perms::all & ~perms::read, "world", "anyone"}}, 0});
  EXPECT_EQ(errors({wire::check_request{a, 0}}), std::vector<errc>{errc::no_auth});
}

TEST_F(multi_conformance, writes_are_no_reads) {
  // {type 4}, path, watch; {type 2}, path, version; and the end.
  const std::string mixed = from_hex(
      "00000007 00000016 00000004 00 ffffffff 00000001 2f 00"
      "00000002 00 ffffffff 00000001 61 ffffffff ffffffff 01 ffffffff");
  const std::string write =
      from_hex("00000007 00000016 00000002 00 ffffffff 00000001 61 ffffffff ffffffff 01 ffffffff");
  const incoming of_write = zk.call_frame(write);
  EXPECT_EQ(of_write.code(), errc::marshalling_error);
  EXPECT_EQ(to_hex(of_write.body), "ffffffff01ffffffff") << "the one error with a body";
  const incoming of_mixed = zk.call_frame(mixed);
  EXPECT_EQ(of_mixed.code(), errc::marshalling_error);
  EXPECT_EQ(to_hex(of_mixed.body), "");
  EXPECT_EQ(zk.exists("/").code(), errc::ok);
}

TEST_F(multi_conformance, reads_leave_no_watches) {
  zk.create(a);
  zk.call(wire::multi_read_request{
      {wire::get_data_request{a, true}, wire::get_children_request{opcode::get_children, folder, true}}});
  zk.set(a, "x");
  zk.create(b);
  EXPECT_TRUE(zk.events().empty());
}

TEST_F(multi_conformance, reads_may_be_answered_beyond_the_size_of_requests) {
  const std::string large(900'000, 'x');
  zk.create(a, large);
  const wire::get_data_request get{a};
  const incoming got = zk.call(wire::multi_read_request{{get, get, get}});
  EXPECT_EQ(got.code(), errc::ok);
  EXPECT_GT(got.body.size(), 3 * large.size());
}

TEST_F(multi_conformance, reads_stand_alone) {
  zk.create(a, "x");
  const incoming got = zk.call(wire::multi_read_request{{wire::get_data_request{a}, wire::get_data_request{none},
                                                         wire::get_children_request{opcode::get_children, folder}}});
  const wire::reply body = got.as(opcode::multi_read);
  const auto& results = std::get<wire::multi_reply>(body).results;
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(std::get<wire::get_data_reply>(results[0]).data, "x");
  EXPECT_EQ(std::get<wire::error_result>(results[1]).code, errc::no_node);
  EXPECT_EQ(std::get<wire::get_children_reply>(results[2]).children, wire::string_list{"a"});
}

}  // namespace
}  // namespace zkr::testing
