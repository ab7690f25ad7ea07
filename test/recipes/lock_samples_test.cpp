#include <gtest/gtest.h>

#include <iostream>
#include <sstream>

#include "zkrecipes/recipes/mutex.hpp"
#include "zkrecipes/recipes/shared_mutex.hpp"
#include "zkrecipes/server.hpp"

// The samples of docs/mutex.md and docs/shared_mutex.md: what stands between "// sample x" and "// end". samples_test.py compares them.
namespace {

using namespace std::chrono_literals;

struct LockSamples : ::testing::Test {
  zkr::server server = zkr::server::start({.tick_time = 50ms}).value();
  zkr::client client = zkr::client::connect({.hosts = server.connect_string(), .session_timeout = 1s}).value();
};

TEST_F(LockSamples, lock) {
  int files = 0;
  const auto convert_next_file = [&](zkr::duration) { return ++files < 3; };

  // sample lock
  zkr::mutex mutex(client, {.path = "/app/convert", .id = "host-1"});

  auto lock = mutex.acquire({.timeout = 1min});
  if (!lock) {
    std::cerr << "no lock: " << lock.error().message() << '\n';
  } else {
    while (lock->held() && convert_next_file(lock->remaining())) {
    }
    if (auto verdict = lock->release({}); !verdict) std::cerr << "lost it: " << verdict.error().message() << '\n';
  }
  // end
  EXPECT_EQ(files, 3);
}

TEST_F(LockSamples, only_while) {
  ASSERT_TRUE(client.create("/index"));
  zkr::mutex mutex(client, {.path = "/app/convert", .id = "host-1"});
  auto lock = mutex.acquire().value();

  // sample only_while
  zkr::transaction write;
  write.only_while(lock).set("/index", "42");
  auto written = client.commit(std::move(write));
  if (!written && written.error().code() == zkr::errc::ownership_lost) {
    std::cerr << "the lock is lost, nothing was written\n";
  }
  // end
  EXPECT_TRUE(written);
}

TEST_F(LockSamples, tries) {
  zkr::mutex mutex(client, {.path = "/app/convert", .id = "host-1"});
  const auto other = mutex.acquire().value();
  bool skipped = false;

  // sample try
  auto lock = mutex.try_acquire();
  if (lock && !*lock) {
    skipped = true;  // somebody else has it
  }
  // end
  EXPECT_TRUE(skipped);
}

TEST_F(LockSamples, shared) {
  int reads = 0;
  int writes = 0;
  const auto read_index = [&] { ++reads; };
  const auto write_index = [&] { ++writes; };

  // sample shared
  zkr::shared_mutex mutex(client, {.path = "/app/index-lock", .id = "host-1"});

  if (auto lock = mutex.acquire_shared({.timeout = 10s}); lock && lock->held()) {
    read_index();  // others may read too
  }
  if (auto lock = mutex.acquire({.timeout = 10s}); lock && lock->held()) {
    write_index();  // nobody else reads or writes
  }
  // end
  EXPECT_EQ(reads + writes, 2);
}

TEST_F(LockSamples, contenders) {
  zkr::mutex mutex(client, {.path = "/app/convert", .id = "host-1"});
  const auto lock = mutex.acquire().value();
  std::ostringstream out;

  // sample contenders
  auto contenders = mutex.contenders();
  if (!contenders) {
    out << contenders.error().message() << '\n';
  } else {
    for (const auto& one : *contenders) out << one.id << (one.holds ? " holds\n" : " waits\n");
  }
  // end
  EXPECT_EQ(out.str(), "host-1 holds\n");
}

}  // namespace
