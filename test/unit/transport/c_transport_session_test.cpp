#include <gmock/gmock.h>

#include "unit/transport/scripted_server.hpp"
#include "unit/transport/transport_fixture.hpp"

// Connections, sessions and events, with servers that do what the test wants.
namespace zkr::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using kind = session_event::kind;

class c_transport_session : public transport_test {};

std::vector<kind> kinds(const recording_sink& sink) {
  std::vector<kind> all;
  for (const auto& one : sink.sessions()) all.push_back(one.what);
  return all;
}

TEST_F(c_transport_session, reports_the_new_session) {
  scripted_server server(
      {.handshake = [](auto&, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
         return wire::connect_reply{0, asked.timeout_ms - 1000, scripted_server::session_id, scripted_server::password,
                                    false};
       },
       .request = {},
       .receive_buffer = 0});
  const auto before = clock.now();
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  close();
  const auto event = sink.sessions().front();
  EXPECT_EQ(event.what, kind::connected);
  EXPECT_EQ(event.connection, 1U);
  EXPECT_EQ(event.session_id, scripted_server::session_id);
  EXPECT_EQ(std::string(event.password.data(), event.password.size()), scripted_server::password);
  EXPECT_EQ(event.session_timeout, options.session_timeout - 1s);
  EXPECT_FALSE(event.resumed);
  EXPECT_GE(event.handshake_submitted, before);
  EXPECT_LE(event.handshake_submitted, event.at);
}

TEST_F(c_transport_session, can_do_what_it_says) {
  tested = make_c_transport(options, sink, clock);
  const auto can = tested->what_it_can();
  EXPECT_TRUE(can.rearms_watches && can.resends_auth);
  EXPECT_FALSE(can.persistent_watches || can.tls || can.sasl || can.extended_multi || can.multi_read ||
               can.exact_zxid || can.times_handshake || can.can_leave_server);
  tested->leave_server();
}

TEST_F(c_transport_session, refuses_options_that_the_library_would_choke_on) {
  options.session_timeout = 0s;
  EXPECT_EQ(open("127.0.0.1:2181").error().code(), errc::invalid_argument);
  options.session_timeout = 24h * 365;
  EXPECT_EQ(open("127.0.0.1:2181").error().code(), errc::invalid_argument);
  options.session_timeout = 6s;
  EXPECT_EQ(open("127.0.0.1:").error().code(), errc::invalid_argument);
  const auto unknown = open("no-such-host.invalid:2181");
  EXPECT_EQ(unknown.error().code(), errc::resolve_failed);
  EXPECT_THAT(unknown.error().message(), HasSubstr("no-such-host.invalid"));
  for (const auto* chroot : {"app", "/app/", "/", "/a//b", "/a/../b"}) {
    options.chroot = chroot;
    EXPECT_EQ(open("127.0.0.1:2181").error().code(), errc::invalid_path) << chroot;
  }
}

TEST_F(c_transport_session, resumes_a_saved_session) {
  std::mutex mutex;
  std::int64_t asked_for = 0;
  std::string password;
  scripted_server server(
      {.handshake = [&](auto&, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
         const std::scoped_lock lock(mutex);
         asked_for = asked.session_id;
         password = asked.password;
         return wire::connect_reply{0, asked.timeout_ms, asked.session_id, asked.password, false};
       },
       .request = {},
       .receive_buffer = 0});
  options.session_id = 0x77;
  std::copy_n(scripted_server::password.begin(), 16, options.password.begin());
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  close();
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(asked_for, 0x77);
  EXPECT_EQ(password, scripted_server::password);
  EXPECT_TRUE(sink.sessions().front().resumed);
  EXPECT_EQ(sink.sessions().front().session_id, 0x77);
}

