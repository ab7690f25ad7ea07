#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>
#include <new>

#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

// What an operation allocates in steady state. All of C++'s operator new of this process is counted, on every thread: it
// is ours alone, for libzookeeper is written in C and calls malloc, and the server is another process.

namespace {
std::atomic<std::size_t> allocations = 0;
}

void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const made = std::malloc(bytes != 0 ? bytes : 1)) return made;
  std::abort();
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t /*bytes*/) noexcept { std::free(made); }

namespace zkr::testing {
namespace {

/// A server in a process of its own, forked before this one has threads.
class other_process {
 public:
  other_process() {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const auto zookeeper = server::start().value();
      const auto port = zookeeper.port();
      if (::write(ends[1], &port, sizeof port) != sizeof port) std::abort();
      for (;;) ::pause();
    }
    if (::read(ends[0], &port_, sizeof port_) != sizeof port_) std::abort();
    for (const int one : ends) ::close(one);
  }
  ~other_process() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;

  [[nodiscard]] std::string hosts() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  pid_t child_ = -1;
  std::uint16_t port_ = 0;
};

constexpr int operations_counted = 400;

/// Runs an operation until its queues have grown, then counts. @return allocations of one.
template <typename Run>
double of_each(Run run) {
  for (int i = 0; i < 100; ++i) run();
  const auto before = allocations.load();
  for (int i = 0; i < operations_counted; ++i) run();
  return static_cast<double>(allocations.load() - before) / operations_counted;
}

class allocations_of : public ::testing::Test {
 protected:
  other_process zookeeper;
  client zk = client::connect({.hosts = zookeeper.hosts()}).value();
  // Texts longer than what a std::string holds in itself, made once: those that are passed by value are the caller's.
  const std::string path = "/a/path/that/is/longer/than/a/short/string";
  const std::string data = std::string(100, 'x');

  void SetUp() override {
    for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      ASSERT_TRUE(zk.create(path.substr(0, slash)));
    }
    ASSERT_TRUE(zk.create(path, data));
  }

  /// Eight in flight, until all have ended.
  template <typename Start>
  double pipelined(Start start) {
    constexpr int width = 8;
    std::atomic<int> left = 0;
    return of_each([&] {
             left = width;
             for (int i = 0; i < width; ++i)
               start([&left](const auto& answer) {
                 EXPECT_TRUE(answer);
                 if (--left == 0) left.notify_one();
               });
             for (int now = left; now != 0; now = left) left.wait(now);
           }) /
           width;
  }
};

// What the caller makes: the copy of the path, and the copy of the data where it is given. What the caller gets: the data.
constexpr double given_path = 1;
constexpr double given_data = 1;
constexpr double got_data = 1;
constexpr double ours = 1.1;  // the call itself; its place in a queue once in 32 times

TEST_F(allocations_of, async_get) {
  EXPECT_LE(pipelined([&](auto done) { zk.async_get(path, done); }), given_path + got_data + ours);
}

TEST_F(allocations_of, async_exists) {
  EXPECT_LE(pipelined([&](auto done) { zk.async_exists(path, done); }), given_path + ours);
}

TEST_F(allocations_of, async_set) {
  EXPECT_LE(pipelined([&](auto done) { zk.async_set(path, data, any_version, done); }), given_path + given_data + ours);
}

// A caller that waits needs a place to wait at, which the answer may outlive.
TEST_F(allocations_of, blocking_exists) {
  EXPECT_LE(of_each([&] { EXPECT_TRUE(zk.exists(path)); }), given_path + ours + 1);
}

}  // namespace
}  // namespace zkr::testing
