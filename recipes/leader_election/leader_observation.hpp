#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "zkrecipes/recipes/leadership.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes {

/// What stands behind a subscription to an election's leader: one to the list of candidates, and one to the node of the
/// first of them. Reports differences only.
class leader_observation : public std::enable_shared_from_this<leader_observation> {
 public:
  [[nodiscard]] static subscription begin(operations client, std::string directory, std::string marker,
                                          unique_function<void(const leader_change&)> handler);

  leader_observation(operations client, std::string directory, std::string marker,
                     unique_function<void(const leader_change&)> handler);

 private:
  void on_candidates(const children_change& now);
  void on_leader_node(const node_change& now);
  void report(leader_change now);
  void end() noexcept;

  operations client_;
  const std::string directory_;
  const std::string marker_;
  unique_function<void(const leader_change&)> handler_;

  // On the handlers' strand only:
  std::string leader_path_;
  std::optional<leader_change> last_;

  std::mutex mutex_;
  bool ended_ = false;               // guarded by mutex_, as all below
  std::optional<report_gate> gate_;  // the way to the subscriber
  subscription candidates_;
  subscription leader_;
};

}  // namespace zkr::recipes
