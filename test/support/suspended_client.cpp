#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/leader_election.hpp"

// suspended_client HOSTS SESSION_MS ELECTION_PATH
//
// A client in a process of its own, for tests that stop it: it leads, watches, has operations under way, and tells what
// it believes and when (CLOCK_BOOTTIME, ns). Lines that it takes:
//   slow   submits operations on /slow, blocking and not
//   check  asks held(), is stopped between that and the write which it guards, and writes
// It ends with its standard input.
namespace {

using namespace std::chrono_literals;
using zkr::boot_clock;

std::mutex printing;

template <typename... Parts>
void tell(std::string_view word, const Parts&... parts) {
  const std::scoped_lock lock(printing);
  std::cout << word;
  ((std::cout << ' ' << parts), ...);
  std::cout << std::endl;
}

long long ns(zkr::time_point at) { return std::chrono::nanoseconds(at.time_since_epoch()).count(); }

template <typename T>
std::string ending(const zkr::result<T>& of) {
  if (of) return "ok";
  const bool unknown = of.error().outcome() == zkr::outcome::unknown;
  return std::string(zkr::to_string(of.error().code())) + (unknown ? " unknown" : " not_applied");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto connected =
      zkr::client::connect({.hosts = argv[1], .session_timeout = std::chrono::milliseconds(std::atoi(argv[2]))});
  if (!connected) {
    std::cerr << connected.error().message() << '\n';
    return 1;
  }
  zkr::client client = *std::move(connected);
  const auto sessions = client.watch_session(
      [](const zkr::session_info& now) { tell("session", zkr::to_string(now.state), now.generation); });
  const auto data = client.watch("/data", [](const zkr::node_change& now) {
    tell("saw", now.node ? now.node->data : "nothing", ns(boot_clock::now()));
  });
  zkr::leader_election election(client, {.path = argv[3], .id = "suspended"});
  auto leading = election.campaign();
  if (!leading) {
    std::cerr << leading.error().message() << '\n';
    return 1;
  }
  const std::stop_callback lost(leading->lost(), [] { tell("lost", ns(boot_clock::now())); });

  // Looks again and again. A time is taken before each look: what it says held at some moment after that.
  std::jthread looks([&](const std::stop_token& stop) {
    auto before = boot_clock::now();
    auto valid_until = leading->valid_until();
    for (auto now = before; leading->held(); now = boot_clock::now()) {
      before = now;
      if (leading->held()) valid_until = std::max(valid_until, leading->valid_until());
      if (stop.stop_requested()) return;
      std::this_thread::sleep_for(500us);
    }
    const auto first_false = boot_clock::now();
    tell("last_held", ns(before));
    tell("valid_until", ns(valid_until));
    tell("not_held", ns(first_false));
  });
  tell("leads", leading->fencing_token(), leading->path());

  std::vector<std::jthread> waiting;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "slow") {
      client.async_set("/slow", "late", zkr::any_version, [](const auto& end) { tell("long_set", ending(end)); },
                       {.timeout = 60s});
      client.async_set("/slow", "late", zkr::any_version, [](const auto& end) { tell("short_set", ending(end)); },
                       {.timeout = 1s});
      client.async_get("/slow", [](const auto& end) { tell("short_get", ending(end)); }, {}, {.timeout = 1s});
      waiting.emplace_back(
          [&] { tell("blocking_set", ending(client.set("/slow", "late", zkr::any_version, {.timeout = 1s}))); });
    } else if (line == "check") {
      if (!leading->held()) {
        tell("guarded", "refused_locally");
        continue;
      }
      ::raise(SIGSTOP);
      auto write = zkr::transaction().only_while(*leading).set("/data", "stale");
      tell("held_after_stop", leading->held());
      tell("guarded", ending(client.commit(std::move(write), {.timeout = 10s})));
    }
  }
}
