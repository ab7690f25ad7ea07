#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

#include "testing/exploration/contender.hpp"
#include "testing/exploration/server_faults.hpp"

namespace zkr::testing {
namespace {

using kind = history_entry::kind;

class player {
 public:
  player(const exploration_subject& recipe, const exploration_schedule& schedule, const exploration_bounds& bounds)
      : recipe_(recipe), schedule_(schedule), bounds_(bounds), judge_(schedule.where), world_(schedule.world) {
    run_.schedule = schedule;
    record_.history.reserve(256);
  }

  exploration_run play() {
    for (std::size_t i = 0; i < schedule_.contenders; ++i) add(i);
    all_[0]->client().async_create("/w", {}, {}, [](const result<created>&) {});
    all_[0]->observe();
    play_steps();
    if (!failed()) calm_down();
    if (!failed()) everybody_acquires();
    if (!failed()) observers_agree();
    if (!failed()) close_all();
    run_.violated = judge_.violated();
    if (run_.violated) record_.note(kind::violated, history_entry::nobody);
    run_.history = std::move(record_.history);
    run_.grants = record_.grants;
    return std::move(run_);
  }

 private:
  [[nodiscard]] bool failed() const noexcept { return judge_.violated().has_value(); }
  [[nodiscard]] duration timeouts(double how_many) const {
    double slowest = 1;
    for (const auto rate : schedule_.clock_rates) slowest = std::min(slowest, rate);
    return std::chrono::duration_cast<duration>(schedule_.session_timeout * how_many / slowest);
  }

  [[nodiscard]] duration recovery() const {
    const auto election = schedule_.world.servers > 1 ? bounds_.election : duration::zero();
    return timeouts(bounds_.recovery_timeouts) + election;
  }

  void add(std::size_t number) {
    if (all_.size() <= number) all_.resize(number + 1);
    auto& place = all_[number];
    if (place) graves_.push_back(std::move(place));
    place = std::make_unique<contender>(recipe_, schedule_, world_, record_, number);
  }

  /// After every event.
  void look() {
    ++run_.events;
    std::size_t held = 0;
    for (const auto& one : all_) {
      held += one->look() ? 1 : 0;
      if (one->due() != no_deadline && world_.now() > one->due() + bounds_.answer) {
        judge_.broken("answers on time",
                      "an acquisition goes on after its deadline, its stop token or its client's end");
      }
    }
    if (judge_.held_now(held)) {
      ++run_.overlaps;
      record_.note(kind::overlap, history_entry::nobody, static_cast<std::int64_t>(held));
    }
  }

  /// @return whether `condition` came true within `limit`, and nothing was violated until then.
  template <typename Condition>
  bool until(Condition condition, duration limit) {
    const auto end = world_.now() + limit;
    const bool met = world_.run_until(
        [&] {
          look();
          return failed() || condition();
        },
        limit);
    if (!met) world_.run_for(end - world_.now());
    return met && !failed();
  }

  /// Something that goes on: the step's place, and the contender that it was about.
  struct lasting {
    std::size_t place;
    std::size_t whom;
  };

  void play_steps() {
    // What is to be done when, beside the steps themselves: the ends of what lasts.
    std::multimap<duration, lasting> ends;
    for (std::size_t i = 0; i < schedule_.steps.size() || !ends.empty();) {
      if (failed()) return;
      const bool end = !ends.empty() && (i == schedule_.steps.size() || ends.begin()->first <= schedule_.steps[i].at);
      const auto at = end ? ends.begin()->first : schedule_.steps[i].at;
      (void)until([] { return false; }, at - record_.elapsed());
      if (failed()) return;
      if (end) {
        finish(ends.begin()->second);
        ends.erase(ends.begin());
      } else {
        const auto& one = schedule_.steps[i];
        const auto whom = target(one, i);
        if (start(one, i, whom) && lasts(one.kind)) ends.emplace(at + one.span, lasting{i, whom});
        ++i;
      }
      look();
    }
  }

  /// The contender that a step is about; nobody where it is about a server.
  [[nodiscard]] std::size_t target(const step& one, std::size_t place) const {
    if (is_of_server(one.kind)) return history_entry::nobody;
    if (one.whom != step::holder) return one.whom % all_.size();
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (all_[i]->now() == contender::state::holding) return i;
    }
    return place % all_.size();
  }

