#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/connection.hpp"
#include "cli/signals.hpp"

namespace zkr::cli {

/// What the command line has said, once it is parsed.
struct command_line {
  connection_settings with;
  inherited_signals signals;
  std::vector<std::string> command;  ///< What stands behind `--` of a command that runs another.
  std::function<int()> run;          ///< The chosen command; returns the tool's exit status.
};

// Each adds the commands of one file.
void add_read_commands(CLI::App& app, command_line& line);
void add_write_commands(CLI::App& app, command_line& line);
void add_elect_command(CLI::App& app, command_line& line);
void add_lock_command(CLI::App& app, command_line& line);
void add_server_command(CLI::App& app, command_line& line);
void add_status_command(CLI::App& app, command_line& line);
void add_ensemble_command(CLI::App& app, command_line& line);
void add_data_command(CLI::App& app, command_line& line);

/// The positional PATH of most commands.
CLI::Option* add_path(CLI::App& app, std::string& path);

enum class zero { allowed, refused };
/// An option that takes a duration with its unit.
CLI::Option* add_duration(CLI::App& app, const std::string& name, std::function<void(duration)> take,
                          const std::string& meaning, zero what_of_zero = zero::refused);

}  // namespace zkr::cli
