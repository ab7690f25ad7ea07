#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::cli {
namespace {

constexpr const char* footer =
    R"(Prints "listening on ADDRESS:PORT" and serves until SIGTERM or SIGINT. Nothing survives its end, unless
--data names a folder: then everything does, in the formats of Apache ZooKeeper.

Examples:
  zkr server --port 0                 on a free port
  zkr server --data /var/lib/zk       durable; what was acknowledged is never lost
  zkr server --tick-time 200ms        short sessions, for tests)";

int serve(server_options options) {
  // Blocked before the server starts its thread, so that they come to us.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  options.on_failure = [](const error& why) {
    fmt::print(stderr, "zkr: server: {}\n", printable(why.message()));
    ::kill(::getpid(), SIGTERM);
  };
  auto started = server::start(options);
  if (!started) {
    const bool listening = started.error().operation() == "listen";
    fmt::print(stderr, "zkr: server: {}{}\n", printable(started.error().message()),
               listening ? "; see --port and --address" : "");
    return exit_status::failure;
  }
  for (const std::string& note : started->recovery().notes) {
    fmt::print(stderr, "zkr: server: {}\n", printable(note));
  }
  const auto printed = print_raw(fmt::format("listening on {}\n", started->connect_string()));
  if (printed != exit_status::ok) return printed;
  int signal = 0;
  sigwait(&ends, &signal);
  started->stop();
  return started->failure() ? exit_status::failure : exit_status::ok;
}

}  // namespace

void add_server_command(CLI::App& app, command_line& line) {
  auto* command = app.add_subcommand("server", "A ZooKeeper server, for development, tests and small set-ups");
  const auto options = std::make_shared<server_options>();
  options->port = 2181;
  command->add_option("--port", options->port, "0: a free one (default: 2181)")
      ->check(CLI::Range(0, 65535))
      ->type_name("N");
  command->add_option("--address", options->address, "Numeric address to listen on (default: 127.0.0.1)")
      ->type_name("ADDRESS");
  command->add_option("--data", options->data_dir, "Folder for the data (default: none is kept)")->type_name("DIR");
  command->add_option("--data-log", options->data_log_dir, "Folder for the transaction logs (default: that of --data)")
      ->type_name("DIR")
      ->needs("--data");
  command->add_option("--snap-count", options->snap_count, "Transactions from snapshot to snapshot (default: 100000)")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_option("--snapshots-kept", options->snapshots_kept, "Older ones are removed (default: 3)")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  using std::chrono::milliseconds;
  const auto whole = [](duration span) { return std::chrono::duration_cast<milliseconds>(span); };
  const CLI::Validator whole_only(
      [](const std::string& text) {
        return parse_duration(text).value_or(duration()) % milliseconds(1) == duration::zero()
                   ? std::string()
                   : std::string("must be whole milliseconds");
      },
      "");
  add_duration(
      *command, "--tick-time", [=](duration span) { options->tick_time = whole(span); },
      "Unit of session time-outs (default: 2s)")
      ->check(whole_only);
  add_duration(
      *command, "--min-session-timeout", [=](duration span) { options->min_session_timeout = whole(span); },
      "Least that clients get (default: 2 ticks)")
      ->check(whole_only);
  add_duration(
      *command, "--max-session-timeout", [=](duration span) { options->max_session_timeout = whole(span); },
      "Most that clients get (default: 20 ticks)")
      ->check(whole_only);
  command->footer(footer);
  command->callback([&line, options] { line.run = [options] { return serve(*options); }; });
}

}  // namespace zkr::cli
