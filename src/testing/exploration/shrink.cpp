#include <algorithm>

#include "zkrecipes/testing/exploration.hpp"

namespace zkr::testing {

// Delta debugging: pieces of half of the steps are left out, then of a quarter, and so on down to single steps, until no
// single step can be left out.
exploration_schedule shrink(const exploration_subject& recipe, exploration_schedule failing, std::string_view invariant,
                            const exploration_bounds& bounds, std::size_t runs) {
  const auto still_fails = [&](const exploration_schedule& without) {
    if (runs == 0) return false;
    --runs;
    const auto run = play(recipe, without, bounds);
    return run.violated && run.violated->invariant == invariant;
  };
  const auto simplify = [&](auto change) {
    auto simpler = failing;
    change(simpler);
    if (still_fails(simpler)) failing = std::move(simpler);
  };
  simplify([](exploration_schedule& one) { one.world.late_cancels = 0; });
  simplify([](exploration_schedule& one) { one.clock_rates.clear(); });
  simplify([](exploration_schedule& one) { one.world.most_latency = simulation_options{}.most_latency; });

  auto piece = std::max<std::size_t>(1, failing.steps.size() / 2);
  while (runs > 0) {
    bool dropped = false;
    for (std::size_t first = 0; first < failing.steps.size();) {
      auto without = failing;
      const auto from = without.steps.begin() + static_cast<std::ptrdiff_t>(first);
      const auto length = std::min(piece, without.steps.size() - first);
      without.steps.erase(from, from + static_cast<std::ptrdiff_t>(length));
      if (still_fails(without)) {
        failing = std::move(without);
        dropped = true;
      } else {
        first += length;
      }
    }
    if (piece == 1 && !dropped) break;
    if (piece > 1) piece /= 2;
  }
  return failing;
}

}  // namespace zkr::testing
