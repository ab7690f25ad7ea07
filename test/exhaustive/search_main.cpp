#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>

#include "exhaustive/search.hpp"

// Searches all interleavings of a small case; see docs/simulation-mutants.md.
int main(int argc, char** argv) {
  using namespace zkr::exhaustive;
  CLI::App app{"Visits every state that some interleaving of messages, and some faults, lead a recipe to."};
  search_options options;
  std::vector<std::string> names(subjects().begin(), subjects().end());
  app.add_option("recipe", names, "what to search (all)")->check(CLI::IsMember(names));
  app.add_option("--contenders", options.contenders, "how many compete")
      ->check(CLI::Range(1, 4))
      ->capture_default_str();
  options.faults.most = 1;
  app.add_option("--faults", options.faults.most, "faults in one history, of different kinds")
      ->check(CLI::Range(0, 6))
      ->capture_default_str();
  std::map<std::string, step::kind> kinds;
  for (const auto kind : all_faults) kinds.emplace(to_string(kind), kind);
  app.add_option("--kinds", options.faults.kinds, "of which kinds (all)")->transform(CLI::CheckedTransformer(kinds));
  app.add_option("--steps", options.most_steps, "where a history is cut off")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--states", options.most_states, "where the search gives up")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  bool broken = false;
  for (const auto& name : names) {
    const auto began = std::chrono::steady_clock::now();
    const auto found = search(subject(name), options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    for (const auto& line : found.history) std::cout << "  " << line << "\n";
    std::printf(
        "%s: %d contenders, up to %d faults: %llu states, %llu transitions, %llu ends, longest %d%s, %.1f s%s%s\n",
        name.c_str(), options.contenders, options.faults.most, static_cast<unsigned long long>(found.states),
        static_cast<unsigned long long>(found.transitions), static_cast<unsigned long long>(found.ends), found.longest,
        found.finished && found.cut_off == 0 ? "" : " (not all)", took.count(),
        found.broken.empty() ? "" : ": BROKEN: ", found.broken.c_str());
    std::fflush(stdout);
    broken = broken || !found.broken.empty();
  }
  return broken ? 1 : 0;
}
