#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// Who hears of what, in which order, and how often.
namespace zkr::testing {
namespace {

using wire::create_flags;
using wire::event_type;
using wire::opcode;
using events = std::vector<seen_event>;

constexpr std::int32_t mode_persistent = 0;
constexpr std::int32_t mode_recursive = 1;

class watches_test : public ::testing::Test {
 protected:
  processor_harness server;
  processor_harness::client watcher = server.connect();
  processor_harness::client writer = server.connect();

  errc change_watches(opcode type, std::string_view path, std::int32_t kind) {
    return watcher.call(wire::remove_watches_request{type, path, kind}).code();
  }
};

TEST_F(watches_test, a_watch_fires_once) {
  writer.create("/a");
  watcher.get("/a", true);
  writer.set("/a", "1");
  writer.set("/a", "2");
  EXPECT_EQ(watcher.events(), (events{{event_type::data_changed, "/a"}}));
}

TEST_F(watches_test, repeats_collapse_to_one_event) {
  writer.create("/a");
  watcher.get("/a", true);
  watcher.get("/a", true);
  watcher.exists("/a", true);
  writer.set("/a", "1");
  EXPECT_EQ(watcher.events(), (events{{event_type::data_changed, "/a"}}));
}

TEST_F(watches_test, exists_waits_for_creation_and_other_reads_do_not) {
  EXPECT_EQ(watcher.exists("/a", true).code(), errc::no_node);
  EXPECT_EQ(watcher.get("/b", true).code(), errc::no_node);
  writer.create("/a");
  writer.create("/b");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/a"}}));
}

TEST_F(watches_test, create_tells_the_node_and_then_the_parent) {
  watcher.exists("/p/c", true);
  writer.create("/p");
  watcher.children("/p", true);
  writer.create("/p/c");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/p/c"}, {event_type::children_changed, "/p"}}));
}

TEST_F(watches_test, remove_tells_data_watchers_then_child_watchers_then_the_parents) {
  writer.create("/p");
  writer.create("/p/c");
  watcher.get("/p/c", true);
  watcher.children("/p/c", true);
  watcher.children("/p", true);
  auto child_watcher = server.connect();
  child_watcher.children("/p/c", true);
  writer.remove("/p/c");
  EXPECT_EQ(watcher.events(), (events{{event_type::removed, "/p/c"}, {event_type::children_changed, "/p"}}));
  EXPECT_EQ(child_watcher.events(), (events{{event_type::removed, "/p/c"}}));
}

TEST_F(watches_test, neither_set_acl_nor_failed_writes_fire) {
  writer.create("/a");
  watcher.get("/a", true);
  watcher.children("/a", true);
  writer.call(wire::set_acl_request{"/a", open_acl(), -1});
  writer.set("/a", "x", 7);
  writer.remove("/a", 7);
  writer.create("/a");
  EXPECT_EQ(watcher.events(), events{});
}

TEST_F(watches_test, an_event_precedes_the_reply_of_the_write_that_caused_it) {
  writer.create("/a");
  writer.get("/a", true);
  writer.send(wire::set_data_request{"/a", "x", -1});
  const std::vector<incoming> got = writer.receive();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].header.xid, wire::xid_notification);
  EXPECT_EQ(got[0].header.zxid, -1);
  EXPECT_EQ(got[1].header.xid, 3);
}

TEST_F(watches_test, a_multi_fires_operation_by_operation) {
  writer.create("/a");
  for (const char* path : {"/a", "/b", "/c"}) watcher.exists(path, true);
  watcher.children("/", true);
  writer.call(wire::multi_request{{wire::create_request{opcode::create, "/b", "", open_acl(), 0},
                                   wire::set_data_request{"/a", "x", -1},
                                   wire::create_request{opcode::create, "/c", "", open_acl(), 0}}});
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/b"},
                                      {event_type::children_changed, "/"},
                                      {event_type::data_changed, "/a"},
                                      {event_type::created, "/c"}}));
}

