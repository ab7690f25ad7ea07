#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "server/processor.hpp"
#include "testing/sim_member.hpp"

namespace zkr::testing {

/// A member's leadership, from its election until it steps down: decides requests, proposes what they become, commits what
/// a majority has, and counts the sessions' time.
///
/// Decides with a processor of its own, which is ahead of what is committed and has one connection for each connection of
/// a client anywhere: who comes back elsewhere takes its session away from the earlier one.
class sim_leader final : private backend::journal {
 public:
  sim_leader(sim_ensemble& of, sim_world& world, sim_member& self, std::int64_t epoch);
  sim_leader(const sim_leader&) = delete;
  sim_leader& operator=(const sim_leader&) = delete;
  ~sim_leader() override;

  [[nodiscard]] std::int64_t epoch() const noexcept { return epoch_; }
  /// Whether a member that looks for a leader may follow.
  [[nodiscard]] bool takes_followers() const noexcept { return !established_ || has_quorum(); }
  void on_message(std::size_t from, sim_message& what);

  // Of the leader's own clients, and of followers'.
  void handshake(std::size_t member, backend::connection_id from, const std::string& frame);
  void request(std::size_t member, backend::connection_id from, const std::string& frame);
  [[nodiscard]] bool touch(backend::session_id which, duration timeout);
  /// Whether the session of a connection has moved to another.
  [[nodiscard]] bool has_moved(std::size_t member, backend::connection_id which) const;
  void expire(backend::session_id which);

 private:
  struct follower {
    std::uint64_t stream = 0;
    std::int64_t acked = -1;  ///< -1: not even the history.
    std::int64_t last_tick = 0;
    time_point waits_since;  ///< For the oldest acknowledgement that is missing.
  };
  struct waiting_sync {
    std::int64_t zxid;
    std::size_t member;
    backend::connection_id connection;
  };
  using desk_key = std::pair<std::size_t, backend::connection_id>;

  void append(const backend::transaction& what) override;
  void submit() override {}
  [[nodiscard]] std::int64_t durable() const noexcept override { return INT64_MAX; }

  void take(std::size_t member, std::uint64_t stream);
  void drop(std::size_t member);
  void establish();
  void loop();
  [[nodiscard]] bool has_quorum() const noexcept;
  void refuse(std::size_t member, backend::connection_id from, const std::string& frame);
  void end_sessions();
  void publish();
  void advance();
  void answer(std::size_t member, backend::connection_id to, std::string frame);
  void send(std::size_t member, sim_message what);
  void arm_expiry();

  sim_ensemble& of_;
  sim_world& world_;
  sim_member& self_;
  const std::int64_t epoch_;
  const time_point began_;
  bool established_ = false;
  std::int64_t committed_ = 0;
  std::int64_t half_ticks_ = 0;
  std::map<std::size_t, follower> followers_;
  std::unique_ptr<backend::processor> desk_;  ///< From the moment on when a majority follows.
  std::map<desk_key, backend::connection_id> desks_;
  std::vector<std::shared_ptr<sim_entry>> fresh_;
  std::vector<waiting_sync> syncs_;
  std::set<backend::session_id> closing_;  ///< Their time is over, and their ends are not proposed yet.
  scheduler::timer expiry_ = 0;
};

}  // namespace zkr::testing
