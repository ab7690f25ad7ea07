#include <algorithm>

#include "conformance/differences.hpp"
#include "conformance/wire_client.hpp"
#include "support/eventually.hpp"

// How sessions, containers and TTL nodes end.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::event_type;
using wire::opcode;
using events = std::vector<seen_event>;

using lifetime_conformance = wire_conformance;

TEST_F(lifetime_conformance, a_silent_session_ends_without_a_word) {
  wire_client silent(500);
  silent.create(at("e"), "", create_flags::ephemeral);
  zk.exists(at("e"), true);
  zk.children(folder, true);
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(eventually([&] { return !zk.has(at("e")); }));
  EXPECT_EQ(zk.events(), (events{{event_type::removed, at("e")}, {event_type::children_changed, folder}}));
  const std::string password = silent.password;
  wire_client again({0, 0, 500, silent.session_id, password, false});
  EXPECT_EQ(again.session_id, 0);
  EXPECT_EQ(again.timeout_ms, 0);
}

TEST_F(lifetime_conformance, ephemeral_nodes_end_with_one_zxid_and_one_event_for_their_parent) {
  wire_client silent(500);
  std::vector<std::string> paths;
  for (const char* name : {"c", "a", "z", "b", "m"}) {
    paths.push_back(at(name));
    silent.create(paths.back(), "", create_flags::ephemeral);
    zk.exists(paths.back(), true);
  }
  zk.children(folder, true);
  EXPECT_TRUE(eventually([&] { return !zk.has(paths.back()); }));
  std::vector<std::string> removed;
  std::size_t parents = 0;
  for (const seen_event& one : zk.events()) {
    if (one.type == event_type::removed) removed.push_back(one.path);
    if (one.type == event_type::children_changed) ++parents;
  }
  if (!differs("expiry-order")) {
    std::sort(removed.begin(), removed.end());
    std::sort(paths.begin(), paths.end());
  }
  EXPECT_EQ(removed, paths);
  EXPECT_EQ(parents, 1U);
  EXPECT_EQ(zk.stat(folder).cversion, 10);
}

TEST_F(lifetime_conformance, setting_its_data_renews_a_ttl_node) {
  const std::string path = at("renewed");
  EXPECT_EQ(zk.call(wire::create_request{opcode::create_ttl, path, "", open_acl(), 5, 2000}).code(), errc::ok);
  const std::int64_t made = zk.stat(path).mtime;
  EXPECT_TRUE(eventually([&] { return zk.set(path, "x").stat(opcode::set_data).mtime - made > 2500; }))
      << "it is still there, though older than it may get";
  EXPECT_TRUE(eventually([&] { return !zk.has(path); }));
}

TEST_F(lifetime_conformance, a_session_outlives_its_connection) {
  std::int64_t id = 0;
  std::string password;
  {
    wire_client lost;
    lost.create(at("e"), "", create_flags::ephemeral);
    id = lost.session_id;
    password = lost.password;
  }
  EXPECT_TRUE(zk.has(at("e")));
  wire_client back({0, 0, 5000, id, password, false});
  EXPECT_EQ(back.session_id, id);
  EXPECT_EQ(back.call(wire::close_session_request{}).code(), errc::ok);
  EXPECT_FALSE(zk.has(at("e")));
}

TEST_F(lifetime_conformance, closing_tells_own_watches_replies_and_ends) {
  wire_client client;
  client.create(at("e"), "", create_flags::ephemeral);
  client.exists(at("e"), true);
  client.send(wire::close_session_request{});
  client.send(wire::create_request{opcode::create, at("behind"), "", open_acl(), 0});
  EXPECT_EQ(client.next().header.xid, wire::xid_notification);
  EXPECT_EQ(client.next().code(), errc::ok);
  // Apache may find the time to refuse what stands behind.
  const errc behind = client.next().code();
  EXPECT_TRUE(behind == errc::connection_loss || behind == errc::session_expired);
  EXPECT_FALSE(zk.has(at("behind")));
  EXPECT_FALSE(zk.has(at("e")));
}

TEST_F(lifetime_conformance, a_used_container_goes_when_it_is_empty_and_an_unused_one_stays) {
  zk.create(at("unused"), "", create_flags::container);
  EXPECT_EQ(zk.create(at("c"), "", create_flags::container).stat(opcode::create_container).ephemeral_owner, 0);
  zk.create(at("c/x"));
  zk.exists(at("c"), true);
  zk.remove(at("c/x"));
  EXPECT_TRUE(eventually([&] { return !zk.has(at("c")); }));
  EXPECT_EQ(zk.events(), (events{{event_type::removed, at("c")}}));
  EXPECT_TRUE(zk.has(at("unused")));
}

TEST_F(lifetime_conformance, a_ttl_node_goes_when_it_is_childless) {
  const auto create_ttl = [this](const std::string& path) {
    return zk.call(wire::create_request{opcode::create_ttl, path, "", open_acl(), 5, 100}).code();
  };
  EXPECT_EQ(create_ttl(at("parent")), errc::ok);
  zk.create(at("parent/child"));
  EXPECT_EQ(create_ttl(at("t")), errc::ok);
  const std::int64_t made = zk.last.header.zxid;
  EXPECT_TRUE(eventually([&] { return !zk.has(at("t")); }));
  EXPECT_GT(zk.stat(folder).pzxid, made) << "its end has a zxid";
  EXPECT_TRUE(zk.has(at("parent")));
  zk.remove(at("parent/child"));
  EXPECT_TRUE(eventually([&] { return !zk.has(at("parent")); }));
}

}  // namespace
}  // namespace zkr::testing
