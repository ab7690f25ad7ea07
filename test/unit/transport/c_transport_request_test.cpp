#include <gmock/gmock.h>

#include "unit/transport/transport_fixture.hpp"
#include "zkrecipes/server.hpp"

// Each request's way through the C library to a server and back.
namespace zkr::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using wire::opcode;

class c_transport_request : public transport_test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(open(peer.connect_string()));
    ASSERT_TRUE(sink.wait_connected());
  }

  kept_reply create(std::string_view path, wire::buffer data = "", std::int32_t flags = 0,
                    opcode type = opcode::create2) {
    return ask(wire::create_request{type, path, data, open_acl(), flags, flags >= 5 ? 60'000 : -1});
  }
  kept_reply get(std::string_view path, watch_mode watch = watch_mode::none) {
    return ask(wire::get_data_request{path}, watch);
  }

  server peer = server::start({.tick_time = 100ms}).value();
};

TEST_F(c_transport_request, create_get_set_remove) {
  const auto created = create("/n", "one");
  ASSERT_EQ(created.code, errc::ok);
  EXPECT_EQ(created.as<wire::create_reply>().path, "/n");
  const auto stat = created.as<wire::create_reply>().stat.value();
  EXPECT_GT(stat.czxid, 0);
  EXPECT_EQ(created.info.zxid, stat.czxid);
  EXPECT_EQ(created.info.connection, 1U);
  EXPECT_LE(created.info.submitted, created.info.received);

  const auto first = get("/n");
  ASSERT_EQ(first.code, errc::ok);
  EXPECT_EQ(first.as<wire::get_data_reply>().data, "one");
  EXPECT_EQ(first.as<wire::get_data_reply>().stat.czxid, stat.czxid);

  const auto written = ask(wire::set_data_request{"/n", "two", 0});
  ASSERT_EQ(written.code, errc::ok);
  EXPECT_EQ(written.as<wire::stat_reply>().stat.version, 1);
  EXPECT_EQ(written.info.zxid, written.as<wire::stat_reply>().stat.mzxid);
  EXPECT_GT(written.info.zxid, created.info.zxid);
  EXPECT_EQ(ask(wire::set_data_request{"/n", "three", 0}).code, errc::bad_version);

  const auto there = ask(wire::exists_request{"/n"});
  ASSERT_EQ(there.code, errc::ok);
  EXPECT_EQ(there.as<wire::stat_reply>().stat.data_length, 3);
  EXPECT_EQ(there.info.zxid, written.info.zxid);

  EXPECT_EQ(ask(wire::remove_request{"/n", 7}).code, errc::bad_version);
  const auto removed = ask(wire::remove_request{"/n", 1});
  EXPECT_EQ(removed.code, errc::ok);
  EXPECT_TRUE(std::holds_alternative<wire::empty_reply>(removed.body));
  EXPECT_EQ(ask(wire::exists_request{"/n"}).code, errc::no_node);
  EXPECT_EQ(get("/n").code, errc::no_node);
}

TEST_F(c_transport_request, create_in_every_mode) {
  const auto plain = create("/t", "", 0, opcode::create);
  ASSERT_EQ(plain.code, errc::ok);
  EXPECT_EQ(plain.as<wire::create_reply>().path, "/t");
  EXPECT_FALSE(plain.as<wire::create_reply>().stat.has_value());
  EXPECT_EQ(create("/t").code, errc::node_exists);

  const auto ephemeral = create("/t/e", "", 1);
  ASSERT_EQ(ephemeral.code, errc::ok);
  EXPECT_EQ(ephemeral.as<wire::create_reply>().stat->ephemeral_owner, sink.sessions().front().session_id);
  EXPECT_EQ(create("/t/e/child").code, errc::no_children_for_ephemerals);

  // The number is the parent's count of changes so far.
  EXPECT_EQ(create("/t/s-", "", 2).as<wire::create_reply>().path, "/t/s-0000000001");
  EXPECT_EQ(create("/t/", "", 3).as<wire::create_reply>().path, "/t/0000000002");
  EXPECT_EQ(create("/t/c", "", 4, opcode::create_container).as<wire::create_reply>().path, "/t/c");
  const auto lasting = create("/t/l", "", 5, opcode::create_ttl);
  ASSERT_EQ(lasting.code, errc::ok);
  EXPECT_TRUE(lasting.as<wire::create_reply>().stat.has_value());
  EXPECT_EQ(create("/t/l-", "", 6, opcode::create_ttl).as<wire::create_reply>().path, "/t/l-0000000005");
}

TEST_F(c_transport_request, tells_empty_data_from_none) {
  ASSERT_EQ(create("/none", std::nullopt).code, errc::ok);
  ASSERT_EQ(create("/empty", "").code, errc::ok);
  ASSERT_EQ(create("/zeros", std::string_view("\0a\0", 3)).code, errc::ok);
  EXPECT_EQ(get("/none").as<wire::get_data_reply>().data, std::nullopt);
  EXPECT_EQ(get("/empty").as<wire::get_data_reply>().data, std::string_view(""));
  EXPECT_EQ(get("/zeros").as<wire::get_data_reply>().data, std::string_view("\0a\0", 3));
  ASSERT_EQ(ask(wire::set_data_request{"/zeros", std::nullopt}).code, errc::ok);
  EXPECT_EQ(get("/zeros").as<wire::get_data_reply>().data, std::nullopt);
}

TEST_F(c_transport_request, lists_children) {
  ASSERT_EQ(create("/l").code, errc::ok);
  for (const auto* path : {"/l/a", "/l/b", "/l/\xC3\xA4"}) ASSERT_EQ(create(path).code, errc::ok);
  const auto names = ask(wire::get_children_request{opcode::get_children, "/l"});
  ASSERT_EQ(names.code, errc::ok);
  EXPECT_THAT(names.as<wire::get_children_reply>().children, UnorderedElementsAre("a", "b", "\xC3\xA4"));
  EXPECT_FALSE(names.as<wire::get_children_reply>().stat.has_value());
  const auto both = ask(wire::get_children_request{opcode::get_children2, "/l"});
  EXPECT_THAT(both.as<wire::get_children_reply>().children, UnorderedElementsAre("a", "b", "\xC3\xA4"));
  EXPECT_EQ(both.as<wire::get_children_reply>().stat->num_children, 3);
  EXPECT_EQ(both.info.zxid, both.as<wire::get_children_reply>().stat->pzxid);
  EXPECT_THAT(ask(wire::get_children_request{opcode::get_children2, "/l/a"}).as<wire::get_children_reply>().children,
              ElementsAre());
  EXPECT_EQ(ask(wire::remove_request{"/l"}).code, errc::not_empty);
}

TEST_F(c_transport_request, access_lists_and_credentials) {
  const acl_list mine{{perms::all, "digest", digest_id("user", "secret")}, {perms::read, "world", "anyone"}};
  ASSERT_EQ(ask(wire::create_request{opcode::create2, "/a", "", mine, 0, -1}).code, errc::ok);
  EXPECT_EQ(ask(wire::set_data_request{"/a", "x"}).code, errc::no_auth);
  EXPECT_EQ(ask(wire::auth_request{0, "digest", "user:secret"}).code, errc::ok);
  const auto listed = ask(wire::get_acl_request{"/a"});
  ASSERT_EQ(listed.code, errc::ok);
  EXPECT_EQ(listed.as<wire::get_acl_reply>().acl, mine);
  EXPECT_EQ(listed.info.zxid, listed.as<wire::get_acl_reply>().stat.czxid);
  EXPECT_EQ(ask(wire::set_data_request{"/a", "x"}).code, errc::ok);
  EXPECT_EQ(ask(wire::set_acl_request{"/a", open_acl(), 5}).code, errc::bad_version);
  EXPECT_EQ(ask(wire::set_acl_request{"/a", open_acl(), 0}).code, errc::ok);
  EXPECT_EQ(ask(wire::get_acl_request{"/a"}).as<wire::get_acl_reply>().acl, open_acl());
  EXPECT_EQ(ask(wire::create_request{opcode::create2, "/b", "", {}, 0, -1}).code, errc::invalid_acl);
}

TEST_F(c_transport_request, syncs) {
  const auto synced = ask(wire::sync_request{"/"});
  ASSERT_EQ(synced.code, errc::ok);
  EXPECT_EQ(synced.as<wire::sync_reply>().path, "/");
}

TEST_F(c_transport_request, every_kind_of_watch) {
  ASSERT_EQ(create("/w").code, errc::ok);
  ASSERT_EQ(ask(wire::exists_request{"/w/new"}, watch_mode::one_shot).code, errc::no_node);
  ASSERT_EQ(get("/w", watch_mode::one_shot).code, errc::ok);
  ASSERT_EQ(ask(wire::get_children_request{opcode::get_children2, "/w"}, watch_mode::one_shot).code, errc::ok);
  ASSERT_EQ(create("/w/new").code, errc::ok);
  ASSERT_EQ(ask(wire::set_data_request{"/w", "x"}).code, errc::ok);
  ASSERT_EQ(ask(wire::get_children_request{opcode::get_children, "/w"}, watch_mode::one_shot).code, errc::ok);
  ASSERT_EQ(ask(wire::exists_request{"/w/new"}, watch_mode::one_shot).code, errc::ok);
  ASSERT_EQ(ask(wire::remove_request{"/w/new"}).code, errc::ok);
  close();
  std::vector<std::pair<wire::event_type, std::string>> seen;
  for (const auto& one : sink.watches()) seen.emplace_back(one.type, one.path);
  using wire::event_type;
  EXPECT_THAT(seen, UnorderedElementsAre(
                        std::pair(event_type::created, "/w/new"), std::pair(event_type::children_changed, "/w"),
                        std::pair(event_type::data_changed, "/w"), std::pair(event_type::removed, "/w/new"),
                        std::pair(event_type::children_changed, "/w")));
}

TEST_F(c_transport_request, an_event_comes_before_a_reply_that_shows_the_change) {
  ASSERT_EQ(create("/o").code, errc::ok);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(get("/o", watch_mode::one_shot).code, errc::ok);
    const auto before = sink.watches().size();
    ASSERT_EQ(ask(wire::set_data_request{"/o", "x"}).code, errc::ok);
    EXPECT_EQ(sink.watches().size(), before + 1);
  }
}

