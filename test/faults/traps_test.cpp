#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <thread>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// Traps of libzookeeper that a user could fall into, and does not.

namespace {
/// How many requests libzookeeper's numbers are away from 2^31 when this program begins.
constexpr std::int32_t before_the_end = 200;
std::atomic<int> times_asked = 0;
std::atomic<int> names_asked = 0;
}  // namespace

// libzookeeper begins to number its requests at time(nullptr): for this program, just before the numbers run over.
extern "C" __attribute__((visibility("default"))) std::time_t time(std::time_t* also) noexcept {
  ++times_asked;
  constexpr std::time_t now = 2'147'483'647 - before_the_end;
  if (also != nullptr) *also = now;
  return now;
}

// Left to itself, libzookeeper looks all hosts up again at every turn of its loop: about once a request (ZOOKEEPER-1998).
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* name, const char* service,
                                                                  const addrinfo* hints, addrinfo** found) {
  using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  ++names_asked;
  return real(name, service, hints, found);
}

namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct traps : ::testing::Test {
  server zookeeper = server::start({.tick_time = 100ms}).value();
  std::string port = std::to_string(zookeeper.port());

  client connect(client_options options = {}) {
    if (options.hosts == client_options().hosts) options.hosts = zookeeper.connect_string();
    options.session_timeout = 2s;
    return client::connect(std::move(options)).value();
  }
  /// Drops the connection some times, and expects it back each time.
  void expect_to_be_found_again(client& zk) {
    for (int i = 0; i < 4; ++i) {
      const auto before = zk.session().connection;
      zookeeper.drop_connections();
      ASSERT_TRUE(eventually([&] { return zk.get("/").has_value() && zk.session().connection > before; })) << i;
    }
    EXPECT_EQ(zk.session().generation, 1U);
  }
};

// The first test, for the numbers are the process's.
TEST_F(traps, request_numbers_run_over_2_to_the_31) {
  auto zk = connect();
  ASSERT_GT(times_asked, 0);
  std::atomic<int> applied = 0;
  for (int i = 0; i < 4 * before_the_end; ++i) {
    zk.async_create("/n-", "", {.mode = create_mode::persistent_sequential},
                    [&](const result<created>& made) { applied += made ? 1 : 0; });
  }
  EXPECT_TRUE(eventually([&] { return applied == 4 * before_the_end; }));
  EXPECT_EQ(zk.children("/")->names.size(), 4U * before_the_end + 1);
  EXPECT_EQ(zk.session().connection, 1U);
}

TEST_F(traps, requests_look_no_names_up) {
  auto zk = connect({.hosts = "localhost:" + port});
  const int before = names_asked;
  ASSERT_GT(before, 0);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(zk.get("/"));
  EXPECT_EQ(names_asked, before);
}

TEST_F(traps, four_hosts_of_which_one_lives) {
  auto zk = connect({.hosts = "127.0.0.2:1,127.0.0.3:1,127.0.0.1:" + port + ",127.0.0.4:1"});
  expect_to_be_found_again(zk);
}

TEST_F(traps, localhost_of_both_families) {
  {
    auto zk = connect({.hosts = "localhost:" + port});
    expect_to_be_found_again(zk);
  }
  {
    auto zk = connect({.hosts = "[::1]:" + port + ",127.0.0.1:" + port});
    expect_to_be_found_again(zk);
  }
  auto other = server::start({.address = "::1", .tick_time = 100ms});
  if (!other) GTEST_SKIP() << "no IPv6 here: " << other.error().message();
  zookeeper = *std::move(other);
  auto zk = connect(
      {.hosts = "127.0.0.1:" + std::to_string(zookeeper.port()) + ",[::1]:" + std::to_string(zookeeper.port())});
  expect_to_be_found_again(zk);
}

TEST_F(traps, credentials_added_while_the_connection_is_lost) {
  auto owner = connect({.auth = {{"digest", "user:secret"}}});
  (void)owner.create("/mine", "x", {.acl = creator_all_acl()}).value();
  for (int round = 0; round < 10; ++round) {
    auto zk = connect();
    EXPECT_EQ(zk.get("/mine").error().code(), errc::no_auth);
    zookeeper.drop_connections();
    const auto added = zk.add_auth("digest", "user:secret");
    ASSERT_TRUE(added) << added.error().message();
    EXPECT_TRUE(zk.get("/mine"));
    zookeeper.drop_connections();  // and they are sent again
    EXPECT_TRUE(zk.get("/mine"));
  }
}

