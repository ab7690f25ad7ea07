#include "exhaustive/search.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <unordered_set>

#include "recipes/claim_election/claim_election_machine.hpp"
#include "recipes/leader_election/leader_election_machine.hpp"
#include "recipes/mutex/mutex_queue.hpp"

namespace zkr::exhaustive {
namespace {

/// A state that was reached, by the step that led to it and the state before.
struct reached {
  std::int64_t before = -1;
  step by;
  int steps = 0;
};

/// What is kept of a digest. Two that differ may look alike in it: among ten million, with a probability below 10^-24.
struct fingerprint {
  std::uint64_t a = 0xcbf29ce484222325;
  std::uint64_t b = 0x9e3779b97f4a7c15;

  explicit fingerprint(std::string_view text) {
    for (const char c : text) {
      a = (a ^ static_cast<unsigned char>(c)) * 0x100000001b3;
      b = (b + static_cast<unsigned char>(c)) * 0x9fb21c651e98df25;
      b ^= b >> 29U;
    }
  }
  friend bool operator==(const fingerprint&, const fingerprint&) = default;
  struct hash {
    std::size_t operator()(const fingerprint& one) const noexcept { return one.a; }
  };
};

/// Depth first. The world goes on with the first of the steps that are possible; for each of the others it is made anew.
class searcher {
 public:
  searcher(const small_world::make_machine& make, const search_options& options) : make_(make), options_(options) {}

  search_result run() {
    auto world = fresh();
    std::int64_t at = arrive(*world, -1, {});
    while (!open_.empty() && result_.broken.empty() && result_.states < options_.most_states) {
      const auto next = open_.back();
      open_.pop_back();
      if (next.from != at) world = replayed(next.from);
      world->perform(next.by);
      ++result_.transitions;
      at = arrive(*world, next.from, next.by);
    }
    result_.finished = open_.empty() || !result_.broken.empty();
    return std::move(result_);
  }

 private:
  struct option {
    std::int64_t from;
    step by;
  };

  [[nodiscard]] std::unique_ptr<small_world> fresh() const {
    return std::make_unique<small_world>(options_.contenders, make_);
  }
  [[nodiscard]] std::vector<step> path_to(std::int64_t state) const {
    std::vector<step> path;
    for (; states_[static_cast<std::size_t>(state)].before >= 0;
         state = states_[static_cast<std::size_t>(state)].before) {
      path.push_back(states_[static_cast<std::size_t>(state)].by);
    }
    std::reverse(path.begin(), path.end());
    return path;
  }
  [[nodiscard]] std::unique_ptr<small_world> replayed(std::int64_t state) const {
    auto world = fresh();
    for (const auto& one : path_to(state)) world->perform(one);
    return world;
  }

  /// @return the number of the state where it is new, else -1: nothing goes on from here.
  std::int64_t arrive(small_world& world, std::int64_t from, step by) {
    if (world.broken().empty() && !seen_.insert(fingerprint(world.digest())).second) return -1;
    ++result_.states;
    const int steps = from < 0 ? 0 : states_[static_cast<std::size_t>(from)].steps + 1;
    result_.longest = std::max(result_.longest, steps);
    const auto number = static_cast<std::int64_t>(states_.size());
    states_.push_back({from, by, steps});
    const auto next = world.possible(options_.faults);
    if (std::all_of(next.begin(), next.end(), [](const step& one) { return is_fault(one.what); })) {
      ++result_.ends;
      world.check_end();
    }
    if (!world.broken().empty()) {
      result_.broken = world.broken();
      tell(number);
    } else if (steps >= options_.most_steps) {
      ++result_.cut_off;
    } else {
      for (auto one = next.rbegin(); one != next.rend(); ++one) open_.push_back({number, *one});
    }
    return number;
  }

  void tell(std::int64_t state) {
    auto world = fresh();
    world->keep_notes();
    for (const auto& one : path_to(state)) world->perform(one);
    result_.history = world->notes();
  }

  const small_world::make_machine& make_;
  const search_options options_;
  search_result result_;
  std::vector<reached> states_;
  std::vector<option> open_;
  std::unordered_set<fingerprint, fingerprint::hash> seen_;
};

}  // namespace

search_result search(const small_world::make_machine& make, const search_options& options) {
  return searcher(make, options).run();
}

const std::vector<std::string_view>& subjects() {
  static const std::vector<std::string_view> all{"leader_election", "claim_election", "mutex"};
  return all;
}

small_world::make_machine subject(std::string_view name) {
  if (name == "leader_election") {
    return [](int who) {
      return std::make_unique<recipes::leader_election_machine>(
          leader_election_options{.path = "/e", .id = std::to_string(who)});
    };
  }
  if (name == "mutex") {
    return [](int who) {
      return std::make_unique<recipes::queue_machine>(recipes::mutex_queue({.path = "/e", .id = std::to_string(who)}));
    };
  }
  if (name == "claim_election") {
    return [](int who) {
      return std::make_unique<recipes::claim_election_machine>(
          claim_election_options{.path = "/c", .id = std::to_string(who), .epoch_path = "/n"},
          recipes::claim_patience::wait, std::make_shared<recipes::claim_register>());
    };
  }
  throw std::invalid_argument("no such subject: " + std::string(name));
}

}  // namespace zkr::exhaustive
