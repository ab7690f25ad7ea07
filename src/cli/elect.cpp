#include "cli/elect.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string_view>

#include "cli/elect_loop.hpp"
#include "cli/exit_status.hpp"
#include "cli/text.hpp"

namespace zkr::cli {
namespace {

/// Whether the command can be run, by the rules of execvp. Said now rather than after a candidacy of hours.
int look_for(const std::string& program) {
  int problem = ENOENT;
  const auto runs = [&problem](const std::string& file) {
    if (access(file.c_str(), X_OK) == 0) return true;
    if (errno != ENOENT && errno != ENOTDIR) problem = errno;
    return false;
  };
  if (program.find('/') != std::string::npos) {
    if (runs(program)) return exit_status::ok;
  } else {
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/bin:/usr/bin";
    for (;;) {
      const auto colon = rest.find(':');
      const auto folder = rest.substr(0, colon);
      if (runs(folder.empty() ? program : fmt::format("{}/{}", folder, program))) return exit_status::ok;
      if (colon == std::string_view::npos) break;
      rest.remove_prefix(colon + 1);
    }
  }
  fmt::print(stderr, "zkr: cannot run the command: {}: {}\n", printable(program), strerrordesc_np(problem));
  return problem == ENOENT ? exit_status::no_such_command : exit_status::cannot_run;
}

}  // namespace

int run_elect(const connection_settings& with, const elect_settings& what, const inherited_signals& signals) {
  if (what.command.empty()) return elect_loop(with, what, nullptr).run();
  if (const int problem = look_for(what.command.front()); problem != exit_status::ok) return problem;
  auto guards = guardian::start(what.command, signals);  // before the library starts threads and opens sockets
  if (!guards) return complain(guards.error());
  return elect_loop(with, what, &*guards).run();
}

int run_observe(const connection_settings& with, const elect_settings& what, election_kind kind) {
  struct sight {
    leader_change change;
    time_point at;
  };
  // Left to the library's threads, the output could not end this loop when it fails.
  const wakeup wake;
  std::mutex mutex;
  std::deque<sight> seen;

  signal_source signals({SIGTERM, SIGINT, SIGHUP, SIGQUIT});
  std::stop_source give_up;
  announcer says(what.events ? announcer::style::events : announcer::style::people, announcer::output::standard,
                 what.contest, what.path, {});
  std::optional<background_connect> connecting;
  connecting.emplace(make_client_options(with),
                     call_options{.timeout = with.timeout.value_or(default_timeout), .stop = give_up.get_token()},
                     wake);
  client connected;
  std::optional<any_election> election;
  subscription watching;

  for (;;) {
    pollfd polled[] = {{signals.fd(), POLLIN, 0}, {wake.fd(), POLLIN, 0}};
    poll(polled, 2, -1);
    wake.clear();
    if (signals.read()) {
      give_up.request_stop();
      return exit_status::ok;
    }
    if (connecting) {
      auto end = connecting->take();
      if (end) {
        connecting.reset();
        if (!*end) return complain_about_connecting(end->error(), with);
        connected = std::move(**end);
        election.emplace(connected, kind, what.path, std::string());
        watching = election->observe([&](const leader_change& change) {
          {
            const std::scoped_lock lock(mutex);
            seen.push_back({change, boot_clock::now()});
          }
          wake.set();
        });
      }
    }
    for (;;) {
      std::optional<sight> next;
      {
        const std::scoped_lock lock(mutex);
        if (seen.empty()) break;
        next = std::move(seen.front());
        seen.pop_front();
      }
      if (next->change.problem) return complain(*next->change.problem);
      says.leads(next->change.leader, next->at);
      if (!says.works()) return exit_status::failure;
    }
  }
}

}  // namespace zkr::cli