TEST_F(traps, container_in_a_transaction) {
  // The server would take it, and libzookeeper abort over the reply.
  auto zk = connect();
  const auto done = zk.commit(transaction().create("/c", "", {.mode = create_mode::container}));
  EXPECT_EQ(done.error().code(), errc::unsupported);
  EXPECT_EQ(zk.exists("/c").error().code(), errc::no_node);
}

TEST_F(traps, bad_paths_in_a_transaction) {
  auto zk = connect();
  for (const auto* bad : {"", "x", "/x/", "//x", "/x/../y"}) {
    const auto done = zk.commit(transaction().create("/a", "").create(bad, ""));
    EXPECT_EQ(done.error().code(), errc::invalid_path) << bad;
  }
  EXPECT_EQ(zk.exists("/a").error().code(), errc::no_node);
}

TEST_F(traps, relative_path_under_a_chroot) {
  auto zk = connect({.hosts = zookeeper.connect_string() + "/app", .chroot = missing_chroot::create});
  EXPECT_EQ(zk.create("x").error().code(), errc::invalid_path);
  EXPECT_EQ(zk.get("../x").error().code(), errc::invalid_path);
  EXPECT_EQ(zk.commit(transaction().create("x", "")).error().code(), errc::invalid_path);
  auto all = connect();
  EXPECT_EQ(all.exists("/appx").error().code(), errc::no_node);
}

TEST_F(traps, oversize_values_are_refused_and_harm_nobody) {
  auto zk = connect();
  (void)zk.create("/a", "").value();
  std::atomic<int> answered = 0;
  for (int i = 0; i < 100; ++i) zk.async_get("/a", [&](const result<node>& got) { answered += got ? 1 : 0; });
  EXPECT_EQ(zk.set("/a", std::string(2'000'000, 'x')).error().code(), errc::too_large);
  EXPECT_EQ(zk.create("/b", std::string(1'048'575, 'x')).error().code(), errc::too_large);
  EXPECT_TRUE(eventually([&] { return answered == 100; }));
  EXPECT_TRUE(zk.set("/a", std::string(1'000'000, 'x')));
  EXPECT_EQ(zk.session().connection, 1U);
}

std::atomic<int> signals_on_other_threads = 0;
std::atomic<int> signals = 0;
std::atomic<pid_t> signalled_thread = 0;

void on_signal(int) {
  ++signals;
  if (static_cast<pid_t>(::syscall(SYS_gettid)) != signalled_thread) ++signals_on_other_threads;
}

TEST_F(traps, storms_of_signals) {
  signalled_thread = static_cast<pid_t>(::syscall(SYS_gettid));
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  auto zk = connect();
  (void)zk.create("/a", "").value();
  std::atomic<bool> enough = false;
  std::thread storm([&] {
    sigset_t none;
    sigfillset(&none);
    ::pthread_sigmask(SIG_BLOCK, &none, nullptr);
    while (!enough) {
      ::kill(::getpid(), SIGUSR1);
      for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        ::syscall(SYS_tgkill, ::getpid(), std::stoi(entry.path().filename()), SIGUSR1);
      }
    }
  });
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(zk.set("/a", std::to_string(i))) << i;
  auto another = connect();
  EXPECT_TRUE(another.get("/a"));
  another.close();
  enough = true;
  storm.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_GT(signals, 100);
  EXPECT_EQ(signals_on_other_threads, 0);  // ours, libzookeeper's and the server's block them all
  EXPECT_EQ(zk.session().connection, 1U);
  EXPECT_EQ(zk.get("/a")->stat.version, 500);
}

TEST_F(traps, fork) {
  auto zk = connect();
  (void)zk.create("/e", "", {.mode = create_mode::ephemeral}).value();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(20);
    zk.close();
    { const auto gone = std::move(zk); }
    ::_exit(7);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  EXPECT_TRUE(zk.get("/e"));
  EXPECT_EQ(zk.session().connection, 1U);
  EXPECT_EQ(zookeeper.sessions().size(), 1U);
}

}  // namespace
}  // namespace zkr::testing
