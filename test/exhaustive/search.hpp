#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exhaustive/small_world.hpp"

namespace zkr::exhaustive {

struct search_options {
  int contenders = 2;
  small_world::fault_rule faults = {};
  int most_steps = 200;                    ///< A longer history is cut off, and counted.
  std::uint64_t most_states = 50'000'000;  ///< The search ends unfinished when it has seen so many.
};

struct search_result {
  std::uint64_t states = 0;          ///< That differ.
  std::uint64_t transitions = 0;     ///< Steps from one to another.
  std::uint64_t ends = 0;            ///< States in which nothing is left to happen.
  std::uint64_t cut_off = 0;         ///< Histories that were longer than `most_steps`.
  int longest = 0;                   ///< Steps of the longest history.
  bool finished = false;             ///< Every state was visited, or a rule was broken.
  std::string broken;                ///< The first rule that was broken; empty where none was.
  std::vector<std::string> history;  ///< How it came to that.
};

/// Visits every state that some interleaving and some faults lead to.
[[nodiscard]] search_result search(const small_world::make_machine& make, const search_options& options);

/// What can be searched, by name.
[[nodiscard]] const std::vector<std::string_view>& subjects();
[[nodiscard]] small_world::make_machine subject(std::string_view name);

}  // namespace zkr::exhaustive
