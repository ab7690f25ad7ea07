#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "cli/command_line.hpp"
#include "cli/elect.hpp"
#include "cli/exit_status.hpp"

namespace zkr::cli {
namespace {

constexpr const char* footer =
    R"(With a command: zkr elect PATH [OPTIONS] -- COMMAND [ARGUMENTS...]

Without COMMAND it leads until SIGTERM or SIGINT comes, and is a candidate again when the
leadership was lost. With COMMAND it runs that while it leads, and ends it, with its whole process
group, before the lease ends. The command finds ZKR_FENCING_TOKEN, ZKR_PATH, ZKR_NODE and ZKR_ID in
its environment: have whatever it writes to refuse tokens smaller than the largest seen.

Exit status: the command's (128+N: ended by signal N; 126, 127: could not be run);
  0    led, and gave it back when told to stop
  110  not elected: --timeout or a signal came first
  111  the leadership was lost, or about to be: the command was ended

Examples:
  zkr elect /jobs/nightly -- backup --all
  zkr elect /app/primary --id "$HOSTNAME" --events
  zkr elect /controller --claim --observe)";

}  // namespace

void set_default_id(elect_settings& what) {
  if (!what.id.empty()) return;
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  what.id = fmt::format("{}-{}", host, getpid());
}

void add_contender_options(CLI::App& command, elect_settings& what, bool& restart) {
  command.add_option("--id", what.id, "Who we are, for others to see (default: HOST-PID)")->type_name("ID");
  command.add_flag("--events", what.events, "Prints JSON lines (granted, renewed, ended), times on CLOCK_BOOTTIME");
  command.add_flag("--restart", restart, "With COMMAND: is a candidate again when what was won is lost");
  add_duration(
      command, "--warn-before", [&what](duration span) { what.warn_before = span; },
      "How long before the end of the lease COMMAND gets SIGTERM (default: a tenth of the session time-out)");
}

void add_elect_command(CLI::App& app, command_line& line) {
  struct arguments {
    elect_settings what;
    bool claim = false;
    bool observe = false;
    bool once = false;
    bool restart = false;
  };
  auto* command = app.add_subcommand("elect", "Campaigns, leads, and runs a command while it leads");
  const auto given = std::make_shared<arguments>();
  auto& what = given->what;
  add_path(*command, what.path)->description("Path of the election");
  command->add_flag("--claim", given->claim, "One node that the leader owns, as Kafka's /controller; default: a queue");
  command->add_flag("--observe", given->observe, "Is no candidate: prints the leader, now and at each change");
  command->add_flag("--once", given->once, "Without COMMAND: ends with status 111 when the leadership is lost");
  add_contender_options(*command, what, given->restart);
  command->footer(footer);
  command->callback([&line, given] {
    line.run = [&line, given] {
      auto& settings = given->what;
      settings.command = line.command;
      const bool runs = !settings.command.empty();
      const char* problem = settings.path == "/"     ? "PATH: the root cannot be an election; name a node below it"
                            : given->observe && runs ? "--observe runs no COMMAND"
                            : given->observe && !settings.id.empty() ? "--observe takes no --id: it is no candidate"
                            : given->restart && !runs                ? "--restart needs a COMMAND"
                            : given->once && runs ? "--once is for runs without COMMAND; that is the default with one"
                            : settings.warn_before && !runs ? "--warn-before needs a COMMAND"
                                                            : nullptr;
      if (problem != nullptr) {
        fmt::print(stderr, "zkr: elect: {}\n", problem);
        return exit_status::usage;
      }
      const auto kind = given->claim ? election_kind::claim : election_kind::queue;
      if (!given->observe) set_default_id(settings);
      settings.contest = contest_for_leadership(kind, settings.path, settings.id);
      if (given->once || (runs && !given->restart)) settings.when_lost = after_loss_action::exit;
      return given->observe ? run_observe(line.with, settings, kind) : run_elect(line.with, settings, line.signals);
    };
  });
}

}  // namespace zkr::cli
