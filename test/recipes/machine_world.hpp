#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "recipes/model_server.hpp"

namespace zkr::recipes::testing {

/// Runs machines against a model of a server, one small step after the other, so that a test can put any fault between
/// any two steps. Checks what the kit demands of every machine: see `broken()`.
class machine_world {
 public:
  explicit machine_world(std::uint64_t seed = 1) : random_(seed) {}

  model_server server;
  /// Somebody meddled with nodes that are not theirs: exclusivity is off.
  bool tampered = false;
  /// Machines of one session may finish each other's nodes: that nothing is left shows only when all have ended.
  bool shared_nodes = false;
  /// Grants of nodes that have this in their names may be held together. Empty: none.
  std::string sharing = {};
  /// A node that holds a number which every write must raise.
  std::string growing = {};
  /// A reconnect may find a server that has not caught up, until a sync or write goes through it.
  bool lagging_servers = false;

  int add_client();
  int add_machine(int client, std::unique_ptr<machine> algorithm);
  /// `start` to a machine.
  void start_machine(int player);

  /// One step: something that is due for a client, picked at random among what is possible (`shuffled`) or the oldest.
  /// @return false where nothing is due.
  bool step();
  bool shuffled = false;
  /// What happens only when nothing else does: timers, servers catching up.
  bool idle_step();

  // ---- faults ----

  /// The connection is lost and found again. Of the writes that were under way, the first `applied` were applied; the
  /// replies of all are lost.
  void reconnect(int client, std::size_t applied);
  enum class after_session { next_session, shut_down };
  /// The same, but the session ends. `grant_first`: the driver tells the end of the grant before that of the session.
  void end_session(int client, std::size_t applied, after_session then, bool grant_first = false);
  void tell(int player, const event& what);
  /// The lease lapses.
  void end_grant_of(int player);

  // ---- what there is ----

  [[nodiscard]] std::size_t players() const { return players_.size(); }
  [[nodiscard]] bool finished(int player) const { return at(player).finished; }
  [[nodiscard]] bool holds(int player) const { return at(player).grant && at(player).grant->given; }
  [[nodiscard]] bool asked_for_grant(int player) const { return at(player).grant.has_value(); }
  [[nodiscard]] bool was_given(int player) const { return at(player).was_given; }
  [[nodiscard]] std::int64_t session_of(int client) const {
    return clients_.at(static_cast<std::size_t>(client)).session;
  }
  [[nodiscard]] int client_of(int player) const { return at(player).client; }
  [[nodiscard]] std::size_t writes_under_way(int client) const;
  [[nodiscard]] const std::vector<emit>& said(int player) const { return at(player).said; }
  /// The path of a node that the player made in its present session; empty where there is none.
  [[nodiscard]] std::string node_of(int player) const;
  /// The first rule that a machine broke, with the history that led to it; empty where none was.
  [[nodiscard]] const std::string& broken() const { return broken_; }
  /// The last things that happened.
  [[nodiscard]] std::string history() const;

 private:
  struct grant_state {
    take_grant asked;
    bool given = false;
  };
  struct running {
    std::unique_ptr<machine> algorithm;
    int client = 0;
    int uuids = 0;
    unique_function<std::string()> make_uuid;
    std::optional<grant_state> grant;
    std::vector<tag> timers;
    std::vector<emit> said;
    bool was_given = false;
    bool verdict = false;
    bool finished = false;
  };
  struct outgoing {
    int player = 0;
    tag which = 0;
    operation what;
  };
  struct incoming {
    int player = 0;
    event what;
    std::optional<outgoing> request;                 // of a reply
    std::shared_ptr<const model_server::tree> seen;  // what the server had when it said this
  };
  struct watch {
    int player = 0;
    tag which = 0;
    std::string path;
    bool confirmed = false;  // its read's reply was delivered
    bool on_exists = false;
    std::int64_t mzxid = 0;  // of the node that was read; 0: there was none
  };
  struct connection {
    std::int64_t session = 0;
    std::deque<outgoing> out;
    std::deque<incoming> in;
    std::vector<watch> watches;
    std::shared_ptr<const model_server::tree> seen;
    std::shared_ptr<const model_server::tree> lagging;  // what reads see; unset: the present
  };

  [[nodiscard]] const running& at(int which) const { return players_.at(static_cast<std::size_t>(which)); }
  running& at(int which) { return players_.at(static_cast<std::size_t>(which)); }

  void perform(int which, const action& what);
  void grant_asked(int which, const take_grant& asked);
  void check_finish(int which);
  void check_effects(int which, const model_server::tree& before);
  void serve(int client);
  void deliver(int client);
  bool serve_grant(int player, bool try_only);
  void catch_up(connection& one);
  void publish_changes();
  void apply_lost(connection& one, std::size_t applied);
  [[nodiscard]] bool shares(const take_grant& asked) const;
  void check_exclusivity(int which);
  [[nodiscard]] bool check_holds(const take_grant& asked) const;
  void note(std::string line);
  void fail(const std::string& rule);

  std::mt19937_64 random_;
  std::deque<connection> clients_;
  std::deque<running> players_;
  std::vector<std::string> history_;
  std::string broken_;
  std::int64_t last_token_ = 0;
};

}  // namespace zkr::recipes::testing
