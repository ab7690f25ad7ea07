#pragma once

#include <set>

#include "zkrecipes/testing/exploration.hpp"

namespace zkr::testing {

/// The faults of an ensemble's servers that last at the moment; any of them may end while others go on.
class server_faults {
 public:
  server_faults(simulation& world, const exploration_schedule& of) : world_(world), of_(of) {}

  /// Starts the step at `place` of the schedule. @return whether it does something.
  bool start(std::size_t place);
  void finish(std::size_t place);

 private:
  /// Whether a fault of this kind at the same server goes on.
  [[nodiscard]] bool active(step_kind which, std::size_t server) const;
  void cut(const step& one);

  simulation& world_;
  const exploration_schedule& of_;
  std::set<std::size_t> active_;
};

}  // namespace zkr::testing
