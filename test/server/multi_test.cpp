#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// Multi: all or nothing, seen by its own later operations; and multiRead.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::create_request;
using wire::multi_request;
using wire::opcode;

create_request make(std::string_view path, create_flags flags = create_flags::persistent,
                    opcode type = opcode::create) {
  return {type, path, "", open_acl(), static_cast<std::int32_t>(flags)};
}

class multi_test : public ::testing::Test {
 protected:
  processor_harness server;
  processor_harness::client client = server.connect();

  wire::multi_reply commit(std::vector<wire::multi_operation> operations) {
    last = client.call(multi_request{std::move(operations)});
    const wire::reply body = last.as(opcode::multi);
    return std::get<wire::multi_reply>(body);
  }
  std::vector<errc> errors(std::vector<wire::multi_operation> operations) {
    std::vector<errc> codes;
    for (const wire::multi_result& one : commit(std::move(operations)).results) {
      const auto* error = std::get_if<wire::error_result>(&one);
      codes.push_back(error != nullptr ? error->code : errc::api_error);
    }
    return codes;
  }
  incoming last;
};

TEST_F(multi_test, one_zxid_for_all) {
  const std::int64_t before = server.zxid();
  const auto reply = commit({make("/a"), wire::set_data_request{"/a", "1", 0}, wire::set_data_request{"/a", "2", 1},
                             wire::check_request{"/a", 2}, make("/a/b"), wire::remove_request{"/a/b", -1}});
  EXPECT_EQ(server.zxid(), before + 1);
  EXPECT_EQ(last.header.zxid, before + 1);
  ASSERT_EQ(reply.results.size(), 6U);
  EXPECT_EQ(std::get<wire::create_reply>(reply.results[0]).path, "/a");
  EXPECT_EQ(std::get<wire::stat_reply>(reply.results[1]).stat.version, 1);
  EXPECT_EQ(std::get<wire::stat_reply>(reply.results[2]).stat.version, 2);
  EXPECT_EQ(std::get<wire::empty_reply>(reply.results[3]).type, opcode::check);
  EXPECT_EQ(std::get<wire::empty_reply>(reply.results[5]).type, opcode::remove);
  EXPECT_EQ(client.stat("/a").mzxid, before + 1);
  EXPECT_EQ(client.stat("/a").cversion, 2);
}

TEST_F(multi_test, a_failure_undoes_everything_and_marks_what_stands_behind) {
  client.create("/t");
  const std::int64_t before = server.zxid();
  EXPECT_EQ(errors({make("/t/a"), wire::check_request{"/missing", 1}, make("/t/b")}),
            (std::vector<errc>{errc::ok, errc::no_node, errc::runtime_inconsistency}));
  EXPECT_EQ(last.code(), errc::ok);
  EXPECT_EQ(last.header.zxid, before + 1);
  EXPECT_EQ(server.zxid(), before + 1);
  EXPECT_FALSE(client.has("/t/a"));
  EXPECT_EQ(client.stat("/t").cversion, 0);
  EXPECT_EQ(client.stat("/t").pzxid, 2);
}

TEST_F(multi_test, an_empty_one_is_answered_by_its_end_alone) {
  const std::int64_t before = server.zxid();
  EXPECT_TRUE(commit({}).results.empty());
  EXPECT_EQ(server.zxid(), before + 1);
}

TEST_F(multi_test, sequence_numbers_are_unique_inside_and_not_used_up_by_failures) {
  client.create("/q");
  errors({make("/q/n-", create_flags::persistent_sequential), wire::check_request{"/missing", 0}});
  const auto reply = commit({make("/q/n-", create_flags::persistent_sequential), make("/q/plain"),
                             make("/q/n-", create_flags::ephemeral_sequential)});
  EXPECT_EQ(std::get<wire::create_reply>(reply.results[0]).path, "/q/n-0000000000");
  EXPECT_EQ(std::get<wire::create_reply>(reply.results[2]).path, "/q/n-0000000002");
}

TEST_F(multi_test, later_operations_see_earlier_ones) {
  client.create("/d");
  EXPECT_EQ(errors({wire::remove_request{"/d", -1}, make("/d/x")}), (std::vector<errc>{errc::ok, errc::no_node}));
  EXPECT_EQ(errors({make("/d/x"), wire::remove_request{"/d", -1}}), (std::vector<errc>{errc::ok, errc::not_empty}));
  EXPECT_EQ(errors({make("/e", create_flags::ephemeral), make("/e/x")}),
            (std::vector<errc>{errc::ok, errc::no_children_for_ephemerals}));
  EXPECT_EQ(errors({make("/x"), make("/x")}), (std::vector<errc>{errc::ok, errc::node_exists}));
  client.set("/d", "3");
  commit({wire::remove_request{"/d", 1}, make("/d"), wire::set_data_request{"/d", "new", 0}});
  EXPECT_EQ(client.stat("/d").version, 1);
  EXPECT_EQ(client.stat("/d").czxid, server.zxid());
  // Removing the only child makes room for removing its parent.
  client.create("/d/x");
  commit({wire::remove_request{"/d/x", -1}, wire::remove_request{"/d", -1}});
  EXPECT_FALSE(client.has("/d"));
}