TEST_F(watches_test, watches_end_with_their_connection) {
  writer.create("/a");
  watcher.get("/a", true);
  EXPECT_EQ(server.core.watched().size(), 1U);
  watcher.disconnect();
  EXPECT_EQ(server.core.watched().size(), 0U);
  writer.set("/a", "x");
  auto again = server.connect({0, 0, 10'000, watcher.session_id, watcher.password, false});
  EXPECT_EQ(again.session_id, watcher.session_id);
  writer.set("/a", "y");
  EXPECT_EQ(again.events(), events{});
}

TEST_F(watches_test, persistent_watches_stay) {
  watcher.call(wire::add_watch_request{"/a", mode_persistent});
  writer.create("/a");
  writer.set("/a", "x");
  writer.create("/a/b");
  writer.set("/a/b", "x");
  writer.remove("/a/b");
  writer.remove("/a");
  writer.create("/a");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/a"},
                                      {event_type::data_changed, "/a"},
                                      {event_type::children_changed, "/a"},
                                      {event_type::children_changed, "/a"},
                                      {event_type::removed, "/a"},
                                      {event_type::created, "/a"}}));
}

TEST_F(watches_test, recursive_watches_tell_of_descendants_and_never_of_children) {
  watcher.call(wire::add_watch_request{"/a", mode_recursive});
  writer.create("/a");
  writer.create("/a/b");
  writer.create("/a/b/c");
  writer.set("/a/b/c", "x");
  writer.remove("/a/b/c");
  writer.create("/ab");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/a"},
                                      {event_type::created, "/a/b"},
                                      {event_type::created, "/a/b/c"},
                                      {event_type::data_changed, "/a/b/c"},
                                      {event_type::removed, "/a/b/c"}}));
}

TEST_F(watches_test, a_recursive_watch_on_the_root_sees_everything) {
  watcher.call(wire::add_watch_request{"/", mode_recursive});
  writer.create("/a");
  writer.set("/", "x");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/a"}, {event_type::data_changed, "/"}}));
}

TEST_F(watches_test, one_event_however_many_watches_match) {
  writer.create("/a");
  watcher.get("/a", true);
  watcher.exists("/a", true);
  watcher.children("/a", true);
  watcher.call(wire::add_watch_request{"/a", mode_persistent});
  watcher.call(wire::add_watch_request{"/a", mode_recursive});
  watcher.call(wire::add_watch_request{"/", mode_recursive});
  writer.set("/a", "x");
  EXPECT_EQ(watcher.events(), (events{{event_type::data_changed, "/a"}}));
  writer.remove("/a");
  EXPECT_EQ(watcher.events(), (events{{event_type::removed, "/a"}}));
}

// 3.9's rule (ZOOKEEPER-4466); in 3.8 the second registration replaces the first.
TEST_F(watches_test, standard_and_persistent_watches_coexist) {
  writer.create("/a");
  watcher.call(wire::add_watch_request{"/a", mode_persistent});
  watcher.get("/a", true);
  writer.set("/a", "1");
  writer.set("/a", "2");
  EXPECT_EQ(watcher.events(), (events{{event_type::data_changed, "/a"}, {event_type::data_changed, "/a"}}));
}

TEST_F(watches_test, a_bad_mode_is_refused_and_anything_else_accepted) {
  EXPECT_EQ(watcher.call(wire::add_watch_request{"/a", 2}).code(), errc::marshalling_error);
  EXPECT_EQ(watcher.call(wire::add_watch_request{"no//path/", 0}).code(), errc::ok);
  const incoming reply = watcher.call(wire::add_watch_request{"/a", 1});
  EXPECT_EQ(std::get<wire::add_watch_reply>(reply.as(opcode::add_watch)).code, 0);
}