TEST_F(c_transport_session, reports_a_session_that_is_not_known_any_more_once) {
  scripted_server server(
      {.handshake = [](auto&, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
         if (asked.session_id == 0) {
           return wire::connect_reply{0, asked.timeout_ms, 5, scripted_server::password, false};
         }
         return wire::connect_reply{0, 0, 0, std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), false};
       },
       .request = [](auto&, auto&) {}});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::one_shot), errc::ok);
  server.cut();
  ASSERT_TRUE(sink.wait([](auto& all) { return all.count(kind::expired) > 0; }));
  EXPECT_EQ(sink.reply(1)->code, errc::connection_loss);
  EXPECT_EQ(tested->submit(2, wire::exists_request{"/a"}, watch_mode::none), errc::invalid_state);
  close();
  EXPECT_THAT(kinds(sink), ElementsAre(kind::connected, kind::disconnected, kind::expired));
}

TEST_F(c_transport_session, numbers_connections_and_bounds_when_handshakes_were_sent) {
  std::atomic<int> seen{0};
  scripted_server server({.handshake = {}, .request = [&](auto& on, const wire::decoded_request& request) {
                            ++seen;
                            on.send(reply_frame(request.header.xid, wire::stat_reply()));
                          }});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  const auto first = ask(wire::exists_request{"/a"});
  server.cut();
  ASSERT_TRUE(sink.wait_connected(2));
  const auto second = ask(wire::exists_request{"/a"});
  close();
  EXPECT_EQ(first.info.connection, 1U);
  EXPECT_EQ(second.info.connection, 2U);
  EXPECT_THAT(kinds(sink), ElementsAre(kind::connected, kind::disconnected, kind::connected));
  EXPECT_EQ(sink.sessions()[1].connection, 1U);
  const auto again = sink.sessions()[2];
  EXPECT_EQ(again.connection, 2U);
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.session_id, scripted_server::session_id);
  // Certainly before the loss, and not long before.
  EXPECT_EQ(again.handshake_submitted, first.info.submitted);
  EXPECT_LE(first.info.submitted, first.info.received);
}

TEST_F(c_transport_session, a_sink_may_submit_in_its_reports) {
  scripted_server server;
  sink.during_session([&](const session_event& event) {
    if (event.what == kind::connected) {
      EXPECT_EQ(tested->submit(1, wire::auth_request{0, "digest", "u:p"}, watch_mode::none), errc::ok);
      EXPECT_EQ(tested->submit(2, wire::remove_request{"/a"}, watch_mode::none), errc::ok);
    }
  });
  sink.during_reply([&](std::uint64_t id, errc) {
    if (id < 100) {
      EXPECT_EQ(tested->submit(id + 100, wire::remove_request{"/b"}, watch_mode::none), errc::ok);
    }
  });
  ASSERT_TRUE(open(server.address()));
  EXPECT_EQ(sink.reply(101)->code, errc::ok);
  EXPECT_EQ(sink.reply(102)->code, errc::ok);
}

TEST_F(c_transport_session, finds_the_server_that_lives_and_finds_it_again) {
  // The library alone never comes back to a server of an even list once it was connected (ZOOKEEPER-2466).
  const reserved_port dead[3];
  scripted_server server;
  const std::vector<std::vector<std::string>> lists{
      {server.address()},
      {dead[0].address(), server.address()},
      {server.address(), dead[0].address()},
      {dead[0].address(), dead[1].address(), server.address(), dead[2].address()},
      {dead[0].address(), dead[1].address(), server.address()},
  };
  options.session_timeout = 3s;
  for (const auto& list : lists) {
    std::string hosts;
    for (const auto& one : list) hosts += (hosts.empty() ? "" : ",") + one;
    recording_sink here;
    options.hosts = hosts;
    const auto transport = make_c_transport_with(options, here, clock, {look_up, [](auto&) {}});
    ASSERT_TRUE(transport->open());
    for (std::size_t times = 1; times <= 4; ++times) {
      ASSERT_TRUE(here.wait_connected(times)) << hosts << ", connection " << times;
      server.cut();
    }
    transport->close([] {});
  }
}