  bool start(const step& one, std::size_t place, std::size_t number) {
    if (number == history_entry::nobody) {
      record_.note(kind::step, number, static_cast<std::int64_t>(place));
      if (servers_.start(place)) {
        ++run_.done[static_cast<std::size_t>(one.kind)];
        return true;
      }
      record_.history.pop_back();
      return false;
    }
    auto& whom = *all_[number];
    const auto state = static_cast<std::size_t>(whom.now());
    const auto session = static_cast<std::size_t>(whom.session());
    const auto which = static_cast<std::size_t>(one.kind);
    // Before it is done, so that what it causes at once comes after it; taken back where it does nothing.
    record_.note(kind::step, number, static_cast<std::int64_t>(place));
    if (!perform(one, whom)) {
      record_.history.pop_back();
      return false;
    }
    ++run_.done[which];
    run_.covered.set((state * 5 + session) * step_kinds + which);
    return true;
  }

  bool perform(const step& one, contender& whom) {
    const bool alive = whom.now() != contender::state::dead;
    switch (one.kind) {
      case step_kind::acquire: return whom.acquire(one.span);
      case step_kind::withdraw: return whom.withdraw();
      case step_kind::release: return whom.release();
      case step_kind::write: return whom.write();
      case step_kind::close: return whom.close();
      case step_kind::crash: return whom.crash();
      case step_kind::pause: return whom.pause();
      case step_kind::wipe:
        if (schedule_.world.servers > 1) return false;
        judge_.wiped();
        world_.restart_server_empty();
        return true;
      default: break;
    }
    if (!alive) return false;
    switch (one.kind) {
      case step_kind::cut:
        if (cuts_[&whom]++ == 0) whom.process().cut();
        break;
      case step_kind::drop: world_.drop_connections(whom.process()); break;
      case step_kind::lose_request: world_.lose_next_request(whom.process(), one.count); break;
      case step_kind::lose_reply: world_.lose_next_reply(whom.process(), one.count); break;
      case step_kind::expire: world_.expire_sessions(whom.process()); break;
      default: break;
    }
    return true;
  }

  void finish(const lasting& fault) {
    const auto& one = schedule_.steps[fault.place];
    const auto number = fault.whom;
    record_.note(kind::over, number, static_cast<std::int64_t>(fault.place));
    if (number == history_entry::nobody) return servers_.finish(fault.place);
    auto& whom = *all_[number];
    if (one.kind == step_kind::cut && cuts_[&whom] > 0 && --cuts_[&whom] == 0) whom.process().heal();
    if (one.kind == step_kind::pause) (void)whom.resume();
    if (one.kind == step_kind::close && whom.open()) begin_again(number);
    if (one.kind == step_kind::crash && whom.now() == contender::state::dead) {
      add(number);
      begin_again(number);
    }
  }

  void begin_again(std::size_t number) {
    if (number == 0) all_[0]->observe();
    (void)all_[number]->acquire({});
  }

  /// Ends all faults.
  void calm_down() {
    constexpr auto never = std::size_t{1} << 40;
    for (const auto& one : all_) {
      world_.lose_next_request(one->process(), never);
      world_.lose_next_reply(one->process(), never);
    }
    record_.note(kind::calm, history_entry::nobody);
  }

  /// Everybody gets it, one after the other; the last one keeps it.
  void everybody_acquires() {
    const auto calm = world_.now();
    std::vector<bool> had(all_.size(), false);
    std::size_t left = all_.size();
    for (const auto& one : all_) (void)one->release();
    const auto on = [&] {
      for (std::size_t i = 0; i < all_.size(); ++i) {
        auto& one = *all_[i];
        const auto state = one.now();
        if (state == contender::state::holding && !had[i]) {
          if (left == all_.size()) run_.recovery = world_.now() - calm;
          had[i] = true;
          --left;
        }
        if (state == contender::state::stale || (state == contender::state::holding && left > 0)) (void)one.release();
        if (!had[i] && one.now() == contender::state::idle) (void)one.acquire({});
      }
      return left == 0;
    };
    const auto limit = recovery();
    const bool first = until([&] { return on() || left < all_.size(); }, limit);
    if (!first && !failed()) no_recovery("nobody acquires");
    if (failed() || left == 0) return;
    if (!until(on, limit) && !failed()) no_recovery("not everybody acquires");
  }

