#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipes/common/directory_maker.hpp"
#include "recipes/common/node_remover.hpp"
#include "recipes/common/reply.hpp"

namespace zkr::recipes {

/// Whether a contender waits for those before it.
enum class queue_patience { wait, once };

/// Who lines up, and where.
struct queue_settings {
  /// The recipe, for errors; a literal.
  std::string_view recipe;
  /// The directory; missing parents are created as containers.
  std::string path;
  /// The data of the contender's node.
  std::string id = {};
  acl_list acl = {};
  acl_list parent_acl = {};
  /// What stands in a contender's name before its number ("latch-"): that of ours, then those of others whom we line up
  /// with. At least one.
  std::vector<std::string> markers;
  /// Those of `markers` whose contenders do not stand in our way (readers for a reader).
  std::vector<std::string> passes = {};
  /// Somebody may come in before us (a writer that becomes a reader keeps its number): list again whenever one goes.
  bool list_when_woken = false;
  queue_patience patience = queue_patience::wait;
};

/// One contender of a recipe that lines up by ephemeral sequential nodes: from the create to the removal of its node.
/// QUEUE.md has the table that this class follows; a name in it is a state or a handler here.
class queue_machine : public machine {
 public:
  /// Said where patience is `once` and another one stands before us: the verdict; no other follows.
  static constexpr int emit_taken = 1;

  explicit queue_machine(queue_settings settings);

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
    held,              // the grant is the user's
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
  void become_contender(context& with, actions& out);
  void create(actions& out);
  void settle(actions& out);
  void verify(actions& out);
  void list(actions& out);
  void take_turn(const child_list& children, context& with, actions& out);
  [[nodiscard]] bool passes(const contender& other) const;
  void arm(actions& out);
  void ask_for_grant(actions& out);
  void withdraw(actions& out);
  void give_up(errc why, actions& out);
  void decline(actions& out);
  void fail(error why, actions& out);
  void conclude(actions& out);
  void warm(bool on, actions& out);
  [[nodiscard]] bool unconfirmed() const;
  void report_unknown(std::vector<std::string> names, actions& out);
  [[nodiscard]] tag ask(recipes::operation what, actions& out);

  queue_settings settings_;
  tag_source tags_;
  node_remover remover_;
  directory_maker directory_;

  state state_ = state::idle;
  outstanding out_;
  std::string uuid_;             // of the last create
  bool make_directory_ = false;  // the next create needs the directory first
  std::string found_;            // settled: a node with our UUID
  std::optional<own_node> own_;
  std::string predecessor_;            // the last of those before us that stand in our way
  bool predecessor_is_first_ = false;  // of the list: when it goes, it is our turn
  bool use_exists_ = false;            // predecessors may not be read
  bool warm_ = false;
  bool was_granted_ = false;
  bool gave_up_ = false;          // cancel, release
  bool declined_ = false;         // emit_taken was said
  std::optional<error> problem_;  // the first reason for the end
  std::string leaving_path_;      // the node whose removal is the verdict on a release
  std::vector<std::string> reported_;
};

}  // namespace zkr::recipes
