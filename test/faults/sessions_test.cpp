#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>

#include "server/raw_client.hpp"
#include "support/eventually.hpp"
#include "unit/transport/scripted_server.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// What sessions outlive, and what they do not, on real threads and libzookeeper.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct temporary_folder {
  temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zkr-sessions-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() { std::filesystem::remove_all(path); }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::string path;
};

TEST(changed_servers, session_watches_and_ephemerals_move_with_the_data) {
  const temporary_folder data;
  std::optional<server> zookeeper = server::start({.tick_time = 200ms, .data_dir = data.path}).value();
  auto zk = client::connect({.hosts = zookeeper->connect_string(), .session_timeout = 4s}).value();
  (void)zk.create("/e", "", {.mode = create_mode::ephemeral}).value();
  std::atomic<int> reports = 0;
  const auto watching = zk.watch("/e", [&](const node_change&) { ++reports; });
  ASSERT_TRUE(eventually([&] { return reports == 1; }));
  const auto before = zk.session();
  zookeeper.reset();
  zookeeper = server::start({.tick_time = 200ms, .data_dir = data.path}).value();  // on another port
  ASSERT_TRUE(zk.set_servers(zookeeper->connect_string()));
  (void)zk.set("/e", "moved", any_version, {.timeout = 10s}).value();
  EXPECT_EQ(zk.session().id, before.id);
  EXPECT_EQ(zk.session().generation, 1U);
  EXPECT_GT(zk.session().connection, before.connection);
  EXPECT_TRUE(eventually([&] { return reports == 2; }));
}

TEST(changed_servers, later_sessions_go_to_the_new_list_too) {
  std::optional<server> one = server::start({.tick_time = 50ms}).value();
  auto other = server::start({.tick_time = 50ms}).value();
  auto zk = client::connect({.hosts = one->connect_string(), .session_timeout = 500ms}).value();
  one.reset();
  ASSERT_TRUE(eventually([&] { return zk.session().state == session_state::suspended; }));
  ASSERT_TRUE(zk.set_servers(other.connect_string()));  // an ensemble that knows nothing of the session
  ASSERT_TRUE(
      eventually([&] { return zk.session().generation >= 2 && zk.session().state == session_state::connected; }));
  ASSERT_TRUE(other.expire_session(zk.session().id));
  ASSERT_TRUE(
      eventually([&] { return zk.session().generation >= 3 && zk.session().state == session_state::connected; }));
}

TEST(changed_servers, requests_wait_for_the_new_server_and_none_is_lost) {
  auto zookeeper = server::start({.tick_time = 200ms}).value();
  auto zk = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 4s}).value();
  (void)zk.create("/n", "").value();
  std::atomic<int> applied = 0;
  std::atomic<int> failed = 0;
  const auto set = [&] {
    zk.async_set("/n", "x", any_version, [&](const result<stat_t>& done) { ++(done ? applied : failed); });
  };
  for (int i = 0; i < 500; ++i) set();
  ASSERT_TRUE(zk.set_servers("127.0.0.1:1"));  // where nobody is
  for (int i = 0; i < 500; ++i) set();
  ASSERT_TRUE(eventually([&] { return zk.session().state == session_state::suspended; }));
  ASSERT_TRUE(zk.set_servers(zookeeper.connect_string()));
  ASSERT_TRUE(eventually([&] { return applied + failed == 1000; }));
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(zk.get("/n")->stat.version, 1000);
}

TEST(changed_servers, a_bad_list_is_named_and_changes_nothing) {
  auto zookeeper = server::start({.tick_time = 50ms}).value();
  auto zk = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 1s}).value();
  EXPECT_EQ(zk.set_servers("h:99999").error().message(),
            "set_servers: invalid_argument (host list: \"h:99999\": the port is not a number from 1 to 65535)");
  EXPECT_EQ(zk.set_servers("127.0.0.1/app").error().code(), errc::invalid_argument);
  EXPECT_EQ(zk.set_servers("no-such-host.invalid").error().code(), errc::resolve_failed);
  zookeeper.drop_connections();
  EXPECT_TRUE(zk.get("/"));
  EXPECT_EQ(zk.session().generation, 1U);
  zk.close();
  EXPECT_EQ(zk.set_servers(zookeeper.connect_string()).error().code(), errc::closed);
}

