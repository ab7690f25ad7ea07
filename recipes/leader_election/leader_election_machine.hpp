#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipes/common/directory_maker.hpp"
#include "recipes/common/node_remover.hpp"
#include "recipes/common/reply.hpp"
#include "zkrecipes/recipes/leader_election.hpp"

namespace zkr::recipes {

/// One candidacy in an election by ephemeral sequential nodes: from the create to the removal of its node. PROTOCOL.md
/// has the table that this class follows; a name in it is a state or a handler here.
class leader_election_machine final : public machine {
 public:
  /// The end of a candidate's name before its number: Curator's LeaderLatch.
  static constexpr std::string_view marker = "latch-";

  explicit leader_election_machine(leader_election_options options);

  void on(const event& what, context& with, actions& out) override;

 private:
  enum class state {
    idle,
    creating,          // create, list are out
    settling,          // the create's outcome is unknown: sync, list are out
    verifying,         // a node of ours was found: exists on it, list are out
    listing,           // list is out
    arming,            // a read of the predecessor that leaves a watch is out
    waiting,           // the watch is there
    granting,          // take_grant is out
    held,              // the leadership is the user's
    leaving,           // removals are out, then finish
    between_sessions,  // the session is over, the next not there yet
    ended,
  };
  struct own_node {
    std::string path;
    std::int64_t czxid = 0;
  };
  /// Tags of what is out; a reply or event with another tag is of a time that is past. 0: nothing is out.
  struct outstanding {
    tag create = 0, list = 0, sync = 0, found = 0, predecessor = 0;
  };

  void handle(const start& what, context& with, actions& out);
  void handle(const reply& what, context& with, actions& out);
  void handle(const watch_fired& what, context& with, actions& out);
  void handle(const timer_fired& what, context& with, actions& out);
  void handle(const suspended&, context&, actions&) {}    // the lease knows; nothing here depends on it
  void handle(const reconnected&, context&, actions&) {}  // the client repeats reads and keeps watches
  void handle(const session_over& what, context& with, actions& out);
  void handle(const session_begun& what, context& with, actions& out);
  void handle(const grant_given& what, context& with, actions& out);
  void handle(const grant_ended& what, context& with, actions& out);
  void handle(const cancel& what, context& with, actions& out);
  void handle(const release& what, context& with, actions& out);
  void handle(const shut_down& what, context& with, actions& out);

  void on_created(const reply& answer, context& with, actions& out);
  void on_listed(const reply& answer, context& with, actions& out);
  void on_looked_up(const reply& answer, actions& out);
  void on_found(const reply& answer, context& with, actions& out);
  void on_predecessor(const reply& answer, context& with, actions& out);
  void on_removed(const node_remover::removal& removed);

  // What the table's actions are made of.
  void become_candidate(context& with, actions& out);
  void create(actions& out);
  void settle(actions& out);
  void verify(actions& out);
  void list(actions& out);
  void take_turn(const child_list& children, context& with, actions& out);
  void arm(actions& out);
  void ask_for_grant(actions& out);
  void withdraw(actions& out);
  void give_up(errc why, actions& out);
  void fail(error why, actions& out);
  void conclude(actions& out);
  void warm(bool on, actions& out);
  [[nodiscard]] bool unconfirmed() const;
  void report_unknown(std::vector<std::string> names, actions& out);
  [[nodiscard]] tag ask(recipes::operation what, actions& out);

  leader_election_options options_;
  tag_source tags_;
  node_remover remover_;
  directory_maker directory_;

  state state_ = state::idle;
  outstanding out_;
  std::string uuid_;             // of the last create
  bool make_directory_ = false;  // the next create needs the directory first
  std::string found_;            // settled: a node with our UUID
  std::optional<own_node> own_;
  std::string predecessor_;
  bool predecessor_leads_ = false;  // it was the first of the list: when it goes, it is our turn
  bool use_exists_ = false;         // predecessors may not be read
  bool warm_ = false;
  bool was_granted_ = false;
  bool gave_up_ = false;          // cancel, release
  std::optional<error> problem_;  // the first reason for the end
  std::string leaving_path_;      // the node whose removal is the verdict on a release
  std::vector<std::string> reported_;
};

}  // namespace zkr::recipes
