#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/any_election.hpp"
#include "cli/connection.hpp"
#include "cli/signals.hpp"

namespace zkr::cli {

/// What follows when the leadership was lost.
enum class after_loss_action { campaign_again, exit };

struct elect_settings {
  std::string path;
  std::string id;
  election_kind kind = election_kind::queue;
  bool events = false;
  after_loss_action when_lost = after_loss_action::campaign_again;
  std::optional<duration> warn_before;
  std::vector<std::string> command;  ///< Empty: leads until a signal comes.
};

/// Campaigns, leads, runs the command while it leads. @return the tool's exit status.
int run_elect(const connection_settings& with, const elect_settings& what, const inherited_signals& signals);

/// Prints the leader, now and after every change, until a signal comes. @return the tool's exit status.
int run_observe(const connection_settings& with, const elect_settings& what);

}  // namespace zkr::cli
