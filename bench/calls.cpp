// What a request costs in the client: what bench/client measures.
//
//   calls --port P --client zkrecipes|bare --form FORM --in-flight N ...     reads / for some seconds; a line of JSON
//   calls --port P --client zkrecipes|bare --idle N --seconds S              N clients that do nothing; a line of JSON
//
// `bare` calls libzookeeper-mt and nothing else. The forms, of both clients:
//
//   blocking   one read after the other on the calling thread; `bare` waits with a mutex and a condition variable
//   zoo_get    (bare only) the same by the library's own blocking call
//   pipelined  N in flight, each sent by the completion of another
//   batches    N in flight, sent by the main thread N/2 at a time

#include <fmt/format.h>
#include <sys/resource.h>
#include <zookeeper/zookeeper.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "zkrecipes/client.hpp"

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::nanoseconds;

struct settings {
  std::uint16_t port = 0;
  std::string client = "zkrecipes";
  std::string form = "blocking";
  std::size_t in_flight = 1;
  std::size_t idle = 0;
  double warm_s = 0.1;
  double seconds = 0.5;
  bool resolve_always = false;
};

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "{}\n", what);
  std::_Exit(1);
}

/// A gate for one waiting thread: a mutex and a condition variable, as a program on the bare library would have them.
class signal {
 public:
  void set() {
    const std::scoped_lock lock(mutex_);
    set_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
    set_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// ---- the two clients ------------------------------------------------------------------------------------------------

/// Told of each answer, on a thread of the client.
struct listener {
  virtual ~listener() = default;
  virtual void answered(std::size_t slot) = 0;
};

/// libzookeeper-mt, and as little else as its calls allow.
class bare {
 public:
  explicit bare(const settings& asked) {
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zh_ = zookeeper_init(fmt::format("127.0.0.1:{}", asked.port).c_str(), on_session, 30'000, nullptr, this, 0);
    if (zh_ == nullptr) fail("zookeeper_init");
    if (!asked.resolve_always) zoo_set_servers_resolution_delay(zh_, -1);
    connected_.wait();
  }
  ~bare() { zookeeper_close(zh_); }
  bare(const bare&) = delete;
  bare& operator=(const bare&) = delete;

  void start(listener& to, std::size_t slot) {
    auto* const what = new pending{&to, slot};
    if (zoo_aget(zh_, "/", 0, on_read, what) != ZOK) fail("zoo_aget");
  }
  void blocking_read() {
    struct : listener {
      void answered(std::size_t) override { done.set(); }
      signal done;
    } one;
    start(one, 0);
    one.done.wait();
  }
  void zoo_read() {
    char data[64];
    int length = sizeof data;
    if (zoo_get(zh_, "/", 0, data, &length, nullptr) != ZOK) fail("zoo_get");
  }

 private:
  struct pending {
    listener* to;
    std::size_t slot;
  };
  static void on_session(zhandle_t*, int, int state, const char*, void* self) {
    if (state == ZOO_CONNECTED_STATE) static_cast<bare*>(self)->connected_.set();
  }
  static void on_read(int rc, const char*, int, const Stat*, const void* data) {
    if (rc != ZOK) fail("a read failed");
    const std::unique_ptr<const pending> what(static_cast<const pending*>(data));
    what->to->answered(what->slot);
  }

  zhandle_t* zh_ = nullptr;
  signal connected_;
};

class ours {
 public:
  explicit ours(const settings& asked)
      : zk_(zkr::client::connect(
                {.hosts = fmt::format("127.0.0.1:{}", asked.port), .session_timeout = std::chrono::seconds(30)})
                .value()) {}

  void start(listener& to, std::size_t slot) {
    zk_.async_get("/", [&to, slot](const zkr::result<zkr::node>& answer) {
      if (!answer) fail("a read failed");
      to.answered(slot);
    });
  }
  void blocking_read() {
    if (!zk_.get("/")) fail("a read failed");
  }
  [[noreturn]] static void zoo_read() { fail("zkrecipes has no zoo_get"); }

 private:
  zkr::client zk_;
};

// ---- what is measured -----------------------------------------------------------------------------------------------

nanoseconds cpu_of_this_process() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

/// Counts what falls between the end of the warming and the end of the run. Used by one thread at a time.
class measurement {
 public:
  explicit measurement(const settings& asked)
      : from_(steady::now() + of(asked.warm_s)), until_(from_ + of(asked.seconds)) {
    latencies_.reserve(1U << 20U);
  }
  /// @return false when the run is over.
  bool answered(steady::time_point sent, steady::time_point now) {
    if (now < from_) return true;
    if (latencies_.empty()) {
      began_ = now;
      cpu_before_ = cpu_of_this_process();
    }
    latencies_.push_back(std::chrono::duration<float, std::micro>(now - sent).count());
    if (now < until_) return true;
    if (cpu_after_ == nanoseconds()) {
      ended_ = now;
      cpu_after_ = cpu_of_this_process();
      counted_ = latencies_.size();
    }
    return false;
  }
  void print() {
    std::sort(latencies_.begin(), latencies_.end());
    const auto count = static_cast<double>(counted_);
    fmt::print("{{\"operations\": {}, \"per_second\": {:.0f}, \"cpu_us\": {:.4f}, \"p50_us\": {:.1f}}}\n", counted_,
               count / std::chrono::duration<double>(ended_ - began_).count(),
               std::chrono::duration<double, std::micro>(cpu_after_ - cpu_before_).count() / count,
               latencies_[latencies_.size() / 2]);
  }

 private:
  static steady::duration of(double seconds) {
    return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
  }
  steady::time_point from_;
  steady::time_point until_;
  steady::time_point began_;
  steady::time_point ended_;
  nanoseconds cpu_before_{};
  nanoseconds cpu_after_{};
  std::size_t counted_ = 0;
  std::vector<float> latencies_;
};

template <typename Read>
void one_by_one(const settings& asked, Read read) {
  measurement counted(asked);
  steady::time_point before;
  do {
    before = steady::now();
    read();
  } while (counted.answered(before, steady::now()));
  counted.print();
}

/// A number of reads in flight, each sent by the completion of another.
template <typename Client>
class pipeline final : listener {
 public:
  pipeline(Client& client, const settings& asked) : client_(client), counted_(asked), sent_(asked.in_flight) {}
  void run() {
    left_ = sent_.size();
    for (std::size_t slot = 0; slot < sent_.size(); ++slot) send(slot);
    ended_.wait();
    counted_.print();
  }

 private:
  void send(std::size_t slot) {
    sent_[slot] = steady::now();
    client_.start(*this, slot);
  }
  void answered(std::size_t slot) override {
    if (counted_.answered(sent_[slot], steady::now())) return send(slot);
    if (--left_ == 0) ended_.set();
  }

  Client& client_;
  measurement counted_;
  std::vector<steady::time_point> sent_;
  std::atomic<std::size_t> left_ = 0;
  signal ended_;
};

/// The same, but the main thread sends, half of them at a time.
template <typename Client>
class batches final : listener {
 public:
  batches(Client& client, const settings& asked) : client_(client), counted_(asked), sent_(asked.in_flight) {}
  void run() {
    std::size_t next = 0;
    const std::size_t half = std::max<std::size_t>(sent_.size() / 2, 1);
    for (bool going = true; going;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return in_flight_ + half <= sent_.size(); });
        in_flight_ += half;
        going = going_;
      }
      for (std::size_t i = 0; i < half; ++i, next = (next + 1) % sent_.size()) {
        sent_[next] = steady::now();
        client_.start(*this, next);
      }
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ == 0; });
    counted_.print();
  }

 private:
  void answered(std::size_t slot) override {
    const bool going = counted_.answered(sent_[slot], steady::now());
    const std::scoped_lock lock(mutex_);
    going_ = going;
    const std::size_t half = std::max<std::size_t>(sent_.size() / 2, 1);
    --in_flight_;
    if (in_flight_ + half == sent_.size() || in_flight_ == 0) changed_.notify_one();
  }

  Client& client_;
  measurement counted_;
  std::vector<steady::time_point> sent_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t in_flight_ = 0;
  bool going_ = true;
};

