#pragma once

#include <string>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/leadership.hpp"

namespace zkr {

struct claim_election_options {
  /// The node whose owner leads (Kafka's /controller). Its parents must exist or are created as persistent nodes.
  std::string path;
  /// Who we are: the data of the node; any text.
  std::string id = {};
  /// The persistent node that counts leaders and fences them (Kafka's /controller_epoch). Empty: `path` + "_epoch".
  std::string epoch_path = {};
  /// Of the node. Empty: everybody everything.
  acl_list acl = {};
  /// Of parents and of the epoch node. Empty: everybody everything.
  acl_list parent_acl = {};
};

/// Leader election by one fixed ephemeral node: create it, or watch it until it is gone (Kafka's controller election).
///
/// Every candidate wakes at every change of leader: for small sets of candidates. The epoch node is raised in the same
/// transaction that creates the node (KAFKA-7235), so every grant is fenced.
class claim_election {
 public:
  claim_election(operations client, claim_election_options options);

  /// As leader_election::campaign, but in no order.
  [[nodiscard]] result<leadership> campaign(call_options wait = {});
  void async_campaign(handler<leadership> done, call_options wait = {});
  result<void> run(unique_function<void(leadership&)> lead, call_options wait = {});

  /// What get_or_become_leader() gives: exactly one of the two is set.
  struct claim {
    std::optional<leadership> ours;
    std::optional<participant> other;
  };
  /// The leader, which is us if there was none: a campaign that does not wait for others.
  ///
  /// @param wait    `timeout`: longest wait for the server; unset: 15 s.
  /// @par Errors    as campaign. data_inconsistency: nobody leads, and the epoch node holds no number (campaign too).
  /// @par Blocking  yes, at most `timeout` + 100 ms.
  [[nodiscard]] result<claim> get_or_become_leader(call_options wait = {});

  [[nodiscard]] result<participant> leader(call_options wait = {});
  /// The leader alone, or nobody: other candidates leave no trace.
  [[nodiscard]] result<std::vector<participant>> participants(call_options wait = {});
  [[nodiscard]] subscription observe(unique_function<void(const leader_change&)> handler);

 private:
  operations client_;
  claim_election_options options_;
};

}  // namespace zkr
