#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/thread.hpp"
#include "unit/transport/scripted_server.hpp"
#include "unit/transport/transport_fixture.hpp"

// The end of a transport, at every moment: each accepted request has exactly one reply, and nothing is reported later.

namespace zkr::transport {
namespace {

using ::testing::AnyOf;

class c_transport_close : public transport_test {};

/// Swallows every request.
scripted_server::script mute() {
  return {.handshake = {}, .request = [](auto&, const wire::decoded_request&) {}};
}

TEST_F(c_transport_close, completes_every_request_in_flight_exactly_once) {
  scripted_server server(mute());
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  std::uint64_t accepted = 0;
  while (true) {
    const wire::request of = accepted % 2 == 0 ? wire::request(wire::exists_request{"/a"})
                                               : wire::request(wire::multi_request{{wire::check_request{"/a"}}});
    const auto code = tested->submit(accepted + 1, of, watch_mode::none);
    if (code != errc::ok) {
      EXPECT_EQ(code, errc::overloaded);
      break;
    }
    ++accepted;
  }
  EXPECT_EQ(accepted, 20'000U);
  close();
  ASSERT_EQ(sink.reply_count(), accepted);
  std::uint64_t last = 0;
  for (const auto& [id, reply] : sink.replies()) {
    EXPECT_EQ(id, last + 1);
    last = id;
    EXPECT_EQ(reply.code, errc::closing);
    EXPECT_EQ(reply.info.connection, 0U);
    EXPECT_EQ(std::holds_alternative<wire::multi_reply>(reply.body), id % 2 == 0);
  }
}

TEST_F(c_transport_close, lets_new_requests_in_as_replies_come) {
  scripted_server server;
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  std::uint64_t refused = 0;
  for (std::uint64_t id = 1; id <= 50'000; ++id) {
    while (tested->submit(id, wire::remove_request{"/a"}, watch_mode::none) == errc::overloaded) {
      ++refused;
      const auto wanted = id - 8'000;
      ASSERT_TRUE(sink.wait([&](auto& all) { return all.reply_count() >= wanted; }));
    }
  }
  ASSERT_TRUE(sink.wait([&](auto& all) { return all.reply_count() == 50'000; }));
  for (const auto& [id, reply] : sink.replies()) ASSERT_EQ(reply.code, errc::ok) << id;
  const auto order = sink.order();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(c_transport_close, before_open_and_after_a_failed_one) {
  tested = make_c_transport(options, sink, clock);
  EXPECT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::none), errc::invalid_state);
  close();
  options.hosts = "127.0.0.1:1";
  EXPECT_FALSE(open("").has_value());
  close();
  EXPECT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::none), errc::closed);
  EXPECT_EQ(tested->open().error().code(), errc::invalid_argument);
}

TEST_F(c_transport_close, before_it_is_connected) {
  const reserved_port silent;
  silent.listen();
  ASSERT_TRUE(open(silent.address()));
  ASSERT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::none), errc::ok);
  close();
  EXPECT_EQ(sink.replies().find(1)->second.code, errc::closing);
  EXPECT_TRUE(sink.sessions().empty());
}

TEST_F(c_transport_close, at_any_moment_of_a_replacement) {
  const reserved_port silent;
  silent.listen();
  options.handshake_timeout = 2ms;
  for (int i = 0; i < 40; ++i) {
    recording_sink here;
    options.hosts = silent.address();
    const auto transport = make_c_transport(options, here, clock);
    ASSERT_TRUE(transport->open());
    std::uint64_t accepted = 0;
    const auto until = clock.now() + std::chrono::microseconds(i * 250);
    do {
      if (transport->submit(accepted + 1, wire::exists_request{"/a"}, watch_mode::none) == errc::ok) ++accepted;
    } while (clock.now() < until && accepted < 1000);
    transport->close([] {});
    EXPECT_EQ(here.reply_count(), accepted);
    for (const auto& [id, reply] : here.replies()) EXPECT_THAT(reply.code, AnyOf(errc::closing, errc::connection_loss));
  }
}

TEST_F(c_transport_close, does_not_wait_for_a_lookup) {
  const reserved_port silent;
  silent.listen();
  options.hosts = "slow:" + std::to_string(silent.port());
  options.handshake_timeout = 1ms;
  struct gate {
    std::mutex mutex;
    std::condition_variable changed;
    int lookups = 0;
    bool open = false;
  };
  const auto shared = std::make_shared<gate>();
  const auto find = [shared](const std::string&) -> result<std::vector<std::string>> {
    std::unique_lock lock(shared->mutex);
    ++shared->lookups;
    shared->changed.notify_all();
    shared->changed.wait(lock, [&] { return shared->open || shared->lookups == 1; });
    return std::vector<std::string>{"127.0.0.1"};
  };
  tested = make_c_transport_with(options, sink, clock, {find, [](auto&) {}});
  ASSERT_TRUE(tested->open());
  {
    std::unique_lock lock(shared->mutex);
    ASSERT_TRUE(shared->changed.wait_for(lock, patience(), [&] { return shared->lookups == 2; }));
  }
  close();
  tested.reset();
  const std::scoped_lock lock(shared->mutex);
  shared->open = true;
  shared->changed.notify_all();
}

TEST_F(c_transport_close, twice_and_from_two_threads) {
  scripted_server server(mute());
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::none), errc::ok);
  std::atomic<int> done{0};
  std::thread other([&] { tested->close([&] { ++done; }); });
  tested->close([&] { ++done; });
  other.join();
  close();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(sink.reply_count(), 1U);
}