TEST(changed_servers, not_from_a_callback) {
  auto zookeeper = server::start({.tick_time = 50ms}).value();
  auto zk = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 1s}).value();
  std::atomic<errc> code = errc::ok;
  zk.async_get("/", [&](const result<node>&) { code = zk.set_servers(zookeeper.connect_string()).error().code(); });
  EXPECT_TRUE(eventually([&] { return code == errc::would_deadlock; }));
}

// ---- a session that outlives its process ----------------------------------------------------------------------------

/// A session with the ephemeral node /mine, whose process is gone.
struct saved_session : ::testing::Test {
  saved_session() {
    raw_client process(zookeeper.port());
    const auto id = process.greet({0, 0, 4000, 0, {}, false});
    process.send(wire::create_request{.type = wire::opcode::create,
                                      .path = "/mine",
                                      .data = "",
                                      .acl = open_acl(),
                                      .flags = static_cast<std::int32_t>(wire::create_flags::ephemeral)});
    EXPECT_EQ(process.receive_code(), errc::ok);
    session_ticket::password secret{};
    std::copy_n(process.password.begin(), secret.size(), secret.begin());
    ticket.emplace(id, secret);
  }

  client_options options() { return {.hosts = zookeeper.connect_string(), .session_timeout = 4s, .resume = ticket}; }

  server zookeeper = server::start({.tick_time = 200ms}).value();
  std::optional<session_ticket> ticket;
};

TEST_F(saved_session, goes_on) {
  auto zk = client::connect(options()).value();
  EXPECT_EQ(zk.session().id, ticket->id());
  EXPECT_TRUE(zk.session().resumed);
  EXPECT_EQ(zk.get("/mine")->stat.ephemeral_owner, ticket->id());
  EXPECT_EQ(zk.ticket()->id(), ticket->id());
  zk.close();
  EXPECT_TRUE(eventually([&] { return zookeeper.sessions().empty(); }));
}

TEST_F(saved_session, that_is_over_is_followed_by_a_new_one) {
  ASSERT_TRUE(zookeeper.expire_session(ticket->id()));
  auto zk = client::connect(options()).value();
  EXPECT_NE(zk.session().id, ticket->id());
  EXPECT_EQ(zk.session().generation, 2U);
  EXPECT_FALSE(zk.session().resumed);
}

TEST_F(saved_session, that_is_over_is_an_error_where_no_other_is_wanted) {
  ASSERT_TRUE(zookeeper.expire_session(ticket->id()));
  auto how = options();
  how.on_session_loss = session_loss::stay_closed;
  EXPECT_EQ(client::connect(how).error().code(), errc::session_lost);
}

TEST_F(saved_session, is_not_ended_by_the_client_that_creates_its_chroot) {
  auto how = options();
  how.hosts += "/app/x";
  how.chroot = missing_chroot::create;
  auto zk = client::connect(how).value();
  EXPECT_EQ(zk.session().id, ticket->id());
  EXPECT_EQ(zk.session().generation, 1U);
}

TEST_F(saved_session, two_clients_take_it_from_each_other) {
  auto one = client::connect(options()).value();
  auto other = client::connect(options()).value();
  EXPECT_TRUE(eventually([&] { return one.session().connection > 2 && other.session().connection > 2; }));
  EXPECT_EQ(one.session().id, other.session().id);
}

// ---- no server yet --------------------------------------------------------------------------------------------------

/// A port on which nobody listens, and on which a server may be started.
std::uint16_t free_port() { return server::start({.tick_time = 50ms}).value().port(); }

client_options in_background(std::string hosts) {
  return {.hosts = std::move(hosts), .session_timeout = 1s, .start = start_mode::background};
}

TEST(background_start, operations_wait_until_their_deadline) {
  auto zk = client::connect(in_background("127.0.0.1:" + std::to_string(free_port()))).value();
  EXPECT_EQ(zk.session().state, session_state::connecting);
  const auto began = boot_clock::now();
  const auto made = zk.create("/a", "", {}, {.timeout = 300ms});
  EXPECT_GE(boot_clock::now() - began, 300ms);
  EXPECT_EQ(made.error().code(), errc::timed_out);
  EXPECT_EQ(made.error().outcome(), outcome::not_applied);
  EXPECT_FALSE(made.error().sent());
}

