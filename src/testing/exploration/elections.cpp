#include "testing/exploration/subjects.hpp"
#include "zkrecipes/recipes/claim_election.hpp"
#include "zkrecipes/recipes/leader_election.hpp"

namespace zkr::testing {
namespace {

/// The holder's token out of an election's report.
auto token_of(std::function<void(std::int64_t)> report) {
  return [report = std::move(report)](const leader_change& now) {
    if (!now.problem) report(now.leader ? now.leader->fencing_token : 0);
  };
}

/// @param of  makes the election of a client and an id.
template <typename Make>
exploration_subject election_subject(const char* name, Make of) {
  return {.name = name,
          .acquire =
              [of](const operations& client, const std::string& id, handler<grant> done, call_options wait) {
                of(client, id).async_campaign(as_grant<leadership>(std::move(done)), std::move(wait));
              },
          .own_nodes = {"/e/"},
          .observe =
              [of](const operations& client, std::function<void(std::int64_t)> report) {
                return of(client, {}).observe(token_of(std::move(report)));
              }};
}

}  // namespace

exploration_subject leader_election_subject() {
  return election_subject("leader_election", [](const operations& client, const std::string& id) {
    return leader_election(client, {.path = "/e", .id = id});
  });
}

exploration_subject claim_election_subject() {
  return election_subject("claim_election", [](const operations& client, const std::string& id) {
    return claim_election(client, {.path = "/e/c", .id = id, .epoch_path = "/epoch"});
  });
}

}  // namespace zkr::testing
