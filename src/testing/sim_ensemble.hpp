#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "testing/sim_member.hpp"
#include "testing/sim_wires.hpp"

namespace zkr::testing {

/// An ensemble as its clients can observe it: members that apply the same log, each in its time, and leaders that come
/// and go. Who leads is decided here, by what each member can reach, and not by a protocol between them.
class sim_ensemble {
 public:
  struct settings {
    std::size_t members;
    std::size_t sync_limit;
  };
  /// @param has_output  called with the member that has something to send.
  sim_ensemble(sim_world& world, settings rules, std::function<void(std::size_t)> has_output);

  [[nodiscard]] sim_member& member(std::size_t which) { return *members_.at(which); }
  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] sim_wires& wires() noexcept { return wires_; }
  /// The leader of the newest epoch that serves.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  /// The member that has applied most.
  [[nodiscard]] const sim_member& foremost() const;

  // ---- for members
  [[nodiscard]] std::size_t majority() const noexcept { return members_.size() / 2 + 1; }
  [[nodiscard]] std::int64_t sync_limit() const noexcept { return static_cast<std::int64_t>(rules_.sync_limit); }
  /// How long leader and follower bear each other's silence.
  [[nodiscard]] duration patience() const { return sync_limit() * world_.rules.tick_time; }
  [[nodiscard]] std::uint64_t next_stream() noexcept { return ++last_stream_; }
  void has_output(std::size_t member) { has_output_(member); }
  /// A member without a leader looks for one, from now on until it has it.
  void look(sim_member& who);

 private:
  void try_once(sim_member& who);
  [[nodiscard]] bool is_there(const sim_member& other, const sim_member& for_whom) const;

  sim_world& world_;
  const settings rules_;
  const std::function<void(std::size_t)> has_output_;
  std::uint64_t last_stream_ = 0;
  sim_wires wires_;
  std::vector<std::unique_ptr<sim_member>> members_;  // which hang up when they go
};

}  // namespace zkr::testing
