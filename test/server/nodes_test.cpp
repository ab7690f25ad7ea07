#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// Creating, reading, changing and removing nodes: results, Stat fields, and the order in which errors are found.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::opcode;

TEST(nodes, a_fresh_tree_is_apaches) {
  processor_harness server;
  auto client = server.connect();
  EXPECT_EQ(client.children("/"), std::vector<std::string>{"zookeeper"});
  EXPECT_EQ(client.children("/zookeeper"), (std::vector<std::string>{"quota", "config"}));
  const stat_t root = client.stat("/");
  EXPECT_EQ(root.cversion, -1);
  EXPECT_EQ(root.num_children, 1);
  EXPECT_EQ(root.czxid, 0);
  EXPECT_EQ(root.ctime, 0);
  EXPECT_EQ(client.stat("/zookeeper").cversion, -2);
  const stat_t config = client.stat("/zookeeper/config");
  EXPECT_EQ(config.aversion, -1);
  EXPECT_EQ(config.data_length, 0);
  EXPECT_EQ(client.set("/zookeeper/config", "x").code(), errc::no_auth);
  EXPECT_EQ(client.create("/zookeeper/mine").code(), errc::ok);
}

TEST(nodes, stat_after_create_set_and_children) {
  processor_harness server;
  auto client = server.connect();
  const incoming made = client.create("/t", "hello");
  const stat_t born = made.stat(opcode::create2);
  EXPECT_EQ(born, (stat_t{.czxid = 2,
                          .mzxid = 2,
                          .ctime = server.now.wall_ms,
                          .mtime = server.now.wall_ms,
                          .version = 0,
                          .cversion = 0,
                          .aversion = 0,
                          .ephemeral_owner = 0,
                          .data_length = 5,
                          .num_children = 0,
                          .pzxid = 2}));
  EXPECT_EQ(made.header.zxid, 2);

  for (const char* child : {"/t/a", "/t/b", "/t/c", "/t/d", "/t/e"}) ASSERT_EQ(client.create(child).code(), errc::ok);
  EXPECT_EQ(client.remove("/t/a"), errc::ok);
  EXPECT_EQ(client.remove("/t/b"), errc::ok);
  EXPECT_EQ(client.stat("/t").cversion, 7);
  EXPECT_EQ(client.stat("/t").num_children, 3);
  EXPECT_EQ(client.stat("/t").pzxid, 9);
  const incoming sequential = client.create("/t/s-", "", create_flags::persistent_sequential);
  EXPECT_EQ(std::get<wire::create_reply>(sequential.as(opcode::create2)).path, "/t/s-0000000005");

  server.advance(std::chrono::milliseconds(5));
  const stat_t before = client.stat("/t");
  const stat_t changed = client.set("/t", "hi", 0).stat(opcode::set_data);
  EXPECT_EQ(changed.version, 1);
  EXPECT_EQ(changed.mzxid, server.zxid());
  EXPECT_EQ(changed.mtime, server.now.wall_ms);
  EXPECT_EQ(changed.ctime, before.ctime);
  EXPECT_EQ(changed.pzxid, before.pzxid);
  EXPECT_EQ(changed.data_length, 2);
  // What happens in a child is none of the parent's business.
  client.set("/t/c", "x");
  EXPECT_EQ(client.stat("/t"), changed);
}

TEST(nodes, null_and_empty_data_are_kept_apart) {
  processor_harness server;
  auto client = server.connect();
  client.call(wire::create_request{opcode::create, "/null", std::nullopt, open_acl(), 0});
  client.create("/empty", "");
  const incoming null_data = client.get("/null");
  EXPECT_FALSE(std::get<wire::get_data_reply>(null_data.as(opcode::get_data)).data.has_value());
  EXPECT_EQ(null_data.stat(opcode::get_data).data_length, 0);
  const incoming empty_data = client.get("/empty");
  EXPECT_TRUE(std::get<wire::get_data_reply>(empty_data.as(opcode::get_data)).data.has_value());
}

struct create_case {
  const char* path;
  std::int32_t flags;
  errc expected;
};