TEST_F(watches_test, removal_and_checks_by_kind) {
  writer.create("/a");
  EXPECT_EQ(change_watches(opcode::check_watches, "/a", 3), errc::no_watcher);
  watcher.exists("/a", true);
  EXPECT_EQ(change_watches(opcode::check_watches, "/a", 2), errc::ok);
  EXPECT_EQ(change_watches(opcode::check_watches, "/a", 1), errc::no_watcher);
  EXPECT_EQ(change_watches(opcode::check_watches, "/a", 3), errc::ok);
  EXPECT_EQ(change_watches(opcode::remove_watches, "/a", 1), errc::no_watcher);
  EXPECT_EQ(change_watches(opcode::remove_watches, "/a", 2), errc::ok);
  EXPECT_EQ(change_watches(opcode::remove_watches, "/a", 2), errc::no_watcher);
  watcher.children("/a", true);
  watcher.get("/a", true);
  EXPECT_EQ(change_watches(opcode::remove_watches, "/a", 1), errc::ok);
  EXPECT_EQ(change_watches(opcode::remove_watches, "/a", 3), errc::ok);
  EXPECT_EQ(change_watches(opcode::remove_watches, "/a", 3), errc::no_watcher);
  for (const std::int32_t kind : {0, 4, 5, 6, -1}) {
    EXPECT_EQ(change_watches(opcode::remove_watches, "/a", kind), errc::marshalling_error) << kind;
  }
  writer.set("/a", "x");
  EXPECT_EQ(watcher.events(), events{});
  EXPECT_EQ(server.core.watched().size(), 0U);
}

// Found by comparing with Apache: 3.8 looks for a watch of anybody, 3.9 for the client's own.
TEST(watches_of_3_9, a_check_asks_for_the_clients_own_watch) {
  for (const auto compat : {backend::compatibility::v3_8, backend::compatibility::v3_9}) {
    backend::processor_options options = processor_harness::fast();
    options.compat = compat;
    processor_harness server(options);
    auto watcher = server.connect();
    auto other = server.connect();
    watcher.exists("/a", true);
    const auto check = [&](processor_harness::client& who, std::int32_t kind) {
      return who.call(wire::remove_watches_request{opcode::check_watches, "/a", kind}).code();
    };
    EXPECT_EQ(check(watcher, 2), errc::ok);
    EXPECT_EQ(check(other, 2), compat == backend::compatibility::v3_8 ? errc::ok : errc::no_watcher);
    EXPECT_EQ(check(other, 1), errc::no_watcher);
    EXPECT_EQ(other.call(wire::remove_watches_request{opcode::remove_watches, "/a", 3}).code(), errc::no_watcher);
  }
}

TEST(watches_of_3_9, persistent_kinds_are_told_apart) {
  backend::processor_options options = processor_harness::fast();
  options.compat = backend::compatibility::v3_9;
  processor_harness server(options);
  auto client = server.connect();
  client.create("/a");
  const auto change = [&](opcode type, std::int32_t kind) {
    return client.call(wire::remove_watches_request{type, "/a", kind}).code();
  };
  client.call(wire::add_watch_request{"/a", mode_persistent});
  client.call(wire::add_watch_request{"/a", mode_recursive});
  EXPECT_EQ(change(opcode::check_watches, 2), errc::no_watcher);
  EXPECT_EQ(change(opcode::check_watches, 4), errc::ok);
  EXPECT_EQ(change(opcode::remove_watches, 4), errc::ok);
  EXPECT_EQ(change(opcode::check_watches, 4), errc::no_watcher);
  EXPECT_EQ(change(opcode::remove_watches, 5), errc::ok);
  EXPECT_EQ(change(opcode::check_watches, 3), errc::no_watcher);
  EXPECT_EQ(change(opcode::check_watches, 6), errc::marshalling_error);
  client.get("/a", true);
  client.send(wire::set_data_request{"/a", "x", -1});
  EXPECT_EQ(client.receive()[0].header.zxid, server.zxid()) << "ZOOKEEPER-4655";
}

