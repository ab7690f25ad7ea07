#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <charconv>
#include <fstream>
#include <mutex>
#include <thread>

#include "testing/exploration/subjects.hpp"

// Explores the recipes in simulation, seed after seed: scripts/simulate.
namespace zkr::testing {
namespace {

using clock = std::chrono::steady_clock;

struct wishes {
  std::vector<std::string> recipes = {};  ///< Empty: all.
  std::uint64_t first = 1;
  std::uint64_t last = 2000;
  double minutes = 0;  ///< 0: up to `last`.
  std::optional<std::uint64_t> replay = std::nullopt;
  std::string svg = {};
  unsigned threads = 2;
};

struct failure {
  std::string recipe;
  std::uint64_t seed = 0;
  violation what;
};

struct totals {
  std::size_t passed = 0;
  std::vector<failure> failed = {};
  std::size_t events = 0;
  std::size_t grants = 0;
  std::size_t overlaps = 0;
  duration recovery{};
  std::array<std::size_t, step_kinds> done{};
  decltype(exploration_run::covered) covered = {};

  void add(const exploration_run& run, const std::string& recipe) {
    if (run.violated) {
      failed.push_back({recipe, run.schedule.world.seed, *run.violated});
    } else {
      ++passed;
    }
    events += run.events;
    grants += run.grants;
    overlaps += run.overlaps;
    recovery = std::max(recovery, run.recovery);
    for (std::size_t i = 0; i < step_kinds; ++i) done[i] += run.done[i];
    covered |= run.covered;
  }
};

/// Threads that take seed after seed.
class expedition {
 public:
  expedition(const std::vector<exploration_subject>& recipes, const wishes& what)
      : recipes_(recipes), what_(what), next_(what.first) {
    if (what.minutes > 0)
      end_ = began_ + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(what.minutes * 60));
  }

  totals run() {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < what_.threads; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
    return std::move(sum_);
  }
  [[nodiscard]] double elapsed() const { return std::chrono::duration<double>(clock::now() - began_).count(); }

 private:
  void work() {
    for (;;) {
      const auto seed = next_++;
      if (what_.minutes > 0 ? clock::now() >= end_ : seed > what_.last) return;
      for (const auto& one : recipes_) {
        const auto run = play(one, draw_schedule(seed));
        const std::scoped_lock lock(mutex_);
        sum_.add(run, one.name);
        report();
        if (sum_.failed.size() >= most_failures) return;
      }
    }
  }

  /// A line that is written over on a terminal; one every ten seconds elsewhere.
  void report() {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    const auto now = clock::now();
    if (now < next_report_) return;
    next_report_ = now + (terminal ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000));
    if (!terminal && now < began_ + std::chrono::seconds(5)) return;
    const auto count = sum_.passed + sum_.failed.size();
    fmt::print(stderr, "{}{} seeds, {:.0f} a second, {} grants, {} failed{}", terminal ? "\r\033[K" : "", count,
               static_cast<double>(count) / elapsed(), sum_.grants, sum_.failed.size(), terminal ? "" : "\n");
  }

  static constexpr std::size_t most_failures = 20;

  const std::vector<exploration_subject>& recipes_;
  const wishes& what_;
  const clock::time_point began_ = clock::now();
  clock::time_point end_{};
  clock::time_point next_report_ = began_;
  std::atomic<std::uint64_t> next_;
  std::mutex mutex_;
  totals sum_;
};

bool write_svg(const std::string& path, const exploration_run& run) {
  std::ofstream file(path);
  file << picture(run);
  file.close();
  if (file) return true;
  fmt::print(stderr, "simulate: cannot write {}\n", path);
  return false;
}

int replay(const std::vector<exploration_subject>& recipes, const wishes& what) {
  std::size_t failed = 0;
  for (const auto& one : recipes) {
    const auto run = play(one, draw_schedule(*what.replay));
    failed += run.violated ? 1 : 0;
    fmt::print("{}: {}", one.name, timeline(run));
    if (!what.svg.empty() && !write_svg(what.svg, run)) return 2;
  }
  fmt::print("{} seeds passed, {} failed\n", recipes.size() - failed, failed);
  return failed == 0 ? 0 : 1;
}

