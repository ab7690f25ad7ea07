#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "server/raw_client.hpp"
#include "zkrecipes/server.hpp"

// What requests cost, counted and not timed: the calls into the kernel that the server's threads make for a fixed
// workload, and the bytes that they write to the disk. This program puts itself between the server and libc.

namespace {

struct counters {
  std::atomic<int> waits{0};  ///< That came back: the last one sleeps still when the client looks.
  std::atomic<int> interests{0};
  std::atomic<int> receives{0};
  std::atomic<int> sends{0};
  std::atomic<int> syncs{0};
  std::atomic<int> writes{0};
  std::atomic<std::size_t> written_bytes{0};
} counted;

// The test's own client runs on the main thread.
bool is_servers() noexcept { return ::gettid() != ::getpid(); }

template <typename F>
F* libc(F*, const char* name) noexcept {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int epoll_wait(int epoll, epoll_event* events, int size, int timeout) {
  static auto* const real = libc(&::epoll_wait, "epoll_wait");
  const int ready = real(epoll, events, size, timeout);
  if (is_servers()) ++counted.waits;
  return ready;
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  static auto* const real = libc(&::epoll_ctl, "epoll_ctl");
  if (is_servers()) ++counted.interests;
  return real(epoll, operation, descriptor, event);
}

ssize_t recv(int socket, void* into, size_t size, int flags) {
  static auto* const real = libc(&::recv, "recv");
  if (is_servers()) ++counted.receives;
  return real(socket, into, size, flags);
}

ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static auto* const real = libc(&::recvmsg, "recvmsg");
  if (is_servers()) ++counted.receives;
  return real(socket, message, flags);
}

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  static auto* const real = libc(&::send, "send");
  if (is_servers()) ++counted.sends;
  return real(socket, bytes, size, flags);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static auto* const real = libc(&::sendmsg, "sendmsg");
  if (is_servers()) ++counted.sends;
  return real(socket, message, flags);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  static auto* const real = libc(&::pwrite, "pwrite");
  ++counted.writes;
  counted.written_bytes += size;
  return real(file, bytes, size, at);
}

int fdatasync(int file) {
  static auto* const real = libc(&::fdatasync, "fdatasync");
  ++counted.syncs;
  return real(file);
}

}  // extern "C"

namespace zkr::testing {
namespace {

/// What one piece of work cost.
struct cost {
  int waits;
  int interests;
  int receives;
  int sends;
  int syncs;
  int writes;
  std::size_t written_bytes;

  friend bool operator==(const cost&, const cost&) = default;
  friend std::ostream& operator<<(std::ostream& to, const cost& of) {
    return to << of.waits << " waits, " << of.interests << " interests, " << of.receives << " receives, " << of.sends
              << " sends, " << of.syncs << " syncs, " << of.writes << " writes of " << of.written_bytes << " bytes";
  }
};

cost now() {
  return {counted.waits, counted.interests, counted.receives,     counted.sends,
          counted.syncs, counted.writes,    counted.written_bytes};
}

template <typename F>
cost of(F work) {
  const cost before = now();
  work();
  const cost after = now();
  return {after.waits - before.waits,
          after.interests - before.interests,
          after.receives - before.receives,
          after.sends - before.sends,
          after.syncs - before.syncs,
          after.writes - before.writes,
          after.written_bytes - before.written_bytes};
}

class costs : public ::testing::Test {
 protected:
  costs() {
    // No timer comes between.
    options.tick_time = std::chrono::minutes(10);
    std::string pattern = (std::filesystem::temp_directory_path() / "zkr-costs-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~costs() override { std::filesystem::remove_all(folder); }

  static std::string gets(int count) { return repeated(wire::get_data_request{"/", false}, count); }
  static std::string sets(int count) { return repeated(wire::set_data_request{"/node", "0123456789", -1}, count); }
  static std::string repeated(const wire::request& request, int count) {
    std::string frames;
    for (int i = 0; i < count; ++i) wire::append_request_frame(frames, i + 1, request);
    return frames;
  }
  static void exchange(raw_client& with, const std::string& frames, int count) {
    with.send(frames);
    for (int i = 0; i < count; ++i) ASSERT_EQ(with.receive_code(), errc::ok);
  }
  /// A session, and a node to write to, which also makes the log's file.
  static void begin(raw_client& with) {
    ASSERT_NE(with.greet(), 0);
    exchange(with, repeated(wire::create_request{wire::opcode::create, "/node", "", open_acl(), 0}, 1), 1);
  }

  std::filesystem::path folder;
  server_options options;
};

TEST_F(costs, of_one_get_after_the_other) {
  const server one = server::start(options).value();
  raw_client client(one.port());
  begin(client);
  const cost seen = of([&] {
    for (int i = 0; i < 100; ++i) exchange(client, gets(1), 1);
  });
  EXPECT_EQ(seen, (cost{100, 100, 100, 100, 0, 0, 0}));
}

TEST_F(costs, of_many_gets_in_flight_are_those_of_one) {
  const server one = server::start(options).value();
  raw_client client(one.port());
  begin(client);
  const cost seen = of([&] {
    for (int i = 0; i < 10; ++i) exchange(client, gets(64), 64);
  });
  EXPECT_EQ(seen, (cost{10, 10, 10, 10, 0, 0, 0}));
}

// An entry of the log: 12 bytes before it, 1 behind it, 32 of header; then the record.
constexpr int entry_bytes(int record_bytes) { return 12 + 32 + record_bytes + 1; }

TEST_F(costs, of_durable_sets_one_after_the_other) {
  options.data_dir = folder;
  const server one = server::start(options).value();
  raw_client client(one.port());
  begin(client);
  const cost seen = of([&] {
    for (int i = 0; i < 100; ++i) exchange(client, sets(1), 1);
  });
  EXPECT_EQ(seen.syncs, 100);
  EXPECT_EQ(seen.writes, 100);
  EXPECT_EQ(seen.written_bytes, 100U * entry_bytes(4 + 5 + 4 + 10 + 4)) << "path, data, version";
  EXPECT_EQ(seen.receives, 100);
  EXPECT_EQ(seen.sends, 100);
}

TEST_F(costs, of_many_durable_sets_in_flight_are_one_sync) {
  options.data_dir = folder;
  const server one = server::start(options).value();
  raw_client client(one.port());
  begin(client);
  const cost seen = of([&] {
    for (int i = 0; i < 10; ++i) exchange(client, sets(64), 64);
  });
  EXPECT_EQ(seen.syncs, 10);
  EXPECT_EQ(seen.writes, 10);
  EXPECT_EQ(seen.written_bytes, 640U * entry_bytes(4 + 5 + 4 + 10 + 4));
  EXPECT_EQ(seen.receives, 10);
  EXPECT_EQ(seen.sends, 10);
}

TEST_F(costs, of_a_durable_session_are_two_syncs) {
  options.data_dir = folder;
  const server one = server::start(options).value();
  raw_client first(one.port());
  begin(first);
  const cost seen = of([&] {
    raw_client client(one.port());
    ASSERT_NE(client.greet(), 0);
    exchange(client, gets(1), 1);
    exchange(client, repeated(wire::close_session_request{}, 1), 1);
  });
  EXPECT_EQ(seen.syncs, 2);
  EXPECT_EQ(seen.writes, 2);
  EXPECT_EQ(seen.written_bytes, static_cast<std::size_t>(entry_bytes(4) + entry_bytes(4))) << "time-out; no ephemerals";
  EXPECT_EQ(seen.sends, 3);
}

}  // namespace
}  // namespace zkr::testing
