#pragma once

#include <memory>
#include <string>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/leadership.hpp"

namespace zkr {

struct leader_election_options {
  /// The election's directory; missing parents are created as containers. Curator's LeaderLatch path.
  std::string path;
  /// Who we are, for `leader` and `participants`; any text.
  std::string id = {};
  /// Of the candidates' nodes. Empty: everybody everything.
  acl_list acl = {};
  /// Of directories that have to be created. Empty: everybody everything.
  acl_list parent_acl = {};
};

/// Leader election by ephemeral sequential nodes, each candidate watching its predecessor only.
///
/// Layout: Curator's LeaderLatch, byte for byte (`_c_<uuid>-latch-NNNNNNNNNN`, data = id). Every `campaign` is a candidate
/// of its own. The object may be destroyed while a leadership lives.
class leader_election {
 public:
  leader_election(operations client, leader_election_options options);

  /// Becomes the leader, waiting for earlier candidates in order, over lost sessions too.
  ///
  /// @param wait    `timeout`: longest wait, unset = no limit; `stop`: ends the candidacy.
  /// @par Errors    timed_out, cancelled: the candidate's node is removed in the background. closed. no_auth and the
  ///                like: the ACL forbids it. invalid_path. would_deadlock: called from a callback.
  /// @par Blocking  yes, at most `timeout` + 100 ms.
  /// @par Cancellation  safe at any moment, also when the create's reply was lost.
  [[nodiscard]] result<leadership> campaign(call_options wait = {});
  void async_campaign(handler<leadership> done, call_options wait = {});

  /// Campaigns, calls `lead` with the leadership, resigns when it returns, and so on until `wait` ends it. `lead` runs on
  /// this thread and should return when `lost()` fires; when it has, the candidate queues anew.
  /// @return  the reason for the end: cancelled, timed_out, closed, ...
  result<void> run(unique_function<void(leadership&)> lead, call_options wait = {});

  /// Who leads now; `no_node` where nobody does. A view of this client's server, maybe already history.
  [[nodiscard]] result<participant> leader(call_options wait = {});
  /// All candidates in the order of their turn, the leader first.
  [[nodiscard]] result<std::vector<participant>> participants(call_options wait = {});
  /// Reports the leader, now and after every change.
  [[nodiscard]] subscription observe(unique_function<void(const leader_change&)> handler);

 private:
  operations client_;
  leader_election_options options_;
};

}  // namespace zkr
