#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// ACLs: who may do what, what may be stored, what is shown of it; authentication.
namespace zkr::testing {
namespace {

using wire::create_request;
using wire::opcode;

class access_test : public ::testing::Test {
 protected:
  processor_harness server;
  processor_harness::client client = server.connect();
  processor_harness::client stranger = server.connect();

  errc create_with(std::string_view path, const acl_list& acl) {
    return client.call(create_request{opcode::create, path, "", acl, 0}).code();
  }
  acl_list acl_of(processor_harness::client& who, std::string_view path) {
    const wire::reply body = who.call(wire::get_acl_request{path}).as(opcode::get_acl);
    return std::get<wire::get_acl_reply>(body).acl;
  }
};

struct operation {
  const char* name;
  std::int32_t needed;  ///< On the node; 0: nothing.
  wire::request request;
};

TEST_F(access_test, every_operation_needs_its_permission) {
  const std::vector<operation> table = {
      {"get", perms::read, wire::get_data_request{"/n"}},
      {"children", perms::read, wire::get_children_request{opcode::get_children, "/n"}},
      {"children2", perms::read, wire::get_children_request{opcode::get_children2, "/n"}},
      {"count", perms::read, wire::get_all_children_number_request{"/n"}},
      {"set", perms::write, wire::set_data_request{"/n", "", -1}},
      {"create", perms::create, create_request{opcode::create, "/n/x", "", open_acl(), 0}},
      {"remove", perms::remove, wire::remove_request{"/n/y", -1}},
      {"get_acl", perms::read | perms::admin, wire::get_acl_request{"/n"}},
      {"exists", 0, wire::exists_request{"/n"}},
      {"sync", 0, wire::sync_request{"/n"}},
      {"add_watch", 0, wire::add_watch_request{"/n", 0}},
  };
  for (std::int32_t granted = 0; granted < 32; ++granted) {
    processor_harness fresh;
    auto who = fresh.connect();
    who.create("/n");
    who.create("/n/y");
    who.call(wire::set_acl_request{"/n", {{granted, "world", "anyone"}}, -1});
    for (const operation& one : table) {
      const bool allowed = one.needed == 0 || (granted & one.needed) != 0;
      EXPECT_EQ(who.call(one.request).code(), allowed ? errc::ok : errc::no_auth) << one.name << " with " << granted;
    }
    EXPECT_EQ(who.call(wire::set_acl_request{"/n", open_acl(), -1}).code(),
              (granted & perms::admin) != 0 ? errc::ok : errc::no_auth);
  }
}

TEST_F(access_test, a_check_in_a_multi_needs_read) {
  create_with("/n", {{perms::write, "world", "anyone"}});
  const incoming reply = client.call(wire::multi_request{{wire::check_request{"/n", 0}}});
  const wire::reply body = reply.as(opcode::multi);
  EXPECT_EQ(std::get<wire::error_result>(std::get<wire::multi_reply>(body).results[0]).code, errc::no_auth);
}

TEST_F(access_test, the_own_acl_of_a_node_does_not_protect_it_from_removal) {
  create_with("/n", {{0, "world", "anyone"}});
  EXPECT_EQ(stranger.remove("/n"), errc::ok);
}

struct acl_case {
  acl_entry entry;
  errc expected;
};

TEST_F(access_test, entries_must_be_well_formed) {
  client.auth("digest", "u:p");
  const std::vector<acl_case> table = {
      {{31, "world", "anyone"}, errc::ok},
      {{31, "world", "someone"}, errc::invalid_acl},
      {{0, "world", "anyone"}, errc::ok},
      {{63, "world", "anyone"}, errc::ok},
      {{31, "auth", ""}, errc::ok},
      {{31, "auth", "ignored"}, errc::ok},
      {{31, "digest", "user:hash"}, errc::ok},
      {{31, "digest", "user"}, errc::invalid_acl},
      {{31, "digest", "user:"}, errc::invalid_acl},
      {{31, "digest", ":hash"}, errc::ok},
      {{31, "digest", "a:b:c"}, errc::invalid_acl},
      {{31, "digest", ""}, errc::invalid_acl},
      {{31, "digest", "a:b:"}, errc::ok},
      {{31, "ip", "127.0.0.1"}, errc::ok},
      {{31, "ip", "10.0.0.0/8"}, errc::ok},
      {{31, "ip", "10.0.0.0/32"}, errc::ok},
      {{31, "ip", "10.0.0.0/33"}, errc::invalid_acl},
      {{31, "ip", "10.0.0.0/"}, errc::invalid_acl},
      {{31, "ip", "10.0.0"}, errc::invalid_acl},
      {{31, "ip", "10.0.0.0."}, errc::invalid_acl},
      {{31, "ip", "01.+2.3.4/-0"}, errc::ok},
      {{31, "ip", "10.0.0.256"}, errc::invalid_acl},
      {{31, "ip", "::1"}, errc::invalid_acl},
      {{31, "sasl", "u"}, errc::invalid_acl},
      {{31, "super", ""}, errc::invalid_acl},
      {{31, "nosuch", "u"}, errc::invalid_acl},
      {{31, "", ""}, errc::invalid_acl},
  };
  for (const acl_case& one : table) {
    client.remove("/n");
    EXPECT_EQ(create_with("/n", {one.entry}), one.expected) << one.entry.scheme << ":" << one.entry.id;
  }
  EXPECT_EQ(create_with("/m", {}), errc::invalid_acl);
  EXPECT_EQ(stranger.call(create_request{opcode::create, "/m", "", creator_all_acl(), 0}).code(), errc::invalid_acl)
      << "auth without an identity";
}

TEST_F(access_test, auth_becomes_the_identities_and_duplicates_are_merged) {
  client.auth("digest", "u:p");
  client.auth("digest", "v:p");
  client.auth("digest", "u:p");
  client.auth("ip", "");
  create_with("/n", {{31, "auth", ""}, {31, "auth", ""}, {1, "world", "anyone"}, {1, "world", "anyone"}});
  EXPECT_EQ(
      acl_of(client, "/n"),
      (acl_list{{31, "digest", digest_id("u", "p")}, {31, "digest", digest_id("v", "p")}, {1, "world", "anyone"}}));
}

TEST_F(access_test, digests_are_masked_for_those_who_do_not_administrate) {
  client.auth("digest", "u:p");
  create_with("/n", {{31, "auth", ""}, {perms::read, "world", "anyone"}});
  EXPECT_EQ(acl_of(stranger, "/n"), (acl_list{{31, "digest", "u:x"}, {perms::read, "world", "anyone"}}));
  EXPECT_EQ(acl_of(client, "/n")[0].id, digest_id("u", "p"));
  EXPECT_EQ(stranger.set("/n", "").code(), errc::no_auth);
  EXPECT_EQ(client.set("/n", "").code(), errc::ok);
}

TEST_F(access_test, ip_entries_match_the_bits_of_their_prefix) {
  create_with("/n", {{31, "ip", "10.1.2.3/8"}});
  auto inside = server.connect({0, 0, 10'000, 0, {}, false}, {"10.200.0.1", 1});
  auto outside = server.connect({0, 0, 10'000, 0, {}, false}, {"11.1.2.3", 1});
  EXPECT_EQ(inside.get("/n").code(), errc::ok);
  EXPECT_EQ(outside.get("/n").code(), errc::no_auth);
  create_with("/all", {{31, "ip", "1.2.3.4/0"}});
  EXPECT_EQ(outside.get("/all").code(), errc::ok);
}

TEST_F(access_test, set_acl_counts_versions_and_changes_nothing_else) {
  client.create("/n");
  const stat_t before = client.stat("/n");
  EXPECT_EQ(client.call(wire::set_acl_request{"/n", open_acl(), 3}).code(), errc::bad_version);
  EXPECT_EQ(client.call(wire::set_acl_request{"/missing", open_acl(), -1}).code(), errc::no_node);
  EXPECT_EQ(client.call(wire::set_acl_request{"/missing", {}, -1}).code(), errc::invalid_acl);
  EXPECT_EQ(client.call(wire::set_acl_request{"bad", {}, -1}).code(), errc::bad_arguments);
  stat_t after = client.call(wire::set_acl_request{"/n", open_acl(), 0}).stat(opcode::set_acl);
  EXPECT_EQ(after.aversion, 1);
  after.aversion = 0;
  EXPECT_EQ(after, before);
}

TEST_F(access_test, identities_are_the_connections) {
  const auto who = [](processor_harness::client& of) {
    const incoming reply = of.call(wire::who_am_i_request{});
    const wire::reply body = reply.as(opcode::who_am_i);
    std::vector<std::pair<std::string, std::string>> list;
    for (const wire::identity& one : std::get<wire::who_am_i_reply>(body).identities)
      list.emplace_back(one.scheme, one.user);
    return list;
  };
  using list = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(who(client), (list{{"ip", "127.0.0.1"}}));
  client.auth("digest", "u:p");
  EXPECT_EQ(who(client), (list{{"ip", "127.0.0.1"}, {"digest", "u"}}));
  auto again = server.connect({0, 0, 10'000, client.session_id, client.password, false});
  EXPECT_EQ(who(again), (list{{"ip", "127.0.0.1"}})) << "they do not move with the session";
}

TEST_F(access_test, a_failed_authentication_closes) {
  for (const char* scheme : {"world", "nosuch", ""}) {
    auto one = server.connect();
    one.send(wire::auth_request{0, scheme, "x"});
    one.send(create_request{opcode::create, "/behind", "", open_acl(), 0});
    const std::vector<incoming> got = one.receive();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].code(), errc::auth_failed);
    EXPECT_TRUE(one.closed());
    EXPECT_FALSE(client.has("/behind"));
  }
}

TEST_F(access_test, strange_credentials_are_accepted) {
  EXPECT_EQ(client.auth("digest", "no-colon"), errc::ok);
  EXPECT_EQ(client.auth("digest", ""), errc::ok);
  EXPECT_EQ(client.auth("ip", "whatever"), errc::ok);
}

TEST_F(access_test, the_super_user_may_do_everything) {
  backend::processor_options options = processor_harness::fast();
  options.super_digest = digest_id("super", "secret");
  processor_harness guarded(options);
  auto root = guarded.connect();
  EXPECT_EQ(root.set("/zookeeper/config", "x").code(), errc::no_auth);
  EXPECT_EQ(root.auth("digest", "super:secret"), errc::ok);
  EXPECT_EQ(root.set("/zookeeper/config", "x").code(), errc::ok);
}

TEST(acl_tables, keep_each_list_once_and_forget_unused_ones) {
  backend::acl_table table;
  EXPECT_EQ(table.acquire(open_acl()), backend::open_acl_id);
  const acl_list one{{1, "world", "anyone"}, {2, "ip", "1.2.3.4"}};
  const backend::acl_id id = table.acquire(one);
  EXPECT_EQ(table.acquire(one), id);
  EXPECT_EQ(table.list(id), one);
  EXPECT_EQ(table.size(), 2U);
  table.release(id);
  EXPECT_EQ(table.size(), 2U);
  table.release(id);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.acquire(read_acl()), backend::read_only_acl_id);
}

}  // namespace
}  // namespace zkr::testing
