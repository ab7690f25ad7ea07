#pragma once

#include <vector>

#include "zkrecipes/testing/exploration.hpp"

namespace zkr::testing {

/// The project's own recipes, each in a file of its own.
[[nodiscard]] exploration_subject leader_election_subject();
[[nodiscard]] exploration_subject claim_election_subject();
[[nodiscard]] exploration_subject mutex_subject();
[[nodiscard]] std::vector<exploration_subject> own_subjects();

/// A recipe's kind of grant as a grant.
template <typename Kind>
[[nodiscard]] handler<Kind> as_grant(handler<grant> done) {
  return [done = std::move(done)](result<Kind> outcome) mutable {
    if (!outcome) return done(std::move(outcome).error());
    grant& held = *outcome;
    done(std::move(held));
  };
}

}  // namespace zkr::testing
