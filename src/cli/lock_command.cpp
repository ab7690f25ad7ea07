#include <fmt/format.h>

#include <memory>

#include "cli/command_line.hpp"
#include "cli/elect.hpp"
#include "cli/exit_status.hpp"

namespace zkr::cli {
namespace {

constexpr const char* footer =
    R"(zkr lock PATH [OPTIONS] -- COMMAND [ARGUMENTS...]

Waits for the lock, runs COMMAND while it holds it, and gives it back. COMMAND is ended, with its
whole process group, before the lease ends. It finds ZKR_FENCING_TOKEN, ZKR_PATH, ZKR_NODE and
ZKR_ID in its environment: have whatever it writes to refuse tokens smaller than the largest seen.

Exit status: COMMAND's (128+N: ended by signal N; 126, 127: could not be run);
  110  no lock: --timeout or a signal came first
  111  the lock was lost, or about to be: COMMAND was ended

Examples:
  zkr lock /jobs/convert -- convert --all
  zkr --timeout 10s lock /index --shared -- search word)";

}  // namespace

void add_lock_command(CLI::App& app, command_line& line) {
  struct arguments {
    elect_settings what;
    bool shared = false;
    bool restart = false;
  };
  auto* command = app.add_subcommand("lock", "Runs a command while it holds a lock");
  const auto given = std::make_shared<arguments>();
  add_path(*command, given->what.path)->description("Path of the lock");
  command->add_flag("--shared", given->shared, "Together with others who share it; default: alone");
  add_contender_options(*command, given->what, given->restart);
  command->footer(footer);
  command->callback([&line, given] {
    line.run = [&line, given] {
      auto& settings = given->what;
      settings.command = line.command;
      const char* problem = settings.path == "/"       ? "PATH: the root cannot be a lock; name a node below it"
                            : settings.command.empty() ? "there is no COMMAND; it stands behind --"
                                                       : nullptr;
      if (problem != nullptr) {
        fmt::print(stderr, "zkr: lock: {}\n", problem);
        return exit_status::usage;
      }
      set_default_id(settings);
      settings.contest =
          contest_for_lock(given->shared ? lock_kind::shared : lock_kind::exclusive, settings.path, settings.id);
      if (!given->restart) settings.when_lost = after_loss_action::exit;
      return run_elect(line.with, settings, line.signals);
    };
  });
}

}  // namespace zkr::cli