  /// Recipes are right to wait where the servers are not what servers are.
  void no_recovery(const std::string& what) {
    for (std::size_t i = 1; i < world_.server_count(); ++i) {
      if (world_.nodes_of(i) != world_.nodes_of(0)) {
        return judge_.broken("servers agree", "an error of the simulation: its servers have different nodes");
      }
    }
    judge_.broken("recovery", what + " when all is well again");
  }

  void observers_agree() {
    if (!recipe_.observe) return;
    std::int64_t token = 0;
    time_point since;
    const auto agree = [&] {
      for (const auto& one : all_) {
        if (one->now() == contender::state::holding && one->token() != token) {
          token = one->token();
          since = world_.now();
        }
        // A grant may be short: its lease began when its session was last heard of.
        if (one->now() == contender::state::stale && one->acquire({})) token = 0;
      }
      if (token != 0 && world_.now() > since + bounds_.convergence) {
        judge_.broken("convergence", "an observer does not see who holds");
      }
      return token != 0 && all_[0]->observed() == token;
    };
    if (!until(agree, recovery()) && !failed()) {
      no_recovery("nobody holds");
    }
  }

  void close_all() {
    for (const auto& one : all_) {
      (void)one->release();
      (void)one->close();
    }
    const auto left = [&] {
      std::vector<std::string> found;
      for (const auto& prefix : recipe_.own_nodes) {
        auto some = world_.nodes(prefix);
        found.insert(found.end(), some.begin(), some.end());
      }
      return found;
    };
    std::size_t looks = 0;
    if (!until([&] { return looks++ % 16 == 0 && left().empty(); }, timeouts(bounds_.clean_timeouts)) && !failed()) {
      const auto found = left();
      if (!found.empty()) judge_.broken("nothing is left", found.front() + " is there when all are closed");
    }
    if (!until([] { return false; }, bounds_.answer) && failed()) return;
    judge_.finished();
    judge_.landed(landed());
  }

  /// The tokens of the writes in the server's order: /w/TOKEN-NUMBER.
  [[nodiscard]] std::vector<std::int64_t> landed() const {
    constexpr std::size_t stem = 3;
    constexpr std::size_t digits = 16;
    std::map<std::string, std::int64_t> in_order;
    for (const auto& path : world_.nodes("/w/")) {
      std::int64_t token = 0;
      (void)std::from_chars(path.data() + stem, path.data() + stem + digits, token, 16);
      in_order.emplace(path.substr(stem + digits + 1), token);
    }
    std::vector<std::int64_t> tokens;
    tokens.reserve(in_order.size());
    for (const auto& [number, token] : in_order) tokens.push_back(token);
    return tokens;
  }

  const exploration_subject& recipe_;
  const exploration_schedule& schedule_;
  const exploration_bounds& bounds_;
  referee judge_;
  simulation world_;
  recorder record_{world_, judge_};
  server_faults servers_{world_, schedule_};
  exploration_run run_;
  std::map<const contender*, std::size_t> cuts_;  ///< That last now.
  std::vector<std::unique_ptr<contender>> graves_;
  std::vector<std::unique_ptr<contender>> all_;
};

}  // namespace

exploration_run play(const exploration_subject& recipe, const exploration_schedule& schedule,
                     const exploration_bounds& bounds) {
  return player(recipe, schedule, bounds).play();
}

std::uint64_t digest(const exploration_run& of) noexcept {
  std::uint64_t sum = 14695981039346656037U;  // FNV-1a, a number at a time
  const auto add = [&](std::int64_t number) { sum = (sum ^ static_cast<std::uint64_t>(number)) * 1099511628211U; };
  for (const auto& one : of.history) {
    add(one.at.count());
    add(static_cast<std::int64_t>(one.what));
    add(static_cast<std::int64_t>(one.whom));
    add(one.number);
    add(one.value);
  }
  return sum;
}

}  // namespace zkr::testing