/// A figure of /proc/self/status, summed over all threads where `of_each`.
struct idle_cost {
  std::size_t threads = 0;
  std::size_t resident_kb = 0;
  std::size_t wake_ups = 0;
};

idle_cost cost_now() {
  idle_cost now;
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);  // of all threads, those that have ended too
  now.wake_ups = static_cast<std::size_t>(used.ru_nvcsw);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") status >> now.resident_kb;
    if (word == "Threads:") status >> now.threads;
  }
  return now;
}

template <typename Client>
void idle(const settings& asked) {
  const auto before = cost_now();
  std::vector<std::unique_ptr<Client>> all;
  for (std::size_t i = 0; i < asked.idle; ++i) all.push_back(std::make_unique<Client>(asked));
  std::this_thread::sleep_for(std::chrono::duration<double>(asked.warm_s));
  const auto began = cost_now();
  const auto cpu = cpu_of_this_process();
  std::this_thread::sleep_for(std::chrono::duration<double>(asked.seconds));
  const auto spent = cpu_of_this_process() - cpu;
  const auto ended = cost_now();
  fmt::print("{{\"threads\": {}, \"resident_kb\": {}, \"wake_ups\": {:.2f}, \"cpu_us\": {:.1f}}}\n",
             ended.threads - before.threads,
             static_cast<long>(ended.resident_kb) - static_cast<long>(before.resident_kb),
             static_cast<double>(ended.wake_ups - began.wake_ups - 1) / asked.seconds,
             std::chrono::duration<double, std::micro>(spent).count() / asked.seconds);
}

template <typename Client>
void run(const settings& asked) {
  if (asked.idle > 0) return idle<Client>(asked);
  Client client(asked);
  if (asked.form == "blocking") return one_by_one(asked, [&] { client.blocking_read(); });
  if (asked.form == "zoo_get") return one_by_one(asked, [&] { client.zoo_read(); });
  if (asked.form == "pipelined") return pipeline<Client>(client, asked).run();
  batches<Client>(client, asked).run();
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("What a request costs in the client", "calls");
  settings asked;
  app.add_option("--port", asked.port)->required();
  app.add_option("--client", asked.client)->check(CLI::IsMember({"zkrecipes", "bare"}));
  app.add_option("--form", asked.form)->check(CLI::IsMember({"blocking", "zoo_get", "pipelined", "batches"}));
  app.add_option("--in-flight", asked.in_flight)->check(CLI::PositiveNumber);
  app.add_option("--idle", asked.idle, "so many clients, that do nothing");
  app.add_option("--warm", asked.warm_s, "seconds before the measurement");
  app.add_option("--seconds", asked.seconds);
  app.add_flag("--resolve-always", asked.resolve_always, "bare: as the library does by default");
  CLI11_PARSE(app, count, words);
  if (asked.client == "bare") {
    run<bare>(asked);
  } else {
    run<ours>(asked);
  }
  return 0;
}
