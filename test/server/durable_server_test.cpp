#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "server/raw_client.hpp"
#include "support/eventually.hpp"
#include "zkrecipes/server.hpp"

// A server with a folder, on sockets and a real disk.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class durable_server : public ::testing::Test {
 protected:
  durable_server() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zkr-durable-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    options.data_dir = folder / "data";
    options.tick_time = 50ms;
    options.max_session_timeout = 60'000ms;
  }
  ~durable_server() override { std::filesystem::remove_all(folder); }

  static errc create(raw_client& client, std::string_view path, std::int32_t flags = 0) {
    client.send(wire::create_request{wire::opcode::create, path, "data", open_acl(), flags});
    return client.receive_code();
  }
  static errc exists(raw_client& client, std::string_view path) {
    client.send(wire::exists_request{path, false});
    return client.receive_code();
  }
  std::size_t files(const std::string& prefix) const {
    std::size_t count = 0;
    for (const auto& one : std::filesystem::directory_iterator(folder / "data" / "version-2")) {
      if (one.path().filename().string().rfind(prefix, 0) == 0) ++count;
    }
    return count;
  }

  std::filesystem::path folder;
  server_options options;
};

TEST_F(durable_server, has_nodes_and_sessions_when_it_comes_back) {
  std::int64_t session = 0;
  std::string password;
  {
    server one = server::start(options).value();
    EXPECT_TRUE(one.recovery().snapshot.empty());
    raw_client client(one.port());
    session = client.greet();
    password = client.password;
    EXPECT_EQ(create(client, "/kept"), errc::ok);
    EXPECT_EQ(create(client, "/mine", 1), errc::ok);
  }
  server two = server::start(options).value();
  EXPECT_EQ(two.recovery().transactions, 3U);
  EXPECT_EQ(two.sessions(), std::vector<std::int64_t>{session});
  raw_client client(two.port());
  EXPECT_EQ(client.greet({0, 0, 10'000, session, password, false}), session);
  EXPECT_EQ(exists(client, "/kept"), errc::ok);
  EXPECT_EQ(exists(client, "/mine"), errc::ok);
  EXPECT_EQ(two.statistics().last_zxid, 3);
}

TEST_F(durable_server, has_its_folder_for_itself) {
  const server one = server::start(options).value();
  const auto two = server::start(options);
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message(), HasSubstr("another server"));
}

TEST_F(durable_server, makes_snapshots_and_removes_old_files) {
  options.snap_count = 10;
  options.snapshots_kept = 2;
  options.data_log_dir = folder / "logs";
  std::size_t made = 0;
  {
    server one = server::start(options).value();
    raw_client client(one.port());
    client.greet();
    const auto is_there = [&](const std::string& name) {
      return std::filesystem::exists(std::filesystem::path(options.data_dir) / "version-2" / name);
    };
    EXPECT_TRUE(eventually([&] {
      EXPECT_EQ(create(client, "/node-" + std::to_string(made++)), errc::ok);
      return !is_there("snapshot.0") && made >= 50;
    }));
  }
  EXPECT_EQ(files("snapshot."), 2U);
  EXPECT_EQ(files("log."), 0U);
  server two = server::start(options).value();
  EXPECT_LT(two.recovery().transactions, made - 10) << "what the older snapshots held is not read back";
  EXPECT_EQ(two.statistics().nodes, made + 4);
}

TEST_F(durable_server, ends_without_a_word_when_it_cannot_write) {
  std::atomic<int> failures = 0;
  options.on_failure = [&](const error& why) {
    EXPECT_EQ(why.code(), errc::io_error);
    ++failures;
  };
  server one = server::start(options).value();
  // The first log cannot be made any more.
  std::filesystem::remove_all(options.data_dir);
  raw_client client(one.port());
  EXPECT_EQ(client.greet(), 0) << "its session would not have lived on";
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(eventually([&] { return failures == 1; }));
  ASSERT_TRUE(one.failure());
  EXPECT_THAT(one.failure()->message(), HasSubstr("version-2"));
  EXPECT_EQ(one.statistics().connections, 0U);
  one.stop();
  EXPECT_EQ(failures, 1);
}

TEST_F(durable_server, refuses_what_makes_no_sense) {
  const auto code = [](const server_options& given) { return server::start(given).error().code(); };
  server_options bad = options;
  bad.snap_count = 0;
  EXPECT_EQ(code(bad), errc::invalid_argument);
  bad = options;
  bad.snapshots_kept = 0;
  EXPECT_EQ(code(bad), errc::invalid_argument);
  bad = options;
  bad.data_dir.clear();
  bad.data_log_dir = folder;
  EXPECT_EQ(code(bad), errc::invalid_argument);
  bad = options;
  bad.data_dir = "/proc/nowhere";
  EXPECT_EQ(code(bad), errc::io_error);
}

}  // namespace
}  // namespace zkr::testing
