#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>

#include "support/eventually.hpp"
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

}  // namespace
}  // namespace zkr::testing