TEST_F(watches_test, set_watches_tells_what_was_missed_and_registers_the_rest) {
  writer.create("/same");
  writer.create("/changed");
  writer.create("/gone");
  writer.create("/kids");
  const std::int64_t seen = server.zxid();
  writer.set("/changed", "x");
  writer.remove("/gone");
  writer.create("/kids/k");
  writer.create("/new");
  const incoming reply = watcher.call(wire::set_watches_request{opcode::set_watches,
                                                                seen,
                                                                {"/same", "/changed", "/gone"},
                                                                {"/new", "/not-yet", "/same"},
                                                                {"/same", "/kids", "/gone"},
                                                                {},
                                                                {}});
  EXPECT_EQ(reply.code(), errc::ok);
  EXPECT_EQ(watcher.events(), (events{{event_type::data_changed, "/changed"},
                                      {event_type::removed, "/gone"},
                                      {event_type::created, "/new"},
                                      {event_type::created, "/same"},
                                      {event_type::children_changed, "/kids"},
                                      {event_type::removed, "/gone"}}));
  writer.create("/not-yet");
  writer.set("/same", "x");
  writer.create("/same/child");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/not-yet"},
                                      {event_type::data_changed, "/same"},
                                      {event_type::children_changed, "/same"}}));
}

TEST_F(watches_test, set_watches2_registers_persistent_ones_without_catching_up) {
  writer.create("/a");
  watcher.call(wire::set_watches_request{opcode::set_watches2, 0, {}, {}, {}, {"/a"}, {"/r"}});
  EXPECT_EQ(watcher.events(), events{});
  writer.set("/a", "1");
  writer.set("/a", "2");
  writer.create("/r");
  EXPECT_EQ(watcher.events(),
            (events{{event_type::data_changed, "/a"}, {event_type::data_changed, "/a"}, {event_type::created, "/r"}}));
}

TEST_F(watches_test, events_go_to_those_who_may_read) {
  const acl_list mine{{perms::all, "auth", ""}};
  ASSERT_EQ(writer.auth("digest", "u:p"), errc::ok);
  writer.call(wire::create_request{opcode::create, "/secret", "", mine, 0});
  watcher.exists("/secret", true);
  watcher.exists("/secret/child", true);
  writer.set("/secret", "x");
  EXPECT_EQ(watcher.events(), events{}) << "may not read it";
  watcher.exists("/secret", true);
  watcher.call(wire::add_watch_request{"/secret", mode_persistent});
  writer.remove("/secret");
  EXPECT_EQ(watcher.events(), events{});
  writer.create("/secret");
  EXPECT_EQ(watcher.events(), (events{{event_type::created, "/secret"}}))
      << "the standard watch was used up, the persistent one not";
}

TEST_F(watches_test, who_sets_too_many_watches_is_closed) {
  backend::processor_options options = processor_harness::fast();
  options.max_watches_per_connection = 2;
  processor_harness small(options);
  auto greedy = small.connect();
  greedy.exists("/a", true);
  greedy.exists("/b", true);
  EXPECT_FALSE(greedy.closed());
  greedy.exists("/c", true);
  EXPECT_TRUE(greedy.closed());
  EXPECT_EQ(small.core.watched().size(), 0U);
}

TEST(watch_tables, hold_nothing_once_everything_is_gone) {
  backend::watches all;
  for (backend::connection_id who = 1; who <= 3; ++who) {
    all.add_data("/a", who);
    all.add_children("/a", who);
    all.add_persistent("/b", who);
    all.add_recursive("/c", who);
  }
  EXPECT_EQ(all.size(), 15U);
  EXPECT_EQ(all.watches_of(1), 5U);
  EXPECT_EQ(all.removed("/a", "/").of_node.size(), 3U);
  EXPECT_EQ(all.removed("/a", "/").of_node.size(), 0U);
  for (backend::connection_id who = 1; who <= 3; ++who) all.remove_connection(who);
  EXPECT_EQ(all.size(), 0U);
  EXPECT_EQ(all.data().watched_paths(), 0U);
  EXPECT_EQ(all.data().watching_connections(), 0U);
  EXPECT_EQ(all.children().watching_connections(), 0U);
}

}  // namespace
}  // namespace zkr::testing
