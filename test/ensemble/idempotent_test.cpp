#include "zkrecipes/idempotent.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/testing/apache_ensemble.hpp"

// Writes that are repeated, while the leader of three real servers is killed: nothing is there twice, nothing is lost.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

/// Jobs, each of which is created once, set twice, and then removed or kept; some at a time, without a pause.
class worker {
 public:
  worker(const std::string& hosts, std::string name)
      : zk_(client::connect({.hosts = hosts, .session_timeout = 10s, .operation_timeout = 30s}, {.timeout = 30s})
                .value()),
        name_(std::move(name)) {
    for (int i = 0; i < at_a_time; ++i) create();
  }

  [[nodiscard]] int done() const noexcept { return done_; }
  /// No more jobs; waits until all have ended.
  bool finish() {
    stopping_ = true;
    return eventually([&] { return under_way_ == 0; }, 60s);
  }
  /// Compares what was answered with what there is: names to nodes.
  void judge(const std::map<std::string, node>& there) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [job, why] : failed_) ADD_FAILURE() << job << ": " << why;
    std::map<std::string, int> times;
    for (const auto& [name, one] : there) {
      const auto job = job_of(name);
      if (job.rfind(name_ + '-', 0) == 0) ++times[job];
    }
    for (const auto& [job, count] : times) {
      EXPECT_EQ(count, 1) << job << " was created twice";
      EXPECT_TRUE(kept_.count(job) == 1) << job << " was removed, or never acknowledged";
    }
    for (const auto& job : kept_) EXPECT_EQ(times[job], 1) << job << " is lost";
    for (const auto& [name, one] : there) {
      if (kept_.count(job_of(name)) == 0) continue;
      EXPECT_EQ(one.stat.version, 2) << name << " was set twice, each time once";
      EXPECT_EQ(one.data, "second " + job_of(name));
    }
    std::printf("worker %s: %d jobs, %zu of them kept; lost connections: %llu\n", name_.c_str(), done_.load(),
                kept_.size(), static_cast<unsigned long long>(zk_.session().connection - 1));
  }

  static std::string job_of(const std::string& name) {
    constexpr std::size_t protection = std::string_view("_c_01234567-89ab-cdef-0123-456789abcdef-").size();
    return name.substr(protection, name.rfind('-') - protection);
  }

 private:
  static constexpr int at_a_time = 6;
  enum class end_of_a_job { kept, removed, removed_in_the_background };

  void create() {
    const int number = begun_++;
    ++under_way_;
    const auto job = fmt::format("{}-{}", name_, number);
    async_idempotent_create(zk_, "/jobs/" + job + "-", job, {.mode = create_mode::persistent_sequential},
                            [this, job, number](const result<created>& made) {
                              if (!made) return end(job, "create", made.error());
                              set(job, number, made->path, made->stat, "first " + job);
                            });
  }
  void set(const std::string& job, int number, const std::string& path, const stat_t& seen, const std::string& data) {
    async_idempotent_set(zk_, path, data, seen, [this, job, number, path](const result<stat_t>& now) {
      if (!now) return end(job, "set", now.error());
      if (now->version == 1) return set(job, number, path, *now, "second " + job);
      const auto how = static_cast<end_of_a_job>(number % 3);
      if (how == end_of_a_job::kept) {
        const std::scoped_lock lock(mutex_);
        kept_.insert(job);
      } else if (how == end_of_a_job::removed) {
        return async_idempotent_remove(zk_, path, *now, [this, job](const result<removal>& gone) {
          gone ? next() : end(job, "remove", gone.error());
        });
      } else {
        guaranteed_remove(zk_, path, *now);
      }
      next();
    });
  }
  void end(const std::string& job, const std::string& what, const error& why) {
    {
      const std::scoped_lock lock(mutex_);
      failed_.emplace_back(job, what + ": " + why.message());
    }
    next();
  }
  void next() {
    ++done_;
    if (!stopping_) create();
    --under_way_;
  }

  std::atomic<int> begun_{0};
  std::atomic<int> done_{0};
  std::atomic<int> under_way_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::set<std::string> kept_;  // guarded by mutex_, as the next
  std::vector<std::pair<std::string, std::string>> failed_;
  client zk_;  // closed before what its handlers use
  const std::string name_;
};

TEST(ensemble_repeated_writes, while_the_leader_is_killed_are_done_once) {
  auto servers = apache_ensemble::start({.tick_time = 200ms}).value();
  auto reader = client::connect({.hosts = servers.connect_string(), .session_timeout = 4s}, {.timeout = 30s}).value();
  (void)reader.create("/jobs").value();
  std::vector<std::unique_ptr<worker>> workers;
  for (const char* name : {"a", "b", "c"}) {
    workers.push_back(std::make_unique<worker>(servers.connect_string(), name));
  }
  const auto go_on = [&](int jobs) {
    for (const auto& one : workers) {
      const int before = one->done();
      ASSERT_TRUE(eventually([&] { return one->done() >= before + jobs; }, 60s));
    }
  };
  go_on(30);
  for (int round = 0; round < 2; ++round) {
    const auto first = servers.leader().value();
    servers.kill(first);
    go_on(30);
    ASSERT_TRUE(servers.restart(first));
    ASSERT_TRUE(servers.wait_until_serving());
  }
  for (const auto& one : workers) ASSERT_TRUE(one->finish());

  // What goes in the background may take a moment more: of every third job nothing else is left.
  std::map<std::string, node> there;
  EXPECT_TRUE(eventually([&] {
    there.clear();
    if (!reader.sync("/jobs")) return false;
    const auto names = reader.children("/jobs").value().names;
    for (const auto& name : names) {
      auto one = reader.get("/jobs/" + name);
      if (one) there.emplace(name, *std::move(one));
    }
    return std::all_of(there.begin(), there.end(), [](const auto& each) {
      const auto job = worker::job_of(each.first);
      return std::stoi(job.substr(job.find('-') + 1)) % 3 == 0;
    });
  }));
  for (const auto& one : workers) one->judge(there);
}

}  // namespace
}  // namespace zkr::testing
