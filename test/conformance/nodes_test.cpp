#include "conformance/wire_client.hpp"
#include "support/eventually.hpp"
#include "unit/wire/hex.hpp"

// Nodes: what their Stat says, and which error a request gets when several apply.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::create_request;
using wire::opcode;

using nodes_conformance = wire_conformance;

TEST_F(nodes_conformance, built_in_nodes_are_there) {
  EXPECT_EQ(zk.stat("/").czxid, 0);
  EXPECT_EQ(zk.stat("/").ctime, 0);
  EXPECT_EQ(zk.stat("/zookeeper").num_children, 2);
  EXPECT_EQ(zk.stat("/zookeeper").cversion, -2);
  const stat_t config = zk.stat("/zookeeper/config");
  EXPECT_EQ(config.aversion, -1);
  EXPECT_EQ(config.data_length, 0);
  EXPECT_EQ(zk.set("/zookeeper/config", "x").code(), errc::no_auth);
  for (const char* builtin : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"}) {
    EXPECT_EQ(zk.remove(builtin), errc::bad_arguments) << builtin;
  }
  EXPECT_EQ(zk.create("/").code(), errc::node_exists);
}

TEST_F(nodes_conformance, a_new_node) {
  const stat_t stat = zk.create(at("a"), "data").stat(opcode::create2);
  EXPECT_EQ(stat.czxid, stat.mzxid);
  EXPECT_EQ(stat.czxid, stat.pzxid);
  EXPECT_EQ(stat.ctime, stat.mtime);
  EXPECT_EQ(stat.version, 0);
  EXPECT_EQ(stat.cversion, 0);
  EXPECT_EQ(stat.aversion, 0);
  EXPECT_EQ(stat.data_length, 4);
  EXPECT_EQ(zk.stat(folder).pzxid, stat.czxid);
}

TEST_F(nodes_conformance, creations_and_removals_of_children_count) {
  for (const char* name : {"a", "b", "c", "d", "e"}) zk.create(at(name));
  zk.remove(at("a"));
  zk.remove(at("b"));
  const std::int64_t removed = zk.last.header.zxid;
  stat_t stat = zk.stat(folder);
  EXPECT_EQ(stat.num_children, 3);
  EXPECT_EQ(stat.cversion, 7);
  EXPECT_EQ(stat.pzxid, removed);
  EXPECT_EQ(stat.version, 0);
  zk.create(at("c/deep"));
  zk.set(at("c"), "x");
  EXPECT_EQ(zk.stat(folder), stat) << "grandchildren and data of children change nothing";
  const incoming reply = zk.create(at("s-"), "", create_flags::persistent_sequential);
  const wire::reply made = reply.as(opcode::create2);
  EXPECT_EQ(std::get<wire::create_reply>(made).path, at("s-0000000005"));
  stat = zk.stat(folder);
  EXPECT_EQ(stat.cversion, 8);
}

TEST_F(nodes_conformance, set_and_set_acl_count_their_versions) {
  zk.create(at("a"));
  const stat_t made = zk.stat(at("a"));
  stat_t stat = zk.set(at("a"), "12345").stat(opcode::set_data);
  EXPECT_EQ(stat.version, 1);
  EXPECT_EQ(stat.mzxid, zk.last.header.zxid);
  EXPECT_EQ(stat.pzxid, made.pzxid);
  EXPECT_EQ(stat.data_length, 5);
  const stat_t acl = zk.call(wire::set_acl_request{at("a"), open_acl(), -1}).stat(opcode::set_acl);
  EXPECT_EQ(acl.aversion, 1);
  stat.aversion = 1;
  EXPECT_EQ(acl, stat);
}

TEST_F(nodes_conformance, null_and_empty_data_differ) {
  zk.call(create_request{opcode::create, at("null"), std::nullopt, open_acl(), 0});
  zk.create(at("empty"));
  const incoming null_data = zk.get(at("null"));
  const incoming empty_data = zk.get(at("empty"));
  EXPECT_EQ(std::get<wire::get_data_reply>(null_data.as(opcode::get_data)).data, std::nullopt);
  EXPECT_EQ(std::get<wire::get_data_reply>(empty_data.as(opcode::get_data)).data, "");
  EXPECT_EQ(zk.stat(at("null")).data_length, 0);
}