TEST_F(c_transport_request, removes_watches_on_the_server_too) {
  ASSERT_EQ(create("/r").code, errc::ok);
  ASSERT_EQ(get("/r", watch_mode::one_shot).code, errc::ok);
  EXPECT_EQ(ask(wire::remove_watches_request{opcode::remove_watches, "/r", 2}).code, errc::ok);
  EXPECT_EQ(ask(wire::remove_watches_request{opcode::remove_watches, "/r", 2}).code, errc::no_watcher);
  ASSERT_EQ(ask(wire::set_data_request{"/r", "x"}).code, errc::ok);
  close();
  EXPECT_TRUE(sink.watches().empty());
}

TEST_F(c_transport_request, commits_a_transaction) {
  ASSERT_EQ(create("/m", "old").code, errc::ok);
  ASSERT_EQ(create("/m/gone").code, errc::ok);
  const auto done = ask(wire::multi_request{{
      wire::check_request{"/m", 0},
      wire::create_request{opcode::create, "/m/s-", "data", open_acl(), 2},
      wire::set_data_request{"/m", "new", 0},
      wire::remove_request{"/m/gone"},
      wire::create_request{opcode::create, "/m/e", std::nullopt, open_acl(), 1},
  }});
  ASSERT_EQ(done.code, errc::ok);
  const auto& results = done.as<wire::multi_reply>().results;
  ASSERT_EQ(results.size(), 5U);
  EXPECT_TRUE(std::holds_alternative<wire::empty_reply>(results[0]));
  EXPECT_EQ(std::get<wire::create_reply>(results[1]).path, "/m/s-0000000001");
  EXPECT_FALSE(std::get<wire::create_reply>(results[1]).stat.has_value());
  EXPECT_EQ(std::get<wire::stat_reply>(results[2]).stat.version, 1);
  EXPECT_TRUE(std::holds_alternative<wire::empty_reply>(results[3]));
  EXPECT_EQ(std::get<wire::create_reply>(results[4]).path, "/m/e");
  EXPECT_EQ(get("/m/e").as<wire::get_data_reply>().data, std::nullopt);
  EXPECT_EQ(get("/m/s-0000000001").as<wire::get_data_reply>().data, "data");
}

