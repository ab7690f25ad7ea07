#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// A member that is behind: what its connections see, and what brings it up to date.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::event_type;
using wire::opcode;
using events = std::vector<seen_event>;

struct lag : ::testing::Test {
  using client = processor_harness::client;
  processor_harness server;
  client current = server.connect();

  // A client of the lagging member. Its session is a transaction, which brings the member up to date.
  client behind() {
    server.core.begin_lag();
    return server.connect();
  }
  static std::string data(client& of, std::string_view path) {
    const incoming reply = of.get(path);
    const wire::reply body = reply.as(opcode::get_data);
    return std::string(std::get<wire::get_data_reply>(body).data.value_or("null"));
  }
  static acl_list acl(client& of, std::string_view path) {
    const wire::reply body = of.call(wire::get_acl_request{path}).as(opcode::get_acl);
    return std::get<wire::get_acl_reply>(body).acl;
  }
};

TEST_F(lag, reads_are_of_the_moment_at_which_it_began) {
  current.create("/a", "old");
  auto stale = behind();
  current.set("/a", "new");
  current.create("/b");
  EXPECT_EQ(data(stale, "/a"), "old");
  EXPECT_EQ(stale.get("/a").header.zxid, server.zxid() - 2);
  EXPECT_FALSE(stale.has("/b"));
  EXPECT_EQ(stale.children("/"), (std::vector<std::string>{"zookeeper", "a"}));
  EXPECT_EQ(data(current, "/a"), "new");
}

TEST_F(lag, begins_with_everything_that_was_there) {
  const acl_list readers{{perms::read, "world", "anyone"}};
  current.create("/a", "x");
  current.call(wire::create_request{opcode::create2, "/a/guarded", "d", readers, 0, -1});
  current.call(wire::create_request{opcode::create_container, "/a/c", "", readers, 4, -1});
  current.create("/a/s-", "", create_flags::persistent_sequential);
  current.create("/a/e", "", create_flags::ephemeral);
  current.create("/a/e2", "", create_flags::ephemeral);
  auto stale = behind();
  for (const auto* path : {"/", "/a", "/a/guarded", "/a/c", "/a/s-0000000002", "/a/e", "/a/e2", "/zookeeper"}) {
    EXPECT_EQ(stale.stat(path), current.stat(path)) << path;
    EXPECT_EQ(stale.children(path), current.children(path)) << path;
    EXPECT_EQ(data(stale, path), data(current, path)) << path;
  }
  EXPECT_EQ(acl(stale, "/a/guarded"), readers);
  EXPECT_EQ(stale.set("/a/guarded", "").code(), errc::no_auth);
}

TEST_F(lag, own_write_brings_everything_before_it) {
  current.create("/a", "old");
  auto stale = behind();
  stale.get("/a", true);
  current.set("/a", "new");
  EXPECT_EQ(stale.events(), events());
  EXPECT_EQ(stale.create("/mine").code(), errc::ok);
  EXPECT_EQ(stale.events(), (events{{event_type::data_changed, "/a"}}));
  EXPECT_EQ(data(stale, "/a"), "new");
  current.set("/a", "newer");
  EXPECT_EQ(data(stale, "/a"), "new") << "and nothing after it";
}

TEST_F(lag, write_that_fails_does_so_too) {
  auto stale = behind();
  current.create("/a");
  EXPECT_EQ(stale.create("/a").code(), errc::node_exists);
  EXPECT_TRUE(stale.has("/a"));
}

TEST_F(lag, sync_brings_everything) {
  auto stale = behind();
  current.create("/a");
  EXPECT_FALSE(stale.has("/a"));
  stale.call(wire::sync_request{"/"});
  EXPECT_TRUE(stale.has("/a"));
}

TEST_F(lag, client_that_has_seen_more_is_turned_away) {
  server.core.begin_lag();
  current.create("/a");
  auto seen_more = server.connect({0, server.zxid(), 10'000, current.session_id, current.password, false});
  EXPECT_TRUE(seen_more.closed());
  auto seen_less = server.connect({0, server.zxid() - 1, 10'000, current.session_id, current.password, false});
  EXPECT_FALSE(seen_less.closed());
  EXPECT_FALSE(seen_less.has("/a"));
}

TEST_F(lag, end_tells_what_was_missed_and_keeps_up_from_then_on) {
  auto stale = behind();
  stale.exists("/a", true);
  stale.exists("/b", true);
  current.create("/a");
  EXPECT_EQ(stale.events(), events());
  server.core.end_lag();
  EXPECT_EQ(stale.events(), (events{{event_type::created, "/a"}}));
  current.create("/b");
  EXPECT_EQ(stale.events(), (events{{event_type::created, "/b"}}));
  EXPECT_TRUE(stale.has("/b"));
}

TEST_F(lag, may_begin_again) {
  auto stale = behind();
  server.core.end_lag();
  current.create("/a");
  server.core.begin_lag();
  current.create("/b");
  EXPECT_TRUE(stale.has("/a"));
  EXPECT_FALSE(stale.has("/b"));
}

TEST_F(lag, expiry_of_others_is_seen_late) {
  auto owner = server.connect();
  owner.create("/e", "", create_flags::ephemeral);
  auto stale = behind();
  server.core.expire(owner.session_id, server.now);
  EXPECT_TRUE(stale.has("/e"));
  EXPECT_FALSE(current.has("/e"));
  server.core.end_lag();
  EXPECT_FALSE(stale.has("/e"));
}

TEST_F(lag, watches_of_a_member_go_with_its_connection) {
  auto stale = behind();
  stale.exists("/a", true);
  EXPECT_EQ(server.core.watch_count(), 1U);
  stale.disconnect();
  EXPECT_EQ(server.core.watch_count(), 0U);
}

}  // namespace
}  // namespace zkr::testing