TEST_F(nodes_conformance, errors_of_create_in_their_order) {
  zk.create(at("t"));
  zk.create(at("e"), "", create_flags::ephemeral);
  struct row {
    std::string path;
    std::int32_t flags;
    errc expected;
  };
  for (const row& one : {
           row{at("t"), 0, errc::node_exists},
           row{at("no/where"), 0, errc::no_node},
           row{at("e/child"), 0, errc::no_children_for_ephemerals},
           row{at("e/child-"), 3, errc::no_children_for_ephemerals},
           row{"t", 0, errc::bad_arguments},
           row{"", 0, errc::bad_arguments},
           row{at("x//a"), 0, errc::no_node},
           row{at("./a"), 0, errc::no_node},
           row{"//a", 0, errc::bad_arguments},
           row{at(".."), 0, errc::bad_arguments},
           row{at("t/"), 0, errc::bad_arguments},
           row{at("t/"), 2, errc::ok},
           row{at("\x01"), 0, errc::bad_arguments},
           row{at("\x7f"), 0, errc::bad_arguments},
           row{at("\xc2\x9f"), 0, errc::bad_arguments},
           row{at("\xc2\xa0"), 0, errc::ok},
           row{at("\xf0\x9f\x98\x80"), 0, errc::bad_arguments},
           row{at("\xee\x80\x80"), 0, errc::bad_arguments},
           row{at("\xef\xbf\xb0"), 0, errc::bad_arguments},
           row{at("\xe6\x97\xa5"), 0, errc::ok},
           row{at("a."), 0, errc::ok},
           row{at("..a"), 0, errc::ok},
           row{at("a b"), 0, errc::ok},
           row{at("f"), 7, errc::bad_arguments},
           row{at("f"), -1, errc::bad_arguments},
           row{at("f"), 5, errc::bad_arguments},
           row{at("no/where"), 9, errc::bad_arguments},
       }) {
    EXPECT_EQ(zk.call(create_request{opcode::create, one.path, "", open_acl(), one.flags}).code(), one.expected)
        << one.path << " " << one.flags;
  }
  EXPECT_EQ(zk.call(create_request{opcode::create, {}, "", open_acl(), 0}).code(), errc::marshalling_error);
  EXPECT_EQ(zk.call(create_request{opcode::create, at("no/acl"), "", {}, 0}).code(), errc::invalid_acl);
}

TEST_F(nodes_conformance, a_sequential_child_may_be_named_by_its_number_alone) {
  zk.create(at("t"));
  zk.create(at("t/a"));
  const incoming reply = zk.create(at("t/"), "", create_flags::persistent_sequential);
  const wire::reply made = reply.as(opcode::create2);
  EXPECT_EQ(std::get<wire::create_reply>(made).path, at("t/0000000001"));
}

TEST_F(nodes_conformance, errors_of_set_in_their_order) {
  zk.create(at("t"));
  EXPECT_EQ(zk.set(at("none"), "").code(), errc::no_node);
  EXPECT_EQ(zk.set("t", "").code(), errc::bad_arguments);
  EXPECT_EQ(zk.set("", "").code(), errc::bad_arguments);
  EXPECT_EQ(zk.set(at("t/"), "").code(), errc::bad_arguments);
  EXPECT_EQ(zk.call(wire::set_data_request{{}, "", -1}).code(), errc::bad_arguments);
  EXPECT_EQ(zk.set(at("t"), "", 1).code(), errc::bad_version);
  EXPECT_EQ(zk.set(at("t"), "", -2).code(), errc::bad_version);
  EXPECT_EQ(zk.set(at("t"), "", 0).code(), errc::ok);
  const stat_t before = zk.stat("/");
  const incoming root = zk.set("/", "root");
  EXPECT_EQ(root.code(), errc::ok);
  const stat_t after = root.stat(opcode::set_data);
  EXPECT_EQ(after.version, before.version + 1);
  EXPECT_EQ(after.mzxid, root.header.zxid);
  EXPECT_EQ(after.czxid, 0);
}

TEST_F(nodes_conformance, errors_of_set_acl_in_their_order) {
  zk.create(at("t"));
  const auto set_acl = [this](std::string_view path, const acl_list& acl, std::int32_t version = -1) {
    return zk.call(wire::set_acl_request{path, acl, version}).code();
  };
  EXPECT_EQ(set_acl("t", {}), errc::bad_arguments);
  EXPECT_EQ(set_acl(at("none"), {}), errc::invalid_acl);
  EXPECT_EQ(set_acl(at("none"), open_acl()), errc::no_node);
  EXPECT_EQ(set_acl("/zookeeper/config", open_acl(), 9), errc::no_auth);
  EXPECT_EQ(set_acl(at("t"), open_acl(), 1), errc::bad_version);
  EXPECT_EQ(set_acl(at("t"), open_acl(), 0), errc::ok);
}

