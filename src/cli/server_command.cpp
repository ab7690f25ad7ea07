#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <memory>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/fault_port.hpp"
#include "cli/stat_text.hpp"
#include "cli/text.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::cli {
namespace {

constexpr const char* footer =
    R"(Prints "listening on ADDRESS:PORT" and serves until SIGTERM or SIGINT. Nothing survives its end.

Examples:
  zkr server --port 0                 on a free port
  zkr server --tick-time 200ms        short sessions, for tests)";

int serve(const server_options& options, bool with_faults) {
  // Blocked before the server starts its thread, so that they come to us.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  auto started = server::start(options);
  if (!started) {
    fmt::print(stderr, "zkr: server: {}; see --port and --address\n", printable(started.error().message()));
    return exit_status::failure;
  }
  std::string says = fmt::format("listening on {}\n", started->connect_string());
  std::optional<fault_port> faults;
  if (with_faults) {
    auto opened = fault_port::open(*started);
    if (!opened) {
      fmt::print(stderr, "zkr: server: {}\n", printable(opened.error().message()));
      return exit_status::failure;
    }
    faults = *std::move(opened);
    says += fmt::format("faults on http://127.0.0.1:{} token {}\n", faults->port(), faults->token());
  }
  const auto printed = print_raw(says);
  if (printed != exit_status::ok) return printed;
  int signal = 0;
  sigwait(&ends, &signal);
  faults.reset();
  started->stop();
  return exit_status::ok;
}

}  // namespace

void add_server_command(CLI::App& app, command_line& line) {
  auto* command = app.add_subcommand("server", "A ZooKeeper server in memory, for development and tests");
  const auto options = std::make_shared<server_options>();
  options->port = 2181;
  command->add_option("--port", options->port, "0: a free one (default: 2181)")
      ->check(CLI::Range(0, 65535))
      ->type_name("N");
  command->add_option("--address", options->address, "Numeric address to listen on (default: 127.0.0.1)")
      ->type_name("ADDRESS");
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
  const auto with_faults = std::make_shared<bool>(false);
  command->add_flag("--faults", *with_faults, "Also take faults, by HTTP on a loopback port, with the token printed");
  command->footer(footer);
  command->callback(
      [&line, options, with_faults] { line.run = [options, with_faults] { return serve(*options, *with_faults); }; });
}

}  // namespace zkr::cli