TEST_F(c_transport_request, tells_which_operation_failed_a_transaction) {
  ASSERT_EQ(create("/m").code, errc::ok);
  const auto failed = ask(wire::multi_request{{
      wire::create_request{opcode::create, "/m/a", "", open_acl(), 0},
      wire::remove_request{"/m/missing"},
      wire::set_data_request{"/m", "x", 9},
  }});
  EXPECT_EQ(failed.code, errc::no_node);
  std::vector<errc> codes;
  for (const auto& one : failed.as<wire::multi_reply>().results)
    codes.push_back(std::get<wire::error_result>(one).code);
  EXPECT_THAT(codes, ElementsAre(errc::ok, errc::no_node, errc::runtime_inconsistency));
  EXPECT_EQ(ask(wire::exists_request{"/m/a"}).code, errc::no_node);

  const auto single = ask(wire::multi_request{{wire::check_request{"/m", 9}}});
  EXPECT_EQ(single.code, errc::bad_version);
  ASSERT_EQ(single.as<wire::multi_reply>().results.size(), 1U);
  EXPECT_EQ(std::get<wire::error_result>(single.as<wire::multi_reply>().results[0]).code, errc::bad_version);
}

TEST_F(c_transport_request, an_empty_transaction_is_nothing_done) {
  const auto nothing = ask(wire::multi_request{});
  EXPECT_EQ(nothing.code, errc::ok);
  EXPECT_TRUE(nothing.as<wire::multi_reply>().results.empty());
}

