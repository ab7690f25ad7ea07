// A client that costs little: what bench/server and bench/server-load measure servers with.
//
//   load fill  --port P --nodes N --bytes B           makes /bench and N nodes below it
//   load run   --port P --pid SERVER ...              requests for some seconds; prints one line of JSON
//   load sync  --folder F --bytes B --seconds S       appends to a file and syncs it, again and again; the same
//
// `run` keeps a fixed number of requests in flight on each connection. With --every it sends one at each multiple of
// that time instead (until SIGTERM, if that comes first), whether the last one was answered or not; latencies count from that moment, so that a server that
// stands still is charged for all requests that it kept waiting.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "client.hpp"

namespace {

using namespace zkr;
using bench::check;
using bench::client;
using bench::fail;
using steady = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

/// What a run is asked to do.
struct settings {
  std::uint16_t port = 0;
  int pid = 0;
  std::string operation = "get";
  std::size_t connections = 1;
  std::size_t in_flight = 1;
  std::size_t nodes = 1;
  std::size_t bytes = 100;
  double warm_s = 0.2;
  double seconds = 0.6;
  std::int64_t every_us = 0;
  std::string folder = ".";
};

std::string node_path(std::size_t which) { return fmt::format("/bench/node-{:06}", which); }

/// CPU time of a process, of all its threads together.
nanoseconds cpu_of(int pid) {
  if (pid == 0) return {};
  clockid_t clock = 0;
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) fail("CPU time of the server");
  return std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

// ---- fill -----------------------------------------------------------------------------------------------------------

int fill(const settings& asked) {
  client to(asked.port);
  const std::string data(asked.bytes, 'x');
  const auto create = [&](std::string_view path, std::string_view with) {
    to.add(wire::create_request{wire::opcode::create, path, with, open_acl(), 0});
  };
  create("/bench", "");
  std::size_t sent = 1;
  std::size_t answered = 0;
  to.flush();
  while (answered < asked.nodes + 1) {
    to.receive([&](std::string_view reply) {
      check(reply, errc::node_exists);
      ++answered;
    });
    for (; sent < asked.nodes + 1 && sent - answered < 256; ++sent) create(node_path(sent - 1), data);
    to.flush();
  }
  return 0;
}

// ---- run ------------------------------------------------------------------------------------------------------------

/// Makes the requests of a run, one like the other but for the node.
class request_maker {
 public:
  explicit request_maker(const settings& asked) : set_(asked.operation == "set"), data_(asked.bytes, 'y') {
    for (std::size_t i = 0; i < asked.nodes; ++i) paths_.push_back(node_path(i));
  }
  void add_to(client& to) {
    const std::string& path = paths_[random_() % paths_.size()];
    if (set_) {
      to.add(wire::set_data_request{path, data_, -1});
    } else {
      to.add(wire::get_data_request{path, false});
    }
  }

 private:
  bool set_;
  std::string data_;
  std::vector<std::string> paths_;
  std::minstd_rand random_;  // the same requests in every run, for both servers
};

/// Counts what falls between the end of the warming and the end of the run.
class measurement {
 public:
  explicit measurement(const settings& asked)
      : pid_(asked.pid), from_(steady::now() + to_duration(asked.warm_s)), until_(from_ + to_duration(asked.seconds)) {}

  /// @return false when the run is over.
  bool answered(steady::time_point sent, steady::time_point now) {
    if (now < from_) return true;
    if (operations_ == 0) begin(now);
    ++operations_;
    latencies_.push_back(static_cast<float>(std::chrono::duration<double, std::micro>(now - sent).count()));
    const auto second = static_cast<std::size_t>(std::max(0.0, std::chrono::duration<double>(sent - began_).count()));
    if (seconds_.size() <= second) seconds_.resize(second + 1);
    seconds_[second] = latencies_.size();
    last_ = now;
    return now < until_;
  }
  [[nodiscard]] bool is_over(steady::time_point now) const noexcept { return now >= until_; }

  void print() {
    const nanoseconds cpu = cpu_of(pid_) - cpu_before_;
    if (operations_ < 2) {
      errno = 0;
      fail("the server answered nothing");
    }
    const float worst_us = worst_second();
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double part) { return part_of(latencies_, part); };
    const double elapsed_s = std::chrono::duration<double>(last_ - began_).count();
    fmt::print(
        "{{\"operations\": {}, \"seconds\": {:.6f}, \"per_second\": {:.0f}, \"cpu_us\": {:.4f}, "
        "\"p50_us\": {:.1f}, \"p99_us\": {:.1f}, \"max_us\": {:.1f}, \"worst_second_p99_us\": {:.1f}}}\n",
        operations_, elapsed_s, static_cast<double>(operations_) / elapsed_s,
        std::chrono::duration<double, std::micro>(cpu).count() / static_cast<double>(operations_), at(0.5), at(0.99),
        latencies_.back(), worst_us);
  }

 private:
  static float part_of(const std::vector<float>& sorted, double part) {
    return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
  }
  /// The largest of the 99th percentiles of each second. Latencies stand in the order of sending.
  [[nodiscard]] float worst_second() const {
    float worst = 0;
    std::size_t from = 0;
    for (const std::size_t until : seconds_) {
      if (until <= from) continue;
      std::vector<float> one(latencies_.begin() + static_cast<std::ptrdiff_t>(from),
                             latencies_.begin() + static_cast<std::ptrdiff_t>(until));
      std::sort(one.begin(), one.end());
      worst = std::max(worst, part_of(one, 0.99));
      from = until;
    }
    return worst;
  }