TEST_F(nodes_conformance, the_type_makes_a_container_and_the_flags_make_the_rest) {
  const incoming flagged = zk.call(create_request{opcode::create, at("flagged"), "", open_acl(), 4});
  EXPECT_EQ(flagged.body.size(), 4 + at("flagged").size()) << "a path, no Stat";
  const incoming typed = zk.call(create_request{opcode::create_container, at("typed"), "", open_acl(), 0});
  EXPECT_EQ(typed.stat(opcode::create_container).ephemeral_owner, 0);
  for (const opcode type : {opcode::create, opcode::create2}) {
    for (const std::int32_t ttl_flags : {5, 6}) {
      EXPECT_EQ(zk.call(create_request{type, at("ttl"), "", open_acl(), ttl_flags}).code(), errc::bad_arguments);
    }
  }
  // Only containers go when they are empty.
  for (const char* name : {"flagged", "typed"}) {
    zk.create(at(name) + "/x");
    zk.remove(at(name) + "/x");
  }
  EXPECT_TRUE(eventually([&] { return !zk.has(at("typed")); }));
  EXPECT_TRUE(zk.has(at("flagged")));
}

TEST_F(nodes_conformance, anybody_may_create_below_the_built_in_nodes) {
  EXPECT_EQ(zk.create("/zookeeper/" + folder.substr(1)).code(), errc::ok);
}

TEST_F(nodes_conformance, errors_of_remove_in_their_order) {
  zk.create(at("t"));
  zk.create(at("t/c"));
  EXPECT_EQ(zk.remove(at("no/where")), errc::no_node);
  EXPECT_EQ(zk.remove(at("none")), errc::no_node);
  EXPECT_EQ(zk.remove(at("t"), 5), errc::bad_version);
  EXPECT_EQ(zk.remove(at("t"), 0), errc::not_empty);
  EXPECT_EQ(zk.remove("t"), errc::bad_arguments);
  EXPECT_EQ(zk.remove(""), errc::bad_arguments);
  EXPECT_EQ(zk.remove(at("t/")), errc::no_node);
  EXPECT_EQ(zk.call(wire::remove_request{{}, -1}).code(), errc::marshalling_error);
}

TEST_F(nodes_conformance, reads_look_up_and_validate_nothing) {
  EXPECT_EQ(zk.get("").code(), errc::ok) << "the root";
  EXPECT_EQ(zk.children("").code(), errc::ok);
  for (const char* path : {"no-slash", "//", "/a/../b"}) {
    EXPECT_EQ(zk.get(path).code(), errc::no_node) << path;
    EXPECT_EQ(zk.exists(path).code(), errc::no_node) << path;
    EXPECT_EQ(zk.children(path).code(), errc::no_node) << path;
  }
  EXPECT_EQ(zk.exists(std::string_view("/a\0b", 4)).code(), errc::bad_arguments);
  EXPECT_EQ(zk.call(wire::get_data_request{{}}).code(), errc::marshalling_error);
}

TEST_F(nodes_conformance, ttls_have_bounds) {
  const auto create_ttl = [this](std::int64_t ttl, std::int32_t flags = 5) {
    return zk.call(create_request{opcode::create_ttl, at("ttl-"), "", open_acl(), flags, ttl}).code();
  };
  EXPECT_EQ(create_ttl(0), errc::bad_arguments);
  EXPECT_EQ(create_ttl(-1), errc::bad_arguments);
  EXPECT_EQ(create_ttl(std::int64_t{1} << 40U), errc::bad_arguments);
  EXPECT_EQ(create_ttl(1000, 0), errc::bad_arguments);
  EXPECT_EQ(create_ttl((std::int64_t{1} << 40U) - 1, 6), errc::ok);
  EXPECT_EQ(zk.last.stat(opcode::create_ttl).ephemeral_owner, 0);
}

TEST_F(nodes_conformance, descendants_and_own_ephemerals_are_found) {
  zk.create(at("a"));
  zk.create(at("a/b"));
  zk.create(at("a/e"), "", create_flags::ephemeral);
  const wire::reply count = zk.call(wire::get_all_children_number_request{folder}).as(opcode::get_all_children_number);
  EXPECT_EQ(std::get<wire::get_all_children_number_reply>(count).count, 3);
  const incoming mine = zk.call(wire::get_ephemerals_request{folder});
  const wire::reply paths = mine.as(opcode::get_ephemerals);
  ASSERT_EQ(std::get<wire::get_ephemerals_reply>(paths).paths.size(), 1U);
  EXPECT_EQ(std::get<wire::get_ephemerals_reply>(paths).paths[0], at("a/e"));
  // A prefix of the text, not of the path; nothing stands for everything.
  for (const std::string_view prefix : {std::string_view(), std::string_view(""), std::string_view("/")}) {
    const incoming all = zk.call(wire::get_ephemerals_request{prefix});
    EXPECT_EQ(to_hex(all.body), to_hex(mine.body));
  }
  EXPECT_EQ(to_hex(zk.call(wire::get_ephemerals_request{folder.substr(0, folder.size() - 1)}).body), to_hex(mine.body));
}

}  // namespace
}  // namespace zkr::testing