TEST(nodes, create_finds_its_errors_in_apaches_order) {
  processor_harness server;
  auto client = server.connect();
  client.create("/t");
  client.create("/e", "", create_flags::ephemeral);
  const std::vector<create_case> table = {
      {"/t", 0, errc::node_exists},
      {"/", 0, errc::node_exists},
      {"/no/where", 0, errc::no_node},
      {"/e/child", 0, errc::no_children_for_ephemerals},
      {"/e/child-", 3, errc::no_children_for_ephemerals},
      {"t", 0, errc::bad_arguments},
      {"", 0, errc::bad_arguments},
      {"/t//a", 0, errc::no_node},
      {"/t/./a", 0, errc::no_node},
      {"//a", 0, errc::bad_arguments},
      {"/t/..", 0, errc::bad_arguments},
      {"/t/", 0, errc::bad_arguments},
      {"/t/", 2, errc::ok},
      {"/t/\x01", 0, errc::bad_arguments},
      {"/t/\xF0\x9F\x98\x80", 0, errc::bad_arguments},
      {"/t/\xE6\x97\xA5", 0, errc::ok},
      {"/t/a.", 0, errc::ok},
      {"/t/..a", 0, errc::ok},
      {"/t/a b", 0, errc::ok},
      {"/f", 7, errc::bad_arguments},
      {"/f", -1, errc::bad_arguments},
      {"/f", 5, errc::bad_arguments},
      {"/no/where", 9, errc::bad_arguments},
  };
  for (const create_case& one : table) {
    SCOPED_TRACE(one.path);
    const std::int64_t before = server.zxid();
    const incoming reply = client.call(wire::create_request{opcode::create, one.path, "", open_acl(), one.flags});
    EXPECT_EQ(reply.code(), one.expected);
    EXPECT_EQ(server.zxid(), before + 1) << "a write has a zxid, also where it fails";
    EXPECT_EQ(reply.header.zxid, server.zxid());
  }
  EXPECT_EQ(client.call(wire::create_request{opcode::create, {}, "", open_acl(), 0}).code(), errc::marshalling_error);
  EXPECT_EQ(client.call(wire::create_request{opcode::create, "/no/acl", "", {}, 0}).code(), errc::invalid_acl);
  EXPECT_EQ(client.call(wire::create_request{opcode::create, std::string_view("/t\0x", 4), "", open_acl(), 0}).code(),
            errc::bad_arguments);
}

// Found by letting Apache reap what each combination made.
TEST(nodes, the_type_of_a_create_decides_about_containers_and_about_its_reply) {
  processor_harness server;
  auto client = server.connect();
  const auto containers = [&] { return server.core.state().nodes().containers().size(); };
  const incoming plain = client.call(wire::create_request{opcode::create, "/a", "", open_acl(), 4});
  EXPECT_EQ(plain.body.size(), 4U + 2U) << "type 1 answers the path only";
  EXPECT_EQ(client.call(wire::create_request{opcode::create2, "/b", "", open_acl(), 4}).code(), errc::ok);
  EXPECT_EQ(containers(), 0U);
  for (std::int32_t flags = 0; flags <= 4; ++flags) {
    const std::string path = "/c" + std::to_string(flags);
    const incoming reply = client.call(wire::create_request{opcode::create_container, path, "", open_acl(), flags});
    EXPECT_EQ(reply.stat(opcode::create_container).ephemeral_owner, 0);
    EXPECT_EQ(containers(), static_cast<std::size_t>(flags) + 1);
  }
  EXPECT_TRUE(client.has("/c20000000004")) << "sequential by its flags all the same";
  EXPECT_EQ(client.call(wire::create_request{opcode::create_container, "/d", "", open_acl(), 5}).code(),
            errc::bad_arguments);
}

TEST(nodes, ttl_is_between_one_ms_and_forty_bits) {
  processor_harness server;
  auto client = server.connect();
  const auto with_ttl = [&](const char* path, std::int32_t flags, std::int64_t ttl) {
    return client.call(wire::create_request{opcode::create_ttl, path, "", open_acl(), flags, ttl}).code();
  };
  EXPECT_EQ(with_ttl("/a", 5, 1), errc::ok);
  EXPECT_EQ(with_ttl("/b", 5, 0xff'ffff'ffff), errc::ok);
  EXPECT_EQ(with_ttl("/c", 5, 0), errc::bad_arguments);
  EXPECT_EQ(with_ttl("/c", 5, -1), errc::bad_arguments);
  EXPECT_EQ(with_ttl("/c", 5, 0x100'0000'0000), errc::bad_arguments);
  EXPECT_EQ(with_ttl("/c", 0, 1000), errc::bad_arguments);
  EXPECT_EQ(with_ttl("/c", 0, -1), errc::bad_arguments);
  EXPECT_EQ(with_ttl("/c-", 6, 1000), errc::ok);
  EXPECT_TRUE(client.has("/c-0000000002"));

  backend::processor_options off = processor_harness::fast();
  off.ttl = backend::ttl_nodes::disabled;
  processor_harness without(off);
  auto other = without.connect();
  EXPECT_EQ(other.call(wire::create_request{opcode::create_ttl, "/a", "", open_acl(), 5, 1000}).code(),
            errc::unimplemented);
  EXPECT_EQ(other.call(wire::create_request{opcode::create2, "/a", "", open_acl(), 5}).code(), errc::unimplemented);
}