TEST_F(c_transport_session, does_not_spin_while_no_server_lives) {
  const reserved_port dead;
  options.session_timeout = 6s;  // 100 ms between two rounds
  const auto begin = clock.now();
  ASSERT_TRUE(open(dead.address() + "," + dead.address()));
  ASSERT_TRUE(sink.wait([](auto& all) { return all.lines().size() >= 6; }));
  EXPECT_GE(clock.now() - begin, 150ms);
}

TEST_F(c_transport_session, leaves_a_server_that_accepts_and_never_answers) {
  const reserved_port mute;
  mute.listen();
  scripted_server server;
  options.session_timeout = 60s;  // the library's own limit is 40 s
  options.handshake_timeout = 200ms;
  ASSERT_TRUE(open(mute.address() + "," + server.address()));
  // Requests do not wait for ever either.
  ASSERT_EQ(tested->submit(1001, wire::exists_request{"/a"}, watch_mode::none), errc::ok);
  ASSERT_TRUE(sink.wait_connected());
  const auto lost = sink.reply(1001);
  EXPECT_EQ(lost->code, errc::connection_loss);
  EXPECT_EQ(lost->info.connection, 0U);
  EXPECT_EQ(ask(wire::remove_request{"/a"}).code, errc::ok);
  close();
  EXPECT_THAT(kinds(sink), ElementsAre(kind::connected));
  EXPECT_FALSE(sink.sessions().front().resumed);
  EXPECT_EQ(sink.sessions().front().connection, 1U);
}

TEST_F(c_transport_session, tries_again_and_again_until_a_mute_server_answers) {
  std::atomic<bool> mute{true};
  scripted_server server(
      {.handshake = [&](auto& on, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
         std::string ignored;
         if (mute && on.receive_frame(ignored)) return std::nullopt;
         return wire::connect_reply{0, asked.timeout_ms, 9, scripted_server::password, false};
       },
       .request = {},
       .receive_buffer = 0});
  options.session_timeout = 60s;
  options.handshake_timeout = 50ms;
  ASSERT_TRUE(open(server.address()));
  // Each attempt that was given up leaves a line.
  ASSERT_TRUE(sink.wait([&](auto& all) { return all.lines().size() >= 4; }));
  mute = false;
  ASSERT_TRUE(sink.wait_connected());
  close();
  EXPECT_GE(server.connections(), 4);
  EXPECT_THAT(kinds(sink), ElementsAre(kind::connected));
}

TEST_F(c_transport_session, looks_names_up_again_for_a_fresh_attempt) {
  const reserved_port mute;
  mute.listen();
  scripted_server server;
  // Shared: a lookup that is under way is not waited for, and may outlive this test.
  const auto lookups = std::make_shared<std::atomic<int>>(0);
  options.session_timeout = 60s;
  options.handshake_timeout = 50ms;
  // The port stands in the list; what moves here is which loopback address answers on it.
  options.hosts = "moving:" + server.address().substr(server.address().find(':') + 1);
  tested = make_c_transport_with(options, sink, clock,
                                 {[lookups](const std::string&) -> result<std::vector<std::string>> {
                                    const int turn = ++*lookups;
                                    if (turn == 2) return error(errc::resolve_failed, {}, {}, "out of order");
                                    return std::vector<std::string>{turn < 4 ? "127.0.0.2" : "127.0.0.1"};
                                  },
                                  [](auto&) {}});
  ASSERT_TRUE(tested->open());
  ASSERT_TRUE(sink.wait_connected());
  EXPECT_GE(*lookups, 4);
}

