#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "recipes/claim_election/claim_register.hpp"
#include "recipes/common/directory_maker.hpp"
#include "recipes/common/reply.hpp"
#include "zkrecipes/recipes/claim_election.hpp"

namespace zkr::recipes {

/// Whether a campaign waits for its turn, or ends with the name of the leader (`get_or_become_leader`).
enum class claim_patience { wait, once };

/// One campaign for a fixed ephemeral node and its epoch. PROTOCOL.md has the table that this class follows; a name in
/// it is a state or a handler here.
class claim_election_machine final : public machine {
 public:
  /// Emitted by a campaign of patience `once` that found a leader: `text` is the leader's id, `number` its token.
  static constexpr int emit_other = 1;
  /// Between two attempts where the server refuses a resignation.
  static constexpr duration pause = std::chrono::seconds(1);

  claim_election_machine(claim_election_options options, claim_patience patience,
                         std::shared_ptr<claim_register> claims);
  ~claim_election_machine() override;

  void on(const event& what, context& with, actions& out) override;

 private:
  enum class state {
    idle,
    looking,           // reads of epoch and node are out
    preparing,         // creates of parents and epoch node are out
    claiming,          // the claim is out
    settling,          // the claim's outcome is unknown: sync and reads are out
    following,         // another leads; a watch is on its node
    granting,          // take_grant is out
    held,              // the leadership is the user's
    resigning,         // the resignation is out
    examining,         // ours still? sync and exists of epoch and node are out
    repairing,         // the create of an epoch node that somebody removed is out
    pausing,           // the server refused a resignation: a timer runs
    between_sessions,  // the session is over, the next not there yet
    ended,
  };
  /// The epoch node as the last read saw it.
  struct epoch {
    stat_t stat;
    std::optional<std::int64_t> value;  // unset: not a number
  };
  /// What the last claim would make of the epoch node.
  struct attempt {
    std::int64_t value = 0;
    std::int32_t version = 0;  // before it
  };
  /// A node that is ours.
  struct claim {
    std::int64_t session_id = 0;
    std::int64_t czxid = 0;
    std::int32_t epoch_version = 0;
  };
  /// Tags of what is out; a reply or event with another tag is of a time that is past. 0: nothing is out.
  struct outstanding {
    tag sync = 0, epoch = 0, node = 0, write = 0, timer = 0;
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

  void on_epoch(const reply& answer);
  void on_looked(const reply& answer, actions& out);
  void on_prepared(const reply& answer, actions& out);
  void on_claimed(const reply& answer, context& with, actions& out);
  void on_settled(const reply& answer, context& with, actions& out);
  void on_own_node(const reply& answer, actions& out);
  void on_resigned(const reply& answer, actions& out);
  void on_examined(const reply& answer, actions& out);
  void on_repaired(const reply& answer, actions& out);

  // What the table's actions are made of.
  void look(actions& out);
  void go_for_it(actions& out);
  void prepare(actions& out);
  void make_claim(actions& out);
  void settle(actions& out);
  void follow(const node& other, actions& out);
  void ask_for_grant(actions& out);
  void watch_own_node(actions& out);
  void displaced(actions& out);
  void resign(actions& out);
  void examine(actions& out);
  void repair(actions& out);
  void rest(const error& refusal, actions& out);
  void resigned(actions& out);
  void give_up(errc why, actions& out);
  void fail(error why, actions& out);
  void conclude(actions& out);
  void drop_claim();
  void warm(bool on, actions& out);
  [[nodiscard]] directory_maker& parents_of_epoch();
  [[nodiscard]] tag ask(recipes::operation what, actions& out);

  claim_election_options options_;
  claim_patience patience_;
  std::shared_ptr<claim_register> claims_;
  tag_source tags_;
  directory_maker node_parents_;
  directory_maker epoch_parents_;

  state state_ = state::idle;
  outstanding out_;
  std::optional<epoch> epoch_;        // unset: there is none, or epoch_error_
  std::optional<error> epoch_error_;  // the last read of the epoch node failed
  attempt attempt_;
  std::optional<claim> claim_;
  std::int32_t node_version_ = 0;  // of our node
  bool needs_parents_ = false;     // the claim found no parent for the node
  bool maybe_resigned_ = false;    // a resignation's reply was lost
  bool reported_ = false;          // a refused resignation
  bool warm_ = false;
  bool was_granted_ = false;
  bool gave_up_ = false;          // cancel, release
  std::optional<error> problem_;  // the first reason for the end
};

}  // namespace zkr::recipes
