#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/connection.hpp"
#include "cli/contest.hpp"
#include "cli/signals.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace zkr::cli {

/// What follows when the leadership or lock was lost.
enum class after_loss_action { campaign_again, exit };

/// Of `zkr elect` and `zkr lock`.
struct elect_settings {
  std::string path;
  std::string id;
  cli::contest contest = {};
  bool events = false;
  after_loss_action when_lost = after_loss_action::campaign_again;
  std::optional<duration> warn_before;
  std::vector<std::string> command;  ///< Empty: leads (or holds) until a signal comes.
};

/// Competes, holds what it won, runs the command meanwhile. @return the tool's exit status.
int run_elect(const connection_settings& with, const elect_settings& what, const inherited_signals& signals);

/// Prints the leader, now and after every change, until a signal comes. @return the tool's exit status.
int run_observe(const connection_settings& with, const elect_settings& what, election_kind kind);

/// The options that `elect` and `lock` have in common. `restart`: whether a loss is followed by another candidacy.
void add_contender_options(CLI::App& command, elect_settings& what, bool& restart);
/// HOST-PID, where there is no id.
void set_default_id(elect_settings& what);

}  // namespace zkr::cli