TEST_F(c_transport_session, delivers_watch_events_and_no_session_event_among_them) {
  scripted_server server({.handshake = {}, .request = [](auto& on, const wire::decoded_request& request) {
                            on.send(reply_frame(request.header.xid, wire::stat_reply()));
                          }});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  EXPECT_EQ(ask(wire::exists_request{"/a"}, watch_mode::one_shot).code, errc::ok);
  EXPECT_EQ(ask(wire::exists_request{"/b"}, watch_mode::one_shot).code, errc::ok);
  EXPECT_EQ(ask(wire::exists_request{"/c"}, watch_mode::none).code, errc::ok);
  server.send(event_frame(wire::event_type::data_changed, "/a"));
  server.send(event_frame(wire::event_type::removed, "/b"));
  server.send(event_frame(wire::event_type::removed, "/c"));  // nobody asked for it
  ASSERT_TRUE(sink.wait([](auto& all) { return all.watches().size() >= 2; }));
  EXPECT_EQ(ask(wire::exists_request{"/d"}).code, errc::ok);  // all earlier events are through
  close();
  ASSERT_EQ(sink.watches().size(), 2U);
  EXPECT_EQ(sink.watches()[0].type, wire::event_type::data_changed);
  EXPECT_EQ(sink.watches()[0].path, "/a");
  EXPECT_EQ(sink.watches()[0].connection, 1U);
  EXPECT_EQ(sink.watches()[1].type, wire::event_type::removed);
  EXPECT_EQ(sink.watches()[1].path, "/b");
  EXPECT_THAT(kinds(sink), ElementsAre(kind::connected));
}

TEST_F(c_transport_session, rearms_watches_and_repeats_credentials_on_the_next_connection) {
  std::mutex mutex;
  std::vector<wire::opcode> seen;
  std::vector<std::string> watched;
  scripted_server server({.handshake = {}, .request = [&](auto& on, const wire::decoded_request& request) {
                            const std::scoped_lock lock(mutex);
                            seen.push_back(request.header.type);
                            if (const auto* set = std::get_if<wire::set_watches_request>(&request.body)) {
                              for (const auto path : set->data) watched.emplace_back(path);
                            }
                            if (request.header.type == wire::opcode::exists) {
                              return on.send(reply_frame(request.header.xid, wire::stat_reply()));
                            }
                            on.send(reply_frame(request.header.xid, wire::empty_reply()));
                          }});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  EXPECT_EQ(ask(wire::auth_request{0, "digest", "user:secret"}).code, errc::ok);
  EXPECT_EQ(ask(wire::exists_request{"/a"}, watch_mode::one_shot).code, errc::ok);
  server.cut();
  ASSERT_TRUE(sink.wait_connected(2));
  EXPECT_EQ(ask(wire::remove_request{"/x"}).code, errc::ok);
  close();
  const std::scoped_lock lock(mutex);
  EXPECT_THAT(seen, ElementsAre(wire::opcode::auth, wire::opcode::exists, wire::opcode::auth, wire::opcode::set_watches,
                                wire::opcode::remove));
  EXPECT_THAT(watched, ElementsAre("/a"));
}

TEST_F(c_transport_session, a_refused_credential_ends_the_session_once) {
  scripted_server server({.handshake = {}, .request = [](auto& on, const wire::decoded_request& request) {
                            if (request.header.type != wire::opcode::auth) return;
                            on.send(reply_frame(request.header.xid, wire::empty_reply(), 0, errc::auth_failed));
                            on.cut();
                          }});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_EQ(tested->submit(2, wire::auth_request{0, "nonsense", "x"}, watch_mode::none), errc::ok);
  EXPECT_EQ(sink.reply(2)->code, errc::auth_failed);
  ASSERT_TRUE(sink.wait([](auto& all) { return all.count(kind::auth_failed) > 0; }));
  EXPECT_EQ(tested->submit(3, wire::remove_request{"/a"}, watch_mode::none), errc::invalid_state);
  close();
  EXPECT_THAT(kinds(sink), ElementsAre(kind::connected, kind::auth_failed));
}

TEST_F(c_transport_session, credentials_wait_for_a_connection) {
  const reserved_port dead;
  ASSERT_TRUE(open(dead.address()));
  EXPECT_EQ(tested->submit(1, wire::auth_request{0, "digest", "u:p"}, watch_mode::none), errc::connection_loss);
}

