#include "conformance/differences.hpp"
#include "conformance/wire_client.hpp"

// Watches: what registers one, what fires it, and in which order.
namespace zkr::testing {
namespace {

using wire::event_type;
using wire::opcode;
using events = std::vector<seen_event>;

class watches_conformance : public wire_conformance {
 protected:
  wire_client writer;
  const std::string a = at("a");
  const std::string b = at("b");
};

TEST_F(watches_conformance, one_shot_ones_fire_once_however_often_they_were_set) {
  zk.create(a);
  zk.get(a, true);
  zk.get(a, true);
  zk.exists(a, true);
  writer.set(a, "1");
  writer.set(a, "2");
  EXPECT_EQ(zk.events(), (events{{event_type::data_changed, a}}));
}

TEST_F(watches_conformance, exists_waits_for_a_node_and_get_does_not) {
  EXPECT_EQ(zk.get(a, true).code(), errc::no_node);
  EXPECT_EQ(zk.children(a, true).code(), errc::no_node);
  writer.create(a);
  EXPECT_TRUE(zk.events().empty());
  EXPECT_EQ(zk.exists(b, true).code(), errc::no_node);
  writer.create(b);
  EXPECT_EQ(zk.events(), (events{{event_type::created, b}}));
}

TEST_F(watches_conformance, a_removal_tells_the_node_once_and_then_the_parent) {
  zk.create(a);
  zk.get(a, true);
  zk.children(a, true);
  zk.children(folder, true);
  writer.remove(a);
  EXPECT_EQ(zk.events(), (events{{event_type::removed, a}, {event_type::children_changed, folder}}));
}

TEST_F(watches_conformance, child_watchers_learn_of_the_nodes_removal) {
  zk.create(a);
  zk.children(a, true);
  writer.remove(a);
  EXPECT_EQ(zk.events(), (events{{event_type::removed, a}}));
}

TEST_F(watches_conformance, set_acl_and_failed_writes_fire_nothing) {
  zk.create(a);
  zk.get(a, true);
  zk.children(a, true);
  writer.call(wire::set_acl_request{a, open_acl(), -1});
  writer.set(a, "x", 7);
  writer.create(a);
  writer.remove(a, 7);
  EXPECT_TRUE(zk.events().empty());
}

TEST_F(watches_conformance, events_have_neither_a_request_nor_a_zxid) {
  zk.exists(a, true);
  zk.send(wire::create_request{opcode::create, a, "", open_acl(), 0});
  const incoming event = zk.next();
  EXPECT_EQ(event.header.xid, wire::xid_notification);
  EXPECT_EQ(event.header.zxid, -1);
  EXPECT_EQ(event.code(), errc::ok);
}

TEST_F(watches_conformance, own_events_precede_the_reply_of_the_write) {
  zk.create(a);
  zk.get(a, true);
  const std::int32_t xid = zk.send(wire::set_data_request{a, "x", -1});
  const incoming event = zk.next();
  EXPECT_EQ(event.header.xid, wire::xid_notification);
  EXPECT_EQ(event.header.zxid, -1);
  EXPECT_EQ(zk.next().header.xid, xid);
}

TEST_F(watches_conformance, persistent_ones_stay) {
  EXPECT_EQ(zk.call(wire::add_watch_request{a, 0}).code(), errc::ok) << "the node need not exist";
  writer.create(a);
  writer.set(a, "x");
  writer.create(a + "/c");
  writer.remove(a + "/c");
  writer.remove(a);
  writer.create(a);
  EXPECT_EQ(zk.events(), (events{{event_type::created, a},
                                 {event_type::data_changed, a},
                                 {event_type::children_changed, a},
                                 {event_type::children_changed, a},
                                 {event_type::removed, a},
                                 {event_type::created, a}}));
}

TEST_F(watches_conformance, recursive_ones_tell_of_descendants_and_not_of_children) {
  EXPECT_EQ(zk.call(wire::add_watch_request{folder, 1}).code(), errc::ok);
  writer.create(a);
  writer.create(a + "/c");
  writer.set(a + "/c", "x");
  writer.remove(a + "/c");
  EXPECT_EQ(zk.events(), (events{{event_type::created, a},
                                 {event_type::created, a + "/c"},
                                 {event_type::data_changed, a + "/c"},
                                 {event_type::removed, a + "/c"}}));
  EXPECT_EQ(zk.call(wire::add_watch_request{folder, 2}).code(), errc::marshalling_error);
}

TEST_F(watches_conformance, are_checked_and_removed_by_kind) {
  zk.create(a);
  const auto check = [this](opcode type, std::int32_t kind) {
    return zk.call(wire::remove_watches_request{type, a, kind}).code();
  };
  EXPECT_EQ(check(opcode::check_watches, 3), errc::no_watcher);
  zk.get(a, true);
  EXPECT_EQ(check(opcode::check_watches, 1), errc::no_watcher);
  EXPECT_EQ(check(opcode::check_watches, 2), errc::ok);
  EXPECT_EQ(check(opcode::remove_watches, 1), errc::no_watcher);
  EXPECT_EQ(check(opcode::remove_watches, 2), errc::ok);
  EXPECT_EQ(check(opcode::remove_watches, 2), errc::no_watcher);
  for (const std::int32_t unknown : {0, 4, 5, 9}) {
    EXPECT_EQ(check(opcode::check_watches, unknown), errc::marshalling_error) << unknown;
    EXPECT_EQ(check(opcode::remove_watches, unknown), errc::marshalling_error) << unknown;
  }
  writer.set(a, "x");
  EXPECT_TRUE(zk.events().empty());
}

TEST_F(watches_conformance, any_kind_removes_all_kinds) {
  zk.create(a);
  const auto remove = [this] { return zk.call(wire::remove_watches_request{opcode::remove_watches, a, 3}).code(); };
  zk.get(a, true);
  zk.children(a, true);
  EXPECT_EQ(remove(), errc::ok);
  zk.call(wire::add_watch_request{a, 1});
  EXPECT_EQ(remove(), errc::ok);
  EXPECT_EQ(remove(), errc::no_watcher);
  writer.set(a, "x");
  writer.create(a + "/c");
  EXPECT_TRUE(zk.events().empty());
}

TEST_F(watches_conformance, one_event_a_connection_however_many_kinds_wait_for_it) {
  zk.create(a);
  zk.exists(a, true);
  zk.children(a, true);
  zk.call(wire::add_watch_request{folder, 1});
  writer.set(a, "x");
  writer.remove(a);
  EXPECT_EQ(zk.events(), (events{{event_type::data_changed, a}, {event_type::removed, a}}));
}

TEST_F(watches_conformance, a_recursive_one_on_the_root_sees_everything) {
  EXPECT_EQ(zk.call(wire::add_watch_request{"/", 1}).code(), errc::ok);
  writer.create(a);
  EXPECT_EQ(zk.events(), (events{{event_type::created, a}}));
}

TEST_F(watches_conformance, a_standard_one_on_the_path_of_a_persistent_one) {
  zk.create(a);
  zk.call(wire::add_watch_request{a, 0});
  zk.get(a, true);
  writer.set(a, "1");
  writer.set(a, "2");
  const seen_event changed{event_type::data_changed, a};
  EXPECT_EQ(zk.events(), (differs("watches-coexist") ? events{changed, changed} : events{changed}));
}

TEST_F(watches_conformance, on_the_empty_path_are_not_on_the_null_path) {
  zk.children("", true);
  const auto remove = [&](std::string_view path) {
    return zk.call(wire::remove_watches_request{opcode::remove_watches, path, 1}).code();
  };
  EXPECT_EQ(remove({}), errc::no_watcher);
  EXPECT_EQ(remove(""), errc::ok);
}

TEST_F(watches_conformance, set_watches_tells_what_was_missed_and_sets_the_rest) {
  const std::string same = at("same");
  const std::string changed = at("changed");
  const std::string gone = at("gone");
  const std::string kids = at("kids");
  const std::string fresh = at("fresh");
  const std::string later = at("later");
  for (const std::string& path : {same, changed, gone, kids}) writer.create(path);
  const std::int64_t seen = writer.last.header.zxid;
  writer.set(changed, "x");
  writer.remove(gone);
  writer.create(kids + "/k");
  writer.create(fresh);
  const incoming reply = zk.call(wire::set_watches_request{
      opcode::set_watches, seen, {same, changed, gone}, {fresh, later, same}, {same, kids, gone}, {}, {}});
  EXPECT_EQ(reply.code(), errc::ok);
  EXPECT_EQ(zk.events(), (events{{event_type::data_changed, changed},
                                 {event_type::removed, gone},
                                 {event_type::created, fresh},
                                 {event_type::created, same},
                                 {event_type::children_changed, kids},
                                 {event_type::removed, gone}}));
  writer.create(later);
  writer.set(same, "x");
  writer.create(same + "/child");
  EXPECT_EQ(
      zk.events(),
      (events{{event_type::created, later}, {event_type::data_changed, same}, {event_type::children_changed, same}}));
}

TEST_F(watches_conformance, set_watches2_sets_persistent_ones_without_catching_up) {
  writer.create(a);
  EXPECT_EQ(zk.call(wire::set_watches_request{opcode::set_watches2, 1, {}, {}, {}, {a}, {b}}).code(), errc::ok);
  EXPECT_TRUE(zk.events().empty());
  writer.set(a, "x");
  writer.create(b);
  writer.create(b + "/c");
  EXPECT_EQ(zk.events(),
            (events{{event_type::data_changed, a}, {event_type::created, b}, {event_type::created, b + "/c"}}));
}

TEST_F(watches_conformance, events_go_to_those_who_may_read) {
  writer.auth("digest", "ann:x");
  writer.create(a);
  zk.get(a, true);
  writer.call(wire::set_acl_request{a, {{perms::all, "auth", ""}}, -1});
  writer.set(a, "secret");
  EXPECT_TRUE(zk.events().empty());
  writer.call(wire::set_acl_request{a, open_acl(), -1});
  writer.set(a, "open");
  EXPECT_TRUE(zk.events().empty()) << "the watch is used up all the same";
}

}  // namespace
}  // namespace zkr::testing