TEST_F(c_transport_request, sends_the_largest_frame_and_refuses_a_larger_one) {
  ASSERT_EQ(create("/big").code, errc::ok);
  const std::size_t most = capabilities().largest_frame_bytes - 8 - 8 - 4 - 4;  // header, path, length, version
  const std::string data(most + 1, 'x');
  EXPECT_EQ(ask(wire::set_data_request{"/big", std::string_view(data).substr(1)}).code, errc::ok);
  EXPECT_EQ(ask(wire::set_data_request{"/big", data}).code, errc::too_large);
  EXPECT_EQ(get("/big").as<wire::get_data_reply>().data->size(), most);
}

TEST_F(c_transport_request, a_chroot_is_put_before_and_taken_away) {
  ASSERT_EQ(create("/root").code, errc::ok);
  ASSERT_EQ(create("/root/app").code, errc::ok);
  recording_sink inside;
  options.chroot = "/root/app";
  const auto chrooted = make_c_transport(options, inside, clock);
  ASSERT_TRUE(chrooted->open());
  ASSERT_TRUE(inside.wait_connected());
  auto say = [&, id = 0U](const wire::request& of, watch_mode watch = watch_mode::none) mutable {
    EXPECT_EQ(chrooted->submit(++id, of, watch), errc::ok);
    return inside.reply(id).value();
  };
  EXPECT_EQ(say(wire::create_request{opcode::create2, "/n-", "", open_acl(), 2, -1}).as<wire::create_reply>().path,
            "/n-0000000000");
  EXPECT_EQ(say(wire::create_request{opcode::create, "/", "", open_acl(), 0, -1}).code, errc::node_exists);
  EXPECT_EQ(say(wire::get_children_request{opcode::get_children2, "/"}, watch_mode::one_shot)
                .as<wire::get_children_reply>()
                .stat->num_children,
            1);
  EXPECT_EQ(say(wire::multi_request{{wire::create_request{opcode::create, "/m", "", open_acl(), 0, -1}}}).code,
            errc::ok);
  EXPECT_EQ(std::get<wire::create_reply>(
                say(wire::multi_request{{wire::create_request{opcode::create, "/m/n", "", open_acl(), 0, -1}}})
                    .as<wire::multi_reply>()
                    .results[0])
                .path,
            "/m/n");
  EXPECT_EQ(say(wire::sync_request{"/"}).as<wire::sync_reply>().path, "/");
  chrooted->close([] {});
  ASSERT_EQ(inside.watches().size(), 1U);
  EXPECT_EQ(inside.watches()[0].path, "/");
  EXPECT_THAT(ask(wire::get_children_request{opcode::get_children2, "/root"}).as<wire::get_children_reply>().children,
              ElementsAre("app"));
}