TEST_F(c_transport_session, a_credential_whose_reply_was_lost_is_told_so) {
  scripted_server server({.handshake = {}, .request = [](auto& on, const wire::decoded_request&) { on.cut(); }});
  sink.during_reply([&](std::uint64_t id, errc) {
    // The lock that the library holds while it tells of lost credentials is needed for this.
    if (id == 1) (void)tested->submit(2, wire::exists_request{"/a"}, watch_mode::none);
  });
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_EQ(tested->submit(1, wire::auth_request{0, "digest", "u:p"}, watch_mode::none), errc::ok);
  const auto lost = sink.reply(1);
  EXPECT_EQ(lost->code, errc::connection_loss);
  EXPECT_EQ(lost->info.connection, 0U);
}

/// What a server has seen, and a gate before which it stops reading.
struct observed {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;               // guarded by mutex, as the rest
  std::vector<std::string> seen;  // "type bytes-or-text"

  void note(std::string what) {
    std::unique_lock lock(mutex);
    seen.push_back(std::move(what));
    changed.wait(lock, [this] { return open; });
  }
  std::vector<std::string> taken() {
    const std::scoped_lock lock(mutex);
    return std::exchange(seen, {});
  }
  void set_open(bool to) {
    const std::scoped_lock lock(mutex);
    open = to;
    changed.notify_all();
  }
};

void observe(observed& all, scripted_server::connection& on, const wire::decoded_request& request) {
  const auto xid = request.header.xid;
  if (const auto* set = std::get_if<wire::set_data_request>(&request.body)) {
    const bool intact = set->data->find_first_not_of('x') == std::string_view::npos;
    all.note(std::string("set ") + (intact ? "intact" : "CORRUPT"));
    on.send(reply_frame(xid, wire::stat_reply()));
  } else if (const auto* auth = std::get_if<wire::auth_request>(&request.body)) {
    all.note("auth " + std::string(auth->credentials));
    on.send(reply_frame(xid, wire::empty_reply()));
  } else if (request.header.type == wire::opcode::exists) {
    all.note("exists " + std::string(std::get<wire::exists_request>(request.body).path));
    on.send(reply_frame(xid, wire::stat_reply()));
  } else {
    all.note(std::to_string(static_cast<int>(request.header.type)));
    on.send(reply_frame(xid, wire::empty_reply()));
  }
}

// The library alone would put the credentials into the middle of a request that is half sent: into the node.
TEST_F(c_transport_session, credentials_never_end_up_inside_another_request) {
  observed all;
  scripted_server server({.handshake = {},
                          .request = [&](auto& on, const auto& request) { observe(all, on, request); },
                          .receive_buffer = 4096});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  const std::string data(1'000'000, 'x');
  std::vector<std::string> expected;
  all.set_open(false);
  for (std::uint64_t id = 1; id <= 10; ++id) {
    ASSERT_EQ(tested->submit(id, wire::set_data_request{"/a", data}, watch_mode::none), errc::ok);
    expected.emplace_back("set intact");
  }
  {
    // What a held request refers to need not outlive the call either.
    std::string credentials = "user:secret";
    std::string path = "/behind-the-credentials";
    ASSERT_EQ(tested->submit(11, wire::auth_request{0, "digest", credentials}, watch_mode::none), errc::ok);
    ASSERT_EQ(tested->submit(12, wire::exists_request{path}, watch_mode::none), errc::ok);
    credentials.assign(credentials.size(), '!');
    path.assign(path.size(), '!');
  }
  expected.insert(expected.end(), {"auth user:secret", "exists /behind-the-credentials"});
  all.set_open(true);
  EXPECT_EQ(sink.reply(12)->code, errc::ok);
  EXPECT_EQ(sink.reply(11)->code, errc::ok);
  close();
  EXPECT_EQ(all.taken(), expected);
}

