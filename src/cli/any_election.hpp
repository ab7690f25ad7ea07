#pragma once

#include <string>
#include <variant>

#include "zkrecipes/recipes/claim_election.hpp"
#include "zkrecipes/recipes/leader_election.hpp"

namespace zkr::cli {

/// How candidates line up.
enum class election_kind {
  queue,  ///< leader_election: a directory of candidates, in order.
  claim,  ///< claim_election: one node, whoever creates it.
};

/// Either election behind one face.
class any_election {
 public:
  any_election(const operations& client, election_kind kind, std::string path, std::string id)
      : election_(make(client, kind, std::move(path), std::move(id))) {}

  void async_campaign(handler<leadership> done, call_options wait) {
    std::visit([&](auto& e) { e.async_campaign(std::move(done), std::move(wait)); }, election_);
  }
  [[nodiscard]] subscription observe(unique_function<void(const leader_change&)> told) {
    return std::visit([&](auto& e) { return e.observe(std::move(told)); }, election_);
  }

 private:
  using either = std::variant<leader_election, claim_election>;

  static either make(const operations& client, election_kind kind, std::string path, std::string id) {
    if (kind == election_kind::claim) {
      claim_election_options options;
      options.path = std::move(path);
      options.id = std::move(id);
      return claim_election(client, std::move(options));
    }
    leader_election_options options;
    options.path = std::move(path);
    options.id = std::move(id);
    return leader_election(client, std::move(options));
  }

  either election_;
};

}  // namespace zkr::cli
