#include <algorithm>
#include <random>

#include "zkrecipes/testing/exploration.hpp"

namespace zkr::testing {
namespace {

using std::chrono::milliseconds;

struct kind_weight {
  step_kind kind;
  unsigned weight;
};

constexpr std::array actions = {
    kind_weight{step_kind::acquire, 9},
    kind_weight{step_kind::withdraw, 2},
    kind_weight{step_kind::release, 3},
    kind_weight{step_kind::write, 9},
};
/// Each in half of all schedules, with up to twice this weight.
constexpr std::array faults = {
    kind_weight{step_kind::close, 2},        kind_weight{step_kind::cut, 5},        kind_weight{step_kind::drop, 4},
    kind_weight{step_kind::lose_request, 4}, kind_weight{step_kind::lose_reply, 4}, kind_weight{step_kind::crash, 2},
    kind_weight{step_kind::pause, 4},
};
constexpr std::array faults_of_servers = {
    kind_weight{step_kind::kill_server, 3}, kind_weight{step_kind::stall_server, 3},
    kind_weight{step_kind::cut_servers, 3}, kind_weight{step_kind::isolate_server, 3},
    kind_weight{step_kind::lag_server, 3},
};
constexpr std::array faults_outside = {
    kind_weight{step_kind::expire, 4},
    kind_weight{step_kind::wipe, 1},
};

/// Random numbers with no distribution of the standard library's, whose results are its own affair.
class dice {
 public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  duration until(duration end) {
    return duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(end.count()))));
  }
  /// Of all sizes up to `end`: a short time is as likely as a long one.
  duration of_any_size(duration end) { return until(std::max(duration(1), until(until(end) + duration(1)))); }

 private:
  std::mt19937_64 engine_;
};

step draw_step(dice& random, const exploration_schedule& in, step_kind kind, duration at) {
  step one{.at = at, .kind = kind, .whom = random.below(in.contenders)};
  if (is_of_server(kind)) {
    one.whom = random.below(in.world.servers);
  } else if (random.one_in(3) && kind != step_kind::acquire) {
    one.whom = step::holder;
  }
  switch (kind) {
    case step_kind::acquire:
      if (random.one_in(3)) one.span = random.of_any_size(in.session_timeout);
      break;
    case step_kind::close: one.span = random.of_any_size(in.session_timeout); break;
    case step_kind::cut:
    case step_kind::pause: one.span = random.until(in.session_timeout * 2); break;
    case step_kind::crash: one.span = random.until(in.session_timeout); break;
    case step_kind::kill_server:
    case step_kind::stall_server: one.span = random.until(in.session_timeout); break;
    case step_kind::cut_servers:
      one.count = 1 + random.below(in.world.servers - 1);
      one.span = random.until(in.session_timeout * 2);
      break;
    case step_kind::isolate_server: one.span = random.until(in.session_timeout * 2); break;
    case step_kind::lag_server:
      one.count = random.below(1 + random.below(2000));
      one.span = random.until(in.session_timeout * 2);
      break;
    case step_kind::lose_request:
    case step_kind::lose_reply: one.count = random.below(1 + random.below(6)); break;
    default: break;
  }
  return one;
}

}  // namespace

exploration_schedule draw_schedule(std::uint64_t seed) {
  constexpr duration length = std::chrono::seconds(12);
  dice random(seed);
  exploration_schedule drawn;
  drawn.where = seed % 2 == 1 ? regime::inside : regime::outside;
  drawn.contenders = 2 + random.below(3);
  drawn.world.servers = seed % 3 == 0 ? 3 : 1;
  drawn.world.seed = seed;
  drawn.world.late_cancels = random.one_in(2) ? static_cast<int>(random.below(101)) : 0;
  if (random.one_in(4)) drawn.world.most_latency = milliseconds(2 + static_cast<int>(random.below(80)));

  if (random.one_in(2)) {
    const exploration_bounds bounds;
    const bool inside = drawn.where == regime::inside;
    const auto slowest = inside ? bounds.slowest_clock : bounds.slowest_clock_outside;
    const auto fastest = inside ? bounds.fastest_clock : bounds.fastest_clock_outside;
    for (std::size_t i = 0; i < drawn.contenders; ++i) {
      drawn.clock_rates.push_back(slowest + (fastest - slowest) * static_cast<double>(random.below(1001)) / 1000);
    }
  }

  std::vector<step_kind> bag;  // a kind as often as its weight
  const auto add = [&](kind_weight one) { bag.insert(bag.end(), one.weight, one.kind); };
  std::for_each(actions.begin(), actions.end(), add);
  const auto maybe = [&](kind_weight one) {
    if (random.one_in(2)) add({one.kind, 1 + static_cast<unsigned>(random.below(std::uint64_t{2} * one.weight))});
  };
  std::for_each(faults.begin(), faults.end(), maybe);
  if (drawn.world.servers > 1) std::for_each(faults_of_servers.begin(), faults_of_servers.end(), maybe);
  if (drawn.where == regime::outside) std::for_each(faults_outside.begin(), faults_outside.end(), maybe);

  for (std::size_t i = 0; i < drawn.contenders; ++i) {
    drawn.steps.push_back({.at = random.until(milliseconds(300)), .kind = step_kind::acquire, .whom = i});
  }
  // What follows closely upon another step meets its requests on their way.
  auto at = milliseconds(300) + random.until(milliseconds(300));
  const auto count = 20 + random.below(20);
  for (std::size_t i = 0; i < count && at < length; ++i) {
    drawn.steps.push_back(draw_step(random, drawn, bag[random.below(bag.size())], at));
    at += random.one_in(3) ? random.until(milliseconds(5)) : random.until(milliseconds(1000));
  }
  std::stable_sort(drawn.steps.begin(), drawn.steps.end(), [](const step& a, const step& b) { return a.at < b.at; });
  return drawn;
}

bool is_fault(step_kind which) noexcept { return which > step_kind::close; }

bool is_of_server(step_kind which) noexcept {
  return which >= step_kind::kill_server && which <= step_kind::lag_server;
}

bool lasts(step_kind which) noexcept {
  return which == step_kind::close || which == step_kind::cut || which == step_kind::crash ||
         which == step_kind::pause || is_of_server(which);
}

std::string_view to_string(step_kind which) noexcept {
  switch (which) {
    case step_kind::acquire: return "acquire";
    case step_kind::withdraw: return "withdraw";
    case step_kind::release: return "release";
    case step_kind::write: return "write";
    case step_kind::close: return "close";
    case step_kind::cut: return "cut";
    case step_kind::drop: return "drop";
    case step_kind::lose_request: return "lose_request";
    case step_kind::lose_reply: return "lose_reply";
    case step_kind::crash: return "crash";
    case step_kind::pause: return "pause";
    case step_kind::kill_server: return "kill_server";
    case step_kind::stall_server: return "stall_server";
    case step_kind::cut_servers: return "cut_servers";
    case step_kind::isolate_server: return "isolate_server";
    case step_kind::lag_server: return "lag_server";
    case step_kind::expire: return "expire";
    case step_kind::wipe: return "wipe";
  }
  return "?";
}

}  // namespace zkr::testing