void explain(const exploration_subject& recipe, const failure& what, const std::string& svg) {
  const auto whole = draw_schedule(what.seed);
  const auto least = shrink(recipe, whole, what.what.invariant);
  const auto run = play(recipe, least);
  fmt::print("\n{}, {} of {} steps are enough: {}\n", recipe.name, least.steps.size(), whole.steps.size(),
             timeline(run));
  if (!svg.empty()) (void)write_svg(svg, run);
}

int explore(const std::vector<exploration_subject>& recipes, const wishes& what) {
  expedition all(recipes, what);
  auto sum = all.run();
  const auto count = sum.passed + sum.failed.size();
  fmt::print(
      "{:.0f} seeds a second on {} threads; {} events a seed; {} grants; {} times two held outside of the "
      "assumptions; slowest recovery {:.2f} s\n",
      static_cast<double>(count) / all.elapsed(), what.threads, sum.events / std::max<std::size_t>(1, count),
      sum.grants, sum.overlaps, std::chrono::duration<double>(sum.recovery).count());
  fmt::print("steps:");
  for (std::size_t i = 0; i < step_kinds; ++i) fmt::print(" {} {}", to_string(static_cast<step_kind>(i)), sum.done[i]);
  fmt::print("\n{} different (contender's state, session's state, step)\n", sum.covered.count());

  std::sort(sum.failed.begin(), sum.failed.end(), [](const failure& a, const failure& b) { return a.seed < b.seed; });
  for (const auto& one : sum.failed) {
    fmt::print("{} seed {}: {}: {}\n", one.recipe, one.seed, one.what.invariant, one.what.text);
  }
  if (!sum.failed.empty()) {
    const auto& first = sum.failed.front();
    const auto recipe =
        std::find_if(recipes.begin(), recipes.end(), [&](const auto& one) { return one.name == first.recipe; });
    explain(*recipe, first, what.svg);
  }
  fmt::print("{} seeds passed, {} failed\n", sum.passed, sum.failed.size());
  return sum.failed.empty() && sum.passed > 0 ? 0 : 1;
}

/// "7" or "1-2000".
std::string read_seeds(const std::string& text, wishes& into) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const auto* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, first);
  last = first;
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
  if (read.ec != std::errc() || read.ptr != end || first == 0 || last < first) {
    return "'" + text + "' is no range of seeds such as 1-2000";
  }
  into.first = first;
  into.last = last;
  return {};
}

int run(int argc, char** argv) {
  const auto known = own_subjects();
  std::vector<std::string> names;
  for (const auto& one : known) names.push_back(one.name);

  wishes what;
  CLI::App app("Explores the recipes in simulation: random faults, every promise checked after every event.");
  app.name("simulate");
  std::string seeds;
  app.add_option("--recipe", what.recipes, "only this recipe")->check(CLI::IsMember(names));
  app.add_option("--seeds", seeds, "A-B: these seeds (default 1-2000)");
  app.add_option("--minutes", what.minutes, "for so long instead, from seed A on")->check(CLI::Range(0.001, 100'000.0));
  app.add_option("--replay", what.replay, "one seed, with everything that happens");
  app.add_option("--svg", what.svg, "FILE: a picture of the replayed seed, or of the first failure");
  app.add_option("--threads", what.threads, "default 2")->check(CLI::Range(1, 1024));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    if (wrong.get_exit_code() == 0) return app.exit(wrong);
    fmt::print(stderr, "simulate: {}\n", wrong.what());
    return 2;
  }
  if (!seeds.empty()) {
    if (const auto wrong = read_seeds(seeds, what); !wrong.empty()) {
      fmt::print(stderr, "simulate: --seeds: {}\n", wrong);
      return 2;
    }
  }
  std::vector<exploration_subject> recipes;
  for (const auto& one : known) {
    const bool wanted = std::find(what.recipes.begin(), what.recipes.end(), one.name) != what.recipes.end();
    if (what.recipes.empty() || wanted) recipes.push_back(one);
  }
  if (what.replay && !what.svg.empty() && recipes.size() > 1) {
    fmt::print(stderr, "simulate: --svg with --replay needs one --recipe\n");
    return 2;
  }
  return what.replay ? replay(recipes, what) : explore(recipes, what);
}

}  // namespace
}  // namespace zkr::testing

int main(int argc, char** argv) { return zkr::testing::run(argc, argv); }