  static steady::duration to_duration(double seconds) {
    return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
  }
  void begin(steady::time_point now) {
    began_ = now;
    cpu_before_ = cpu_of(pid_);
  }

  int pid_;
  steady::time_point from_;
  steady::time_point until_;
  steady::time_point began_;
  steady::time_point last_;
  nanoseconds cpu_before_{};
  std::uint64_t operations_ = 0;
  std::vector<float> latencies_;
  std::vector<std::size_t> seconds_;  ///< Where each second ends in `latencies_`.
};

/// A connection of a run, with the times at which its unanswered requests were sent, in order.
struct lane {
  explicit lane(std::uint16_t port) : to(port) {}
  client to;
  std::deque<steady::time_point> sent;
};

int run(const settings& asked) {
  request_maker requests(asked);
  std::vector<std::unique_ptr<lane>> lanes;
  const int events = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < asked.connections; ++i) {
    lanes.push_back(std::make_unique<lane>(asked.port));
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.ptr = lanes.back().get();
    ::epoll_ctl(events, EPOLL_CTL_ADD, lanes.back()->to.socket(), &interest);
  }
  measurement counted(asked);
  const auto send = [&](lane& on, std::size_t count) {
    const auto now = steady::now();
    for (std::size_t i = 0; i < count; ++i) {
      requests.add_to(on.to);
      on.sent.push_back(now);
    }
    on.to.flush();
  };
  for (const auto& one : lanes) send(*one, asked.in_flight);
  epoll_event ready[64];
  bool going = true;
  while (going) {
    // One connection: its socket is waited for where it is read.
    const int count = lanes.size() == 1 ? 1 : ::epoll_wait(events, ready, 64, -1);
    for (int i = 0; i < count; ++i) {
      lane& on = lanes.size() == 1 ? *lanes.front() : *static_cast<lane*>(ready[i].data.ptr);
      steady::time_point now{};
      std::size_t answered = 0;
      on.to.receive([&](std::string_view reply) {
        if (answered == 0) now = steady::now();
        check(reply);
        going = counted.answered(on.sent.front(), now) && going;
        on.sent.pop_front();
        ++answered;
      });
      if (going) send(on, answered);
    }
  }
  counted.print();
  return 0;
}

volatile std::sig_atomic_t stopped = 0;

int run_paced(const settings& asked) {
  struct sigaction stop {};
  stop.sa_handler = [](int) { stopped = 1; };
  ::sigaction(SIGTERM, &stop, nullptr);
  request_maker requests(asked);
  lane one(asked.port);
  measurement counted(asked);
  const microseconds every(asked.every_us);
  auto next = steady::now();
  const auto is_over = [&] { return counted.is_over(next) || stopped != 0; };
  while (!is_over() || !one.sent.empty()) {
    const auto now = steady::now();
    for (; next <= now && !is_over(); next += every) {
      requests.add_to(one.to);
      one.sent.push_back(next);
    }
    one.to.flush();
    pollfd readable{one.to.socket(), POLLIN, 0};
    const auto left = std::chrono::duration_cast<nanoseconds>(std::max(next - steady::now(), steady::duration()));
    const timespec wait{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    if (::ppoll(&readable, 1, is_over() ? nullptr : &wait, nullptr) <= 0) continue;
    one.to.receive([&](std::string_view reply) {
      check(reply);
      counted.answered(one.sent.front(), steady::now());
      one.sent.pop_front();
    });
  }
  counted.print();
  return 0;
}

// ---- sync -----------------------------------------------------------------------------------------------------------

int sync_file(const settings& asked) {
  const std::string path = asked.folder + "/zkr-bench-sync";
  const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) fail(path);
  const std::string entry(asked.bytes, 'z');
  measurement counted(asked);
  steady::time_point before;
  off_t at = 0;
  do {
    before = steady::now();
    if (::pwrite(file, entry.data(), entry.size(), at) < 0 || ::fdatasync(file) != 0) fail("fdatasync");
    at += static_cast<off_t>(entry.size());
  } while (counted.answered(before, steady::now()));
  ::close(file);
  ::unlink(path.c_str());
  counted.print();
  return 0;
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("A client that costs little, to measure servers with", "load");
  app.require_subcommand(1);
  settings asked;
  const auto command = [&](const char* name, int (*does)(const settings&)) {
    CLI::App* made = app.add_subcommand(name);
    made->add_option("--port", asked.port);
    made->add_option("--pid", asked.pid, "whose CPU time is measured");
    made->add_option("--operation", asked.operation)->check(CLI::IsMember({"get", "set"}));
    made->add_option("--connections", asked.connections);
    made->add_option("--in-flight", asked.in_flight, "on each connection");
    made->add_option("--nodes", asked.nodes, "taken at random");
    made->add_option("--bytes", asked.bytes, "data of a node");
    made->add_option("--warm", asked.warm_s, "seconds before the measurement");
    made->add_option("--seconds", asked.seconds);
    made->add_option("--every", asked.every_us, "microseconds from one request to the next");
    made->add_option("--folder", asked.folder);
    made->callback([&asked, does] { std::exit(does(asked)); });
  };
  command("fill", fill);
  command("run", [](const settings& what) { return what.every_us > 0 ? run_paced(what) : run(what); });
  command("sync", sync_file);
  CLI11_PARSE(app, count, words);
}
