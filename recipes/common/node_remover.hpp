#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "recipes/common/reply.hpp"

namespace zkr::recipes {

/// The part of a machine that removes nodes whose names nobody else can ever have (a UUID is in them): each is removed
/// again until it is gone, for no repetition can hit another's node. For a name that may be another's see
/// claim_election_machine.
class node_remover {
 public:
  /// Between two attempts where the server refuses to remove a node (its ACL was changed, a quota, ...).
  static constexpr duration pause = std::chrono::seconds(1);

  explicit node_remover(tag_source& tags) : tags_(tags) {}

  void remove(std::string path, actions& out);

  struct removal {
    std::string path;
    bool was_missing = false;  ///< Somebody else had removed it.
  };
  /// Whether a reply or timer with this tag belongs here.
  [[nodiscard]] bool owns(tag which) const { return jobs_.count(which) != 0; }
  /// Takes a reply that belongs here. @return the removal that it ended.
  std::optional<removal> on_reply(const reply& answer, actions& out);
  void on_timer(tag which, actions& out);

  /// True where there is nothing left to remove.
  [[nodiscard]] bool idle() const { return jobs_.empty(); }
  /// The session is over: its nodes are gone, its replies will not come.
  void forget() { jobs_.clear(); }

 private:
  struct job {
    std::string path;
    bool in_doubt = false;  ///< An earlier attempt may have removed it.
    bool reported = false;
  };
  tag_source& tags_;
  std::map<tag, job> jobs_;
};

}  // namespace zkr::recipes
