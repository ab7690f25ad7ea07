#include "testing/exploration/subjects.hpp"

namespace zkr::testing {

std::vector<exploration_subject> own_subjects() {
  return {leader_election_subject(), claim_election_subject(), mutex_subject()};
}

}  // namespace zkr::testing
