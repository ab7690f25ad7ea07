#pragma once

#include "recipes/common/queue_machine.hpp"
#include "zkrecipes/recipes/leader_election.hpp"

namespace zkr::recipes {

/// One candidacy: a place in a queue, under the names of Curator's LeaderLatch.
class leader_election_machine final : public queue_machine {
 public:
  /// The end of a candidate's name before its number.
  static constexpr std::string_view marker = "latch-";

  explicit leader_election_machine(leader_election_options options)
      : queue_machine({.recipe = "leader_election",
                       .path = std::move(options.path),
                       .id = std::move(options.id),
                       .acl = std::move(options.acl),
                       .parent_acl = std::move(options.parent_acl),
                       .markers = {std::string(marker)}}) {}
};

}  // namespace zkr::recipes
