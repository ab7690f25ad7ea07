#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/exit_status.hpp"
#include "cli/text.hpp"

namespace {

using namespace zkr::cli;

constexpr const char* footer =
    R"(Exit status: 0 done, 1 failed, 2 wrong usage; more for `elect` and `lock`, see their --help.
Durations are whole numbers with a unit: 500ms, 10s, 2m.

Examples:
  zkr server --port 2181                      a server, in memory, for this machine
  zkr create -p /app/greeting hello           creates /app and /app/greeting
  zkr get /app/greeting
  zkr --servers zk1,zk2,zk3/app tree /        everything below the chroot /app
  zkr elect /jobs/nightly -- backup --all     runs the command on one machine at a time
  zkr lock /jobs/convert -- convert --all     the same, with a lock)";

/// The index of the command's name: the first argument that is neither an option nor its value.
std::size_t command_index(const std::vector<std::string>& arguments) {
  constexpr std::array<std::string_view, 3> with_value{"--servers", "--session-timeout", "--timeout"};
  std::size_t at = 0;
  while (at < arguments.size() && arguments[at].starts_with("-")) {
    at += std::find(with_value.begin(), with_value.end(), arguments[at]) != with_value.end() ? 2 : 1;
  }
  return at;
}

/// Takes what stands behind `--` off, where the command runs it. The parser would look for names of our own in there.
std::vector<std::string> split_command(std::vector<std::string>& arguments) {
  const auto index = command_index(arguments);
  if (index >= arguments.size() || (arguments[index] != "elect" && arguments[index] != "lock")) return {};
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> command(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return command;
}

void add_common_options(CLI::App& app, connection_settings& with) {
  app.add_option("--servers", with.servers, "Servers: HOST[:PORT],...[/CHROOT] (default: 127.0.0.1:2181)")
      ->envname("ZKR_SERVERS")
      ->type_name("HOSTS");
  add_duration(
      app, "--session-timeout", [&with](zkr::duration span) { with.session_timeout = span; },
      "Asked of the server (default: 10s)");
  add_duration(
      app, "--timeout", [&with](zkr::duration span) { with.timeout = span; },
      "Longest wait for a connection, and for each answer (default: 15s); elect, lock: for the turn (default: none)");
  app.add_flag("-v,--verbose", with.verbose, "Says on standard error what happens inside");
}

int usage_error(const CLI::App& app, const CLI::ParseError& problem) {
  const auto chosen = app.get_subcommands();
  fmt::print(stderr, "zkr: {}; see zkr {}--help\n", printable(problem.what()),
             chosen.empty() ? "" : chosen.front()->get_name() + " ");
  return exit_status::usage;
}

}  // namespace

int main(int argc, char** argv) {
  command_line line;
  line.signals = inherited_signals::take_over();
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  line.command = split_command(arguments);
  const auto index = command_index(arguments);
  const auto chosen_word = index < arguments.size() ? arguments[index] : std::string();
  std::reverse(arguments.begin(), arguments.end());  // as the parser wants them

  CLI::App app("Apache ZooKeeper from the command line: elections, locks, nodes, and a server for development.", "zkr");
  app.set_version_flag("--version", "zkr " ZKRECIPES_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(footer);
  add_common_options(app, line.with);
  add_elect_command(app, line);
  add_lock_command(app, line);
  add_read_commands(app, line);
  add_write_commands(app, line);
  add_server_command(app, line);
  add_status_command(app, line);
  add_ensemble_command(app, line);
  add_data_command(app, line);

  bool known = chosen_word.empty();
  for (auto* command : app.get_subcommands({})) {
    known = known || command->get_name() == chosen_word;
    const auto own = command->get_footer();
    command->footer(own + (own.empty() ? "" : "\n\n") + "Options of all commands, --servers and others: zkr --help");
  }
  if (!known) {  // the parser would only say that a command is missing
    fmt::print(stderr, "zkr: there is no command '{}'; see zkr --help\n", printable(chosen_word));
    return exit_status::usage;
  }

  try {
    app.parse(arguments);
  } catch (const CLI::Success& wish) {  // --help, --version
    return app.exit(wish);
  } catch (const CLI::ParseError& problem) {
    return usage_error(app, problem);
  }
  return line.run();
}