TEST_F(c_transport_close, done_may_destroy_the_transport) {
  scripted_server server;
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  tested->close([this] { tested.reset(); });
  EXPECT_EQ(tested, nullptr);
}

TEST_F(c_transport_close, a_transport_that_is_destroyed_unclosed_says_nothing_more) {
  scripted_server server(mute());
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_EQ(tested->submit(1, wire::exists_request{"/a"}, watch_mode::none), errc::ok);
  tested.reset();
  EXPECT_TRUE(sink.replies().empty());
}

TEST_F(c_transport_close, while_others_submit) {
  scripted_server server;
  for (int round = 0; round < 10; ++round) {
    recording_sink here;
    options.hosts = server.address();
    const auto transport = make_c_transport(options, here, clock);
    ASSERT_TRUE(transport->open());
    ASSERT_TRUE(here.wait_connected());
    std::atomic<std::uint64_t> next{1};
    std::atomic<std::uint64_t> accepted{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (;;) {
          const auto code = transport->submit(next++, wire::set_data_request{"/a", "data"}, watch_mode::none);
          if (code == errc::ok) ++accepted;
          if (code == errc::closed) return;
        }
      });
    }
    ASSERT_TRUE(here.wait([](auto& all) { return all.reply_count() > 100; }));
    transport->close([] {});
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(here.reply_count(), accepted);
    EXPECT_FALSE(here.overlapped());
  }
}

TEST_F(c_transport_close, while_credentials_are_answered) {
  scripted_server server;
  for (int round = 0; round < 30; ++round) {
    recording_sink here;
    options.hosts = server.address();
    const auto transport = make_c_transport(options, here, clock);
    ASSERT_TRUE(transport->open());
    ASSERT_TRUE(here.wait_connected());
    std::uint64_t accepted = 0;
    for (std::uint64_t id = 1; id <= 20; ++id) {
      const auto of = id % 2 == 0 ? wire::request(wire::remove_request{"/a"})
                                  : wire::request(wire::auth_request{0, "digest", "user:secret"});
      if (transport->submit(id, of, watch_mode::none) == errc::ok) ++accepted;
    }
    if (round % 2 == 0) server.cut();
    transport->close([] {});
    EXPECT_EQ(here.reply_count(), accepted);
    EXPECT_FALSE(here.overlapped());
  }
}

TEST_F(c_transport_close, a_forked_child_touches_nothing) {
  scripted_server server;
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  const pid_t child = fork();
  if (child == 0) {
    bool done = false;
    const bool refused = tested->submit(1, wire::exists_request{"/a"}, watch_mode::none) == errc::closed;
    tested->close([&] { done = true; });
    tested.reset();
    _exit(refused && done ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(ask(wire::remove_request{"/a"}).code, errc::ok);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(c_transport_close, requests_that_the_library_refuses_leave_nothing_behind) {
  scripted_server server(
      {.handshake = [](auto&, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
         const std::int64_t id = asked.session_id == 0 ? 5 : 6;
         return wire::connect_reply{0, asked.timeout_ms, id, scripted_server::password, false};
       },
       .request = {},
       .receive_buffer = 0});
  std::mutex hold;
  sink.during_session([&](const session_event& event) {
    if (event.what == session_event::kind::disconnected) const std::scoped_lock wait(hold);
  });
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  std::uint64_t accepted = 0;
  {
    // The library knows that the session is over, and we do not yet.
    const std::scoped_lock lock(hold);
    server.cut();
    for (int refused = 0; refused < 20'000;) {  // more than may be in flight
      const auto code = tested->submit(accepted + 1, wire::exists_request{"/a"}, watch_mode::none);
      ASSERT_THAT(code, AnyOf(errc::ok, errc::overloaded, errc::invalid_state));
      accepted += code == errc::ok ? 1 : 0;
      refused += code == errc::invalid_state ? 1 : 0;
    }
  }
  ASSERT_TRUE(sink.wait([](auto& all) { return all.count(session_event::kind::expired) == 1; }));
  close();
  EXPECT_EQ(sink.reply_count(), accepted);
}

TEST_F(c_transport_close, refused_requests_leave_nothing_behind) {
  scripted_server server;
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  for (const auto* bad : {"", "relative", "/a/", "/a//b"}) {
    for (std::size_t where = 0; where < 3; ++where) {
      wire::multi_request multi{{wire::check_request{"/a"}, wire::check_request{"/b"}, wire::check_request{"/c"}}};
      multi.operations[where] = wire::create_request{wire::opcode::create, bad, "", open_acl(), 0, -1};
      EXPECT_EQ(tested->submit(1, multi, watch_mode::none), errc::invalid_path);
    }
  }
  const wire::multi_request container{
      {wire::create_request{wire::opcode::create_container, "/a", "", open_acl(), 4, -1}}};
  EXPECT_EQ(tested->submit(1, container, watch_mode::none), errc::unsupported);
  EXPECT_EQ(server.requests(), 0);
  EXPECT_EQ(ask(wire::remove_request{"/a"}).code, errc::ok);
}

}  // namespace
}  // namespace zkr::transport