TEST(background_start, operations_and_subscriptions_begin_with_the_server) {
  const auto port = free_port();
  auto zk = client::connect(in_background("127.0.0.1:" + std::to_string(port))).value();
  std::atomic<int> reports = 0;
  const auto watching = zk.watch("/a", [&](const node_change&) { ++reports; });
  std::atomic<bool> made = false;
  zk.async_create("/b", "", {}, [&](const result<created>& done) { made = done.has_value(); });
  const auto zookeeper = server::start({.port = port, .tick_time = 50ms}).value();
  EXPECT_TRUE(eventually([&] { return reports == 1 && made; }));
  EXPECT_EQ(zk.session().generation, 1U);
}

TEST(background_start, close_returns_at_once) {
  auto zk = client::connect(in_background("127.0.0.1:" + std::to_string(free_port()))).value();
  std::atomic<int> closed = 0;
  zk.async_get("/", [&](const result<node>& got) { closed += got.error().code() == errc::closed ? 1 : 0; });
  const auto began = boot_clock::now();
  zk.close();
  EXPECT_LT(boot_clock::now() - began, 1s * time_factor());
  EXPECT_TRUE(eventually([&] { return closed == 1; }));
}

TEST(background_start, names_may_be_unknown_yet) {
  auto zk = client::connect(in_background("no-such-host.invalid")).value();
  std::atomic<bool> made = false;
  zk.async_create("/b", "", {}, [&](const result<created>& done) { made = done.has_value(); });
  EXPECT_EQ(zk.get("/", {}, {.timeout = 300ms}).error().code(), errc::timed_out);  // over some attempts
  auto zookeeper = server::start({.tick_time = 50ms}).value();
  ASSERT_TRUE(zk.set_servers(zookeeper.connect_string()));
  EXPECT_TRUE(eventually([&] { return made.load(); }));
  EXPECT_EQ(client::connect({.hosts = "no-such-host.invalid"}).error().code(), errc::resolve_failed);
}

// ---- unusual servers ------------------------------------------------------------------------------------------------

TEST(unusual_server, that_never_resumes_a_session_gives_a_new_one_at_each_connection) {
  // As ClickHouse Keeper does.
  auto zookeeper = server::start({.tick_time = 50ms}).value();
  (void)zookeeper.faults()
      .add({.at = fault_point::resumed_session, .action = fault_action::refuse_session, .times = fault_rule::always})
      .value();
  auto zk = client::connect({.hosts = zookeeper.connect_string(), .session_timeout = 1s}).value();
  std::atomic<int> reports = 0;
  const auto watching = zk.watch("/a", [&](const node_change&) { ++reports; });
  (void)zk.create("/a", "").value();
  for (std::uint64_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(eventually([&] { return reports >= static_cast<int>(round); }));
    zookeeper.drop_connections();
    ASSERT_TRUE(eventually(
        [&] { return zk.session().generation == round + 1 && zk.session().state == session_state::connected; }));
    (void)zk.set("/a", "x").value();  // which the subscription sees
  }
  EXPECT_TRUE(eventually([&] { return reports >= 4; }));
}

TEST(unusual_server, of_before_3_4_whose_handshake_has_no_read_only_byte) {
  transport::scripted_server old(
      {.handshake = [](auto&, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
         return wire::connect_reply{0, asked.timeout_ms, 7, transport::scripted_server::password, std::nullopt};
       },
       .request =
           [](auto& on, const wire::decoded_request& request) {
             on.send(transport::reply_frame(request.header.xid, wire::stat_reply()));
           },
       .receive_buffer = 0});
  auto zk = client::connect({.hosts = old.address(), .session_timeout = 1s}).value();
  EXPECT_EQ(zk.session().id, 7);
  old.cut();
  ASSERT_TRUE(eventually([&] { return zk.session().connection == 2; }));
  EXPECT_TRUE(zk.exists("/"));
}

TEST(unusual_server, that_does_not_know_a_request_is_named_as_the_reason) {
  transport::scripted_server old(
      {.handshake = {}, .request = [](auto& on, const wire::decoded_request& request) {
         if (request.header.type == wire::opcode::exists) {
           return on.send(transport::reply_frame(request.header.xid, wire::stat_reply()));
         }
         on.send(transport::reply_frame(request.header.xid, wire::empty_reply(), 1, errc::unimplemented));
       }});
  auto zk = client::connect({.hosts = old.address(), .session_timeout = 1s}).value();
  const auto made = zk.create("/a");
  ASSERT_FALSE(made);
  EXPECT_EQ(
      made.error().message(),
      "create /a: unsupported (the server does not know this request: it is too old for it, or it is switched off "
      "there)");
  EXPECT_EQ(made.error().outcome(), outcome::not_applied);
}

}  // namespace
}  // namespace zkr::testing
