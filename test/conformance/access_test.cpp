#include <algorithm>

#include "conformance/wire_client.hpp"
#include "zkrecipes/acl.hpp"

// ACLs and authentication.
namespace zkr::testing {
namespace {

using wire::create_request;
using wire::opcode;

class access_conformance : public wire_conformance {
 protected:
  errc create_with(std::string_view path, const acl_list& acl) {
    return zk.call(create_request{opcode::create, path, "", acl, 0}).code();
  }
  static acl_list acl_of(wire_client& who, std::string_view path) {
    const wire::reply body = who.call(wire::get_acl_request{path}).as(opcode::get_acl);
    return std::get<wire::get_acl_reply>(body).acl;
  }
};

TEST_F(access_conformance, every_operation_needs_its_permission) {
  zk.auth("digest", "super:secret");  // who can give permissions back that nobody has
  wire_client who;
  const std::string n = at("n");
  const std::string x = n + "/x";
  const std::string y = n + "/y";
  struct operation {
    const char* name;
    std::int32_t needed;  ///< On the node; 0: nothing.
    wire::request request;
  };
  const std::vector<operation> table = {
      {"get", perms::read, wire::get_data_request{n}},
      {"children", perms::read, wire::get_children_request{opcode::get_children, n}},
      {"children2", perms::read, wire::get_children_request{opcode::get_children2, n}},
      {"count", perms::read, wire::get_all_children_number_request{n}},
      {"set", perms::write, wire::set_data_request{n, "", -1}},
      {"create", perms::create, create_request{opcode::create, x, "", open_acl(), 0}},
      {"remove", perms::remove, wire::remove_request{y, -1}},
      {"get_acl", perms::read | perms::admin, wire::get_acl_request{n}},
      {"exists", 0, wire::exists_request{n}},
      {"sync", 0, wire::sync_request{n}},
      {"add_watch", 0, wire::add_watch_request{n, 0}},
  };
  zk.create(n);
  for (const std::int32_t granted : {0, perms::read, perms::write, perms::create, perms::remove, perms::admin,
                                     perms::all, perms::all & ~perms::read, perms::all & ~perms::admin}) {
    zk.remove(x);
    zk.create(y);
    ASSERT_EQ(zk.call(wire::set_acl_request{n, {{granted, "world", "anyone"}}, -1}).code(), errc::ok);
    for (const operation& one : table) {
      const bool allowed = one.needed == 0 || (granted & one.needed) != 0;
      EXPECT_EQ(who.call(one.request).code(), allowed ? errc::ok : errc::no_auth) << one.name << " with " << granted;
    }
    EXPECT_EQ(who.call(wire::set_acl_request{n, {{granted, "world", "anyone"}}, -1}).code(),
              (granted & perms::admin) != 0 ? errc::ok : errc::no_auth)
        << granted;
  }
}

TEST_F(access_conformance, entries_must_be_well_formed) {
  struct row {
    const char* scheme;
    const char* id;
    errc expected;
  };
  int number = 0;
  for (const row& one : {
           row{"world", "anyone", errc::ok},
           row{"world", "somebody", errc::invalid_acl},
           row{"digest", "ann:hash", errc::ok},
           row{"digest", "ann", errc::invalid_acl},
           row{"digest", "a:b:c", errc::invalid_acl},
           row{"ip", "10.0.0.1", errc::ok},
           row{"ip", "10.0.0.0/8", errc::ok},
           row{"ip", "10.0.0.0/33", errc::invalid_acl},
           row{"ip", "10.0.0", errc::invalid_acl},
           row{"ip", "10.0.0.256", errc::invalid_acl},
           row{"ip", "::1", errc::invalid_acl},
           row{"auth", "", errc::invalid_acl},
           row{"sasl", "ann", errc::invalid_acl},
           row{"super", "", errc::invalid_acl},
           row{"unknown", "x", errc::invalid_acl},
       }) {
    EXPECT_EQ(create_with(at(std::to_string(++number)), {{perms::all, one.scheme, one.id}}), one.expected)
        << one.scheme << " " << one.id;
  }
  EXPECT_EQ(create_with(at("none"), {}), errc::invalid_acl);
  EXPECT_EQ(create_with(at("zero"), {{0, "world", "anyone"}}), errc::ok);
  EXPECT_EQ(create_with(at("many"), {{63, "world", "anyone"}}), errc::ok);
}

TEST_F(access_conformance, auth_stands_for_the_identities_and_equal_entries_are_merged) {
  zk.auth("digest", "ann:a");
  zk.auth("digest", "ann:a");
  const acl_entry ann{perms::all, "digest", digest_id("ann", "a")};
  EXPECT_EQ(create_with(at("n"), {{perms::all, "auth", "whoever"}, {perms::all, "auth", "whoever"}}), errc::ok);
  EXPECT_EQ(acl_of(zk, at("n")), acl_list{ann});
  EXPECT_EQ(create_with(at("twice"), {{perms::all, "auth", ""}, ann}), errc::ok);
  EXPECT_EQ(acl_of(zk, at("twice")), (acl_list{ann, ann})) << "merged by what was sent, not by what it stands for";
}

TEST_F(access_conformance, hashes_are_masked_for_those_without_admin) {
  create_with(at("n"), {{perms::read, "world", "anyone"}, {perms::all, "digest", digest_id("ann", "a")}});
  EXPECT_EQ(acl_of(zk, at("n")), (acl_list{{perms::read, "world", "anyone"}, {perms::all, "digest", "ann:x"}}));
  zk.auth("digest", "ann:a");
  EXPECT_EQ(acl_of(zk, at("n")).back().id, digest_id("ann", "a"));
}

TEST_F(access_conformance, addresses_match_by_their_prefix) {
  create_with(at("mine"), {{perms::read, "ip", "127.0.0.0/8"}});
  create_with(at("other"), {{perms::read, "ip", "10.0.0.0/8"}});
  EXPECT_EQ(zk.get(at("mine")).code(), errc::ok);
  EXPECT_EQ(zk.get(at("other")).code(), errc::no_auth);
}

TEST_F(access_conformance, the_super_user_passes_every_list) {
  create_with(at("n"), {{0, "world", "anyone"}});
  EXPECT_EQ(zk.get(at("n")).code(), errc::no_auth);
  EXPECT_EQ(zk.auth("digest", "super:wrong"), errc::ok);
  EXPECT_EQ(zk.get(at("n")).code(), errc::no_auth);
  EXPECT_EQ(zk.auth("digest", "super:secret"), errc::ok);
  EXPECT_EQ(zk.get(at("n")).code(), errc::ok);
}

TEST_F(access_conformance, strange_credentials_are_accepted) {
  for (const char* credentials : {"", "no-colon", ":", "a:b:c"}) {
    EXPECT_EQ(zk.auth("digest", credentials), errc::ok) << credentials;
  }
  EXPECT_EQ(zk.auth("ip", ""), errc::ok);
}

TEST_F(access_conformance, unknown_schemes_end_the_connection) {
  for (const char* scheme : {"world", "unknown", ""}) {
    wire_client client;
    client.send(wire::auth_request{0, scheme, "x"});
    client.send(create_request{opcode::create, at("behind"), "", open_acl(), 0});
    EXPECT_EQ(client.next().code(), errc::auth_failed) << scheme;
    EXPECT_TRUE(client.is_closed()) << scheme;
  }
  EXPECT_FALSE(zk.has(at("behind")));
}

TEST_F(access_conformance, who_am_i_lists_the_identities) {
  zk.auth("digest", "ann:a");
  const incoming reply = zk.call(wire::who_am_i_request{});
  const wire::reply body = reply.as(opcode::who_am_i);
  std::vector<std::string> found;
  for (const auto& one : std::get<wire::who_am_i_reply>(body).identities) {
    found.push_back(std::string(one.scheme) + " " + std::string(one.user));
  }
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"digest ann", "ip 127.0.0.1"}));
}

}  // namespace
}  // namespace zkr::testing