TEST(nodes, set_finds_its_errors_in_apaches_order) {
  processor_harness server;
  auto client = server.connect();
  client.create("/t");
  EXPECT_EQ(client.set("/missing", "").code(), errc::no_node);
  EXPECT_EQ(client.set("t", "").code(), errc::bad_arguments);
  EXPECT_EQ(client.set("", "").code(), errc::bad_arguments);
  EXPECT_EQ(client.set("/t/", "").code(), errc::bad_arguments);
  EXPECT_EQ(client.call(wire::set_data_request{{}, "", -1}).code(), errc::bad_arguments);
  EXPECT_EQ(client.set("/t", "", 1).code(), errc::bad_version);
  EXPECT_EQ(client.set("/t", "", -2).code(), errc::bad_version);
  EXPECT_EQ(client.set("/t", "", 0).code(), errc::ok);
  EXPECT_EQ(client.set("/t", "", any_version).code(), errc::ok);
  const stat_t root = client.set("/", "root").stat(opcode::set_data);
  EXPECT_EQ(root.mzxid, server.zxid());
}

TEST(nodes, remove_finds_its_errors_in_apaches_order) {
  processor_harness server;
  auto client = server.connect();
  client.create("/t");
  client.create("/t/c");
  EXPECT_EQ(client.remove("/no/where"), errc::no_node);
  EXPECT_EQ(client.remove("/missing"), errc::no_node);
  EXPECT_EQ(client.remove("/t", 5), errc::bad_version);
  EXPECT_EQ(client.remove("/t", 0), errc::not_empty);
  EXPECT_EQ(client.remove("t"), errc::bad_arguments);
  EXPECT_EQ(client.remove(""), errc::bad_arguments);
  EXPECT_EQ(client.remove("/t/"), errc::no_node);
  EXPECT_EQ(client.call(wire::remove_request{{}, -1}).code(), errc::marshalling_error);
  for (const char* builtin : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"}) {
    EXPECT_EQ(client.remove(builtin), errc::bad_arguments) << builtin;
  }
  EXPECT_EQ(client.remove("/t/c", 0), errc::ok);
  EXPECT_EQ(client.remove("/t"), errc::ok);
  EXPECT_FALSE(client.has("/t"));
}

TEST(nodes, reads_look_up_and_validate_nothing) {
  processor_harness server;
  auto client = server.connect();
  EXPECT_EQ(client.get("").stat(opcode::get_data), client.stat("/"));
  EXPECT_EQ(client.get("no/slash").code(), errc::no_node);
  EXPECT_EQ(client.get("/a//b").code(), errc::no_node);
  EXPECT_EQ(client.get("\xff").code(), errc::no_node);
  EXPECT_EQ(client.exists(std::string_view("/\0", 2)).code(), errc::bad_arguments);
  EXPECT_EQ(client.get(std::string_view("/\0", 2)).code(), errc::no_node);
  for (const wire::request& null_path :
       {wire::request(wire::get_data_request{}), wire::request(wire::exists_request{}),
        wire::request(wire::get_acl_request{}), wire::request(wire::get_children_request{}),
        wire::request(wire::get_all_children_number_request{})}) {
    EXPECT_EQ(client.call(null_path).code(), errc::marshalling_error);
  }
}

TEST(nodes, reads_have_no_zxid_of_their_own) {
  processor_harness server;
  auto client = server.connect();
  client.create("/a");
  const std::int64_t before = server.zxid();
  for (const wire::request& read :
       {wire::request(wire::get_data_request{"/a"}), wire::request(wire::exists_request{"/missing"}),
        wire::request(wire::get_children_request{opcode::get_children2, "/"}), wire::request(wire::sync_request{"/"}),
        wire::request(wire::ping_request{}), wire::request(wire::who_am_i_request{}),
        wire::request(wire::multi_read_request{}), wire::request(wire::add_watch_request{"/a", 0})}) {
    EXPECT_EQ(client.call(read).header.zxid, before);
  }
  EXPECT_EQ(server.zxid(), before);
}

TEST(nodes, descendants_are_counted_without_the_node_itself) {
  processor_harness server;
  auto client = server.connect();
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e", "/f"}) client.create(path);
  const auto count = [&](std::string_view path) {
    const incoming reply = client.call(wire::get_all_children_number_request{path});
    return std::get<wire::get_all_children_number_reply>(reply.as(opcode::get_all_children_number)).count;
  };
  EXPECT_EQ(count("/a"), 4);
  EXPECT_EQ(count("/a/b"), 2);
  EXPECT_EQ(count("/f"), 0);
  EXPECT_EQ(count("/"), 6 + 3);
}

TEST(nodes, sequence_numbers_count_creations_not_children) {
  processor_harness server;
  auto client = server.connect();
  client.create("/q");
  const auto next = [&] {
    const incoming made = client.create("/q/n-", "", create_flags::ephemeral_sequential);
    return std::string(std::get<wire::create_reply>(made.as(opcode::create2)).path);
  };
  EXPECT_EQ(next(), "/q/n-0000000000");
  EXPECT_EQ(client.remove("/q/n-0000000000"), errc::ok);
  EXPECT_EQ(next(), "/q/n-0000000001");
  client.create("/q/plain");
  EXPECT_EQ(next(), "/q/n-0000000003");
}

}  // namespace
}  // namespace zkr::testing