TEST_F(multi_test, acls_of_nodes_made_inside_hold_inside) {
  const acl_list read_only{{perms::read, "world", "anyone"}};
  EXPECT_EQ(errors({create_request{opcode::create, "/r", "", read_only, 0}, make("/r/x")}),
            (std::vector<errc>{errc::ok, errc::no_auth}));
}

TEST_F(multi_test, results_have_the_type_of_what_was_made) {
  const auto reply = commit({make("/c", create_flags::container), make("/p", create_flags::persistent, opcode::create2),
                             create_request{opcode::create_ttl, "/t", "", open_acl(), 5, 1000}});
  EXPECT_TRUE(std::get<wire::create_reply>(reply.results[0]).stat) << "a container answers as create2, even of type 1";
  EXPECT_FALSE(std::get<wire::create_reply>(reply.results[1]).stat) << "3.8 answers create2 as create";
  EXPECT_TRUE(std::get<wire::create_reply>(reply.results[2]).stat);
}

TEST_F(multi_test, flags_decide_what_is_made) {
  commit({make("/c", create_flags::persistent, opcode::create_container),
          create_request{opcode::create_ttl, "/t", "", open_acl(), 0, 1000}});
  EXPECT_EQ(server.core.state().nodes().containers().size(), 0U);
  EXPECT_EQ(server.core.state().nodes().ttl_nodes().size(), 0U);
  commit({make("/d", create_flags::container)});
  EXPECT_EQ(server.core.state().nodes().containers().size(), 1U);
  const incoming reply = client.call(multi_request{{make("/e", create_flags::persistent_ttl)}});
  EXPECT_EQ(reply.code(), errc::marshalling_error);
  EXPECT_TRUE(reply.body.empty());
}

TEST(multi_of_3_9, create2_answers_with_stat) {
  backend::processor_options options = processor_harness::fast();
  options.compat = backend::compatibility::v3_9;
  processor_harness server(options);
  auto client = server.connect();
  const incoming reply =
      client.call(multi_request{{make("/p", create_flags::persistent, opcode::create2), make("/q")}});
  const wire::reply body = reply.as(opcode::multi);
  EXPECT_TRUE(std::get<wire::create_reply>(std::get<wire::multi_reply>(body).results[0]).stat);
  EXPECT_FALSE(std::get<wire::create_reply>(std::get<wire::multi_reply>(body).results[1]).stat);
}

TEST_F(multi_test, foreign_operations_fail_the_whole_request) {
  const std::int64_t before = server.zxid();
  std::string frame;
  wire::writer to(frame);
  wire::write(to, wire::request_header{9, opcode::multi});
  wire::write_multi_header(to, opcode::set_acl);
  wire::write(to, wire::set_acl_request{"/", open_acl(), -1});
  wire::write_multi_end(to);
  const incoming reply = client.call_frame(frame);
  EXPECT_EQ(reply.code(), errc::marshalling_error);
  EXPECT_TRUE(reply.body.empty());
  EXPECT_EQ(server.zxid(), before + 1);
}

TEST_F(multi_test, reads_stand_alone) {
  client.create("/a", "x");
  client.create("/a/b");
  const std::int64_t before = server.zxid();
  const incoming reply = client.call(
      wire::multi_read_request{{wire::get_data_request{"/a", true}, wire::get_data_request{"/missing", false},
                                wire::get_children_request{opcode::get_children, "/a", false}}});
  const wire::reply body = reply.as(opcode::multi_read);
  const auto& results = std::get<wire::multi_reply>(body).results;
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(std::get<wire::get_data_reply>(results[0]).data, "x");
  EXPECT_EQ(std::get<wire::error_result>(results[1]).code, errc::no_node);
  EXPECT_EQ(std::get<wire::get_children_reply>(results[2]).children, wire::string_list{"b"});
  EXPECT_EQ(server.zxid(), before);
  EXPECT_EQ(server.core.watched().size(), 0U) << "watch flags are ignored";
}

TEST_F(multi_test, a_read_that_cannot_be_done_ends_the_reply) {
  const auto size_of = [&](const wire::request& request) {
    const incoming reply = client.call(request);
    EXPECT_EQ(reply.code(), errc::marshalling_error);
    return reply.body.size();
  };
  const std::size_t end = 9;
  EXPECT_EQ(size_of(wire::multi_read_request{{wire::get_data_request{}}}), end);
  EXPECT_GT(size_of(wire::multi_read_request{{wire::get_data_request{"/"}, wire::get_data_request{}}}), end);
  std::string frame;
  wire::writer to(frame);
  wire::write(to, wire::request_header{9, opcode::multi_read});
  wire::write(to, multi_request{{wire::remove_request{"/a", -1}}});
  const incoming writes = client.call_frame(frame);
  EXPECT_EQ(writes.code(), errc::marshalling_error);
  EXPECT_EQ(writes.body.size(), end) << "a write inside";
}

}  // namespace
}  // namespace zkr::testing
