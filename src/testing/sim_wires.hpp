#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "testing/sim_messages.hpp"
#include "testing/sim_world.hpp"

namespace zkr::testing {

/// The links between the members of an ensemble. Each direction of a link keeps the order of what it carries; what is sent
/// while it is cut comes when it is healed.
class sim_wires {
 public:
  /// @param takes    whether a member takes messages now; what it does not take waits for released().
  /// @param deliver  (to, from, message).
  sim_wires(sim_world& world, std::size_t members, std::function<bool(std::size_t)> takes,
            std::function<void(std::size_t, std::size_t, sim_message&)> deliver);

  void send(std::size_t from, std::size_t to, sim_message what);
  void cut(std::size_t from, std::size_t to) { at(from, to).cut = true; }
  void heal();
  [[nodiscard]] bool joined(std::size_t one, std::size_t other) const {
    return !at(one, other).cut && !at(other, one).cut;
  }
  /// The member takes messages again: what waited comes within `most`.
  void released(std::size_t member, duration most);
  /// What is on its way to the member is lost.
  void drop(std::size_t member);

 private:
  struct queued {
    time_point due;
    sim_message what;
  };
  struct way {
    bool cut = false;
    std::deque<queued> queue = {};
  };

  [[nodiscard]] way& at(std::size_t from, std::size_t to) { return wires_.at(from * members_ + to); }
  [[nodiscard]] const way& at(std::size_t from, std::size_t to) const { return wires_.at(from * members_ + to); }
  void arrive(std::size_t from, std::size_t to);

  sim_world& world_;
  const std::size_t members_;
  const std::function<bool(std::size_t)> takes_;
  const std::function<void(std::size_t, std::size_t, sim_message&)> deliver_;
  std::vector<way> wires_;
};

}  // namespace zkr::testing