TEST_F(c_transport_session, credentials_never_end_up_inside_the_watches_of_a_reconnect) {
  observed all;
  scripted_server server({.handshake = {},
                          .request = [&](auto& on, const auto& request) { observe(all, on, request); },
                          .receive_buffer = 4096});
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  const std::string much(5000, 'w');
  for (std::uint64_t id = 1; id <= 200; ++id) {
    const auto path = "/" + std::to_string(id) + much;
    ASSERT_EQ(tested->submit(id, wire::exists_request{path}, watch_mode::one_shot), errc::ok);
  }
  ASSERT_TRUE(sink.wait([](auto& seen) { return seen.reply_count() == 200; }));
  EXPECT_EQ(all.taken().size(), 200U);
  sink.during_session([&](const session_event& event) {
    if (event.what != kind::connected) return;
    EXPECT_EQ(tested->submit(201, wire::auth_request{0, "digest", "user:secret"}, watch_mode::none), errc::ok);
    EXPECT_EQ(tested->submit(202, wire::exists_request{"/behind"}, watch_mode::none), errc::ok);
  });
  server.cut();
  EXPECT_EQ(sink.reply(202)->code, errc::ok);
  EXPECT_EQ(sink.reply(201)->code, errc::ok);
  close();
  EXPECT_THAT(all.taken(), ElementsAre("101", "exists /", "auth user:secret", "exists /behind"));
}

TEST_F(c_transport_session, credentials_that_wait_survive_a_disconnect_and_requests_behind_them_do_not) {
  std::atomic<bool> answer{false};
  observed all;
  scripted_server server({.handshake = {}, .request = [&](auto& on, const wire::decoded_request& request) {
                            if (answer) {
                              observe(all, on, request);
                            } else {
                              on.cut();
                            }
                          }});
  std::atomic<bool> submitted{false};
  sink.during_session([&](const session_event& event) {
    if (event.what == kind::connected && !submitted.exchange(true)) {
      EXPECT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::none), errc::ok);
      EXPECT_EQ(tested->submit(2, wire::auth_request{0, "digest", "user:secret"}, watch_mode::none), errc::ok);
      EXPECT_EQ(tested->submit(3, wire::exists_request{"/b"}, watch_mode::none), errc::ok);
    }
    if (event.what == kind::disconnected) {
      answer = true;
      EXPECT_EQ(tested->submit(4, wire::exists_request{"/c"}, watch_mode::none), errc::connection_loss);
    }
  });
  ASSERT_TRUE(open(server.address()));
  EXPECT_EQ(sink.reply(1)->code, errc::connection_loss);
  EXPECT_EQ(sink.reply(3)->code, errc::connection_loss);
  EXPECT_EQ(sink.reply(2)->code, errc::ok);
  close();
  EXPECT_EQ(sink.reply_count(), 3U);
  EXPECT_THAT(all.taken(), ElementsAre("exists /", "auth user:secret"));
}

TEST_F(c_transport_session, a_request_whose_reply_was_lost_is_told_so_after_the_loss) {
  scripted_server server({.handshake = {}, .request = [](auto& on, const wire::decoded_request&) { on.cut(); }});
  std::atomic<bool> lost_first{false};
  sink.during_session([&](const session_event& event) {
    if (event.what == kind::disconnected) lost_first = true;
  });
  bool in_order = false;
  sink.during_reply([&](std::uint64_t, errc) { in_order = lost_first; });
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  const auto lost = ask(wire::remove_request{"/a"});
  EXPECT_EQ(lost.code, errc::connection_loss);
  EXPECT_EQ(lost.info.connection, 0U);
  close();
  EXPECT_TRUE(in_order);
}

TEST_F(c_transport_session, reports_log_lines_and_not_all_of_a_storm) {
  const reserved_port dead;
  options.session_timeout = 60ms;  // a round a millisecond
  ASSERT_TRUE(open(dead.address()));
  ASSERT_TRUE(sink.wait([](auto& all) {
    return !all.lines().empty() && all.lines().back().second.find("were dropped") != std::string::npos;
  }));
  close();
  EXPECT_EQ(sink.lines().front().first, 3);
  EXPECT_THAT(sink.lines().front().second, HasSubstr("server refused to accept the client"));
}

}  // namespace
}  // namespace zkr::transport