TEST_F(c_transport_request, a_watch_that_fired_while_away_is_told_after_the_reconnect) {
  recording_sink others;
  const auto other = make_c_transport(options, others, clock);
  ASSERT_EQ(create("/away").code, errc::ok);
  ASSERT_EQ(get("/away", watch_mode::one_shot).code, errc::ok);
  // Another client writes while this one is between two connections.
  bool written = false;
  sink.during_session([&](const session_event& event) {
    if (event.what == session_event::kind::disconnected) {
      // Its connection is dropped as well: an attempt may be lost.
      for (std::uint64_t attempt = 1; attempt < 100 && !written; ++attempt) {
        written = others.wait_connected() &&
                  other->submit(attempt, wire::set_data_request{"/away", "x"}, watch_mode::none) == errc::ok &&
                  others.reply(attempt)->code == errc::ok;
      }
    }
  });
  options.session_timeout = 60s;
  ASSERT_TRUE(other->open());
  ASSERT_TRUE(others.wait_connected());
  peer.drop_connections();
  ASSERT_TRUE(sink.wait([](auto& all) { return !all.watches().empty(); }));
  other->close([] {});
  close();
  EXPECT_TRUE(written);
  EXPECT_EQ(sink.watches()[0].path, "/away");
  EXPECT_EQ(sink.watches()[0].type, wire::event_type::data_changed);
}

TEST_F(c_transport_request, a_session_that_the_server_ends) {
  ASSERT_EQ(create("/e", "", 1).code, errc::ok);
  ASSERT_TRUE(peer.expire_session(sink.sessions().front().session_id));
  ASSERT_TRUE(sink.wait([](auto& all) { return all.count(session_event::kind::expired) > 0; }));
  EXPECT_EQ(ask(wire::exists_request{"/e"}).code, errc::invalid_state);
}

TEST_F(c_transport_request, closing_ends_the_session) {
  ASSERT_EQ(create("/e", "", 1).code, errc::ok);
  close();
  EXPECT_TRUE(peer.sessions().empty());
}

TEST_F(c_transport_request, a_server_that_falls_silent_is_left_after_two_thirds_of_the_time_out) {
  options.session_timeout = 600ms;
  recording_sink here;
  const auto other = make_c_transport(options, here, clock);
  ASSERT_TRUE(other->open());
  ASSERT_TRUE(here.wait_connected());
  peer.pause();
  ASSERT_EQ(other->submit(1, wire::exists_request{"/"}, watch_mode::none), errc::ok);
  EXPECT_EQ(here.reply(1)->code, errc::operation_timeout);
  EXPECT_EQ(here.reply(1)->info.connection, 0U);
  peer.resume();
  ASSERT_TRUE(here.wait([](auto& all) {
    return all.count(session_event::kind::connected) > 1 || all.count(session_event::kind::expired) > 0;
  }));
  other->close([] {});
  EXPECT_EQ(here.sessions()[1].what, session_event::kind::disconnected);
}

}  // namespace
}  // namespace zkr::transport
