#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "testing/exploration/referee.hpp"

namespace zkr::testing {

/// What a run writes down, and how late it is.
class recorder {
 public:
  recorder(simulation& world, referee& judge) : world_(world), began_(world.now()), judge_(judge) {}

  void note(history_entry::kind what, std::size_t whom, std::int64_t number = 0, std::int64_t value = 0) {
    history.push_back({world_.now() - began_, what, whom, number, value});
  }
  [[nodiscard]] referee& judge() noexcept { return judge_; }
  [[nodiscard]] duration elapsed() const noexcept { return world_.now() - began_; }
  [[nodiscard]] time_point now() const noexcept { return world_.now(); }

  std::vector<history_entry> history;
  std::size_t grants = 0;

 private:
  simulation& world_;
  const time_point began_;
  referee& judge_;
};

/// Somebody who contends: a process with a client, the acquisition that is on its way, and the grant that came of one.
/// When its process dies, another contender takes its place; this one stays in its grave until the end.
class contender {
 public:
  contender(const exploration_subject& recipe, const exploration_schedule& schedule, simulation& world, recorder& into,
            std::size_t number);
  contender(const contender&) = delete;
  contender& operator=(const contender&) = delete;
  ~contender() = default;

  enum class state : std::uint8_t { idle, acquiring, holding, stale, closed, dead };
  [[nodiscard]] state now() const noexcept;
  [[nodiscard]] session_state session() const noexcept { return session_; }
  [[nodiscard]] simulation::process& process() noexcept { return process_; }
  [[nodiscard]] operations& client() noexcept { return client_; }
  /// The last token that its observer was told of.
  [[nodiscard]] std::optional<std::int64_t> observed() const noexcept { return observed_; }

  // Steps; each says whether it did something.
  bool acquire(duration timeout);
  bool withdraw();
  bool release();
  bool write();
  bool close();
  bool open();
  bool crash();
  bool pause();
  bool resume();
  void observe();

  /// Looks at the grant. @return whether it is held.
  bool look();
  /// When an answer is owed at the latest.
  [[nodiscard]] time_point due() const noexcept { return pauses_ > 0 ? no_deadline : due_; }
  [[nodiscard]] std::int64_t token() const noexcept { return grant_.fencing_token(); }
  /// How fast its clock goes.
  [[nodiscard]] static double clock_rate(const exploration_schedule& in, std::size_t number) {
    return number < in.clock_rates.size() ? in.clock_rates[number] : 1.0;
  }

 private:
  class listener;

  void answered(std::size_t task, result<grant> outcome);
  std::size_t begin();

  const exploration_subject& recipe_;
  const exploration_schedule& schedule_;
  recorder& into_;
  const std::size_t number_;
  simulation::process& process_;
  const std::shared_ptr<listener> listener_;
  zkr::client client_;
  subscription observer_;
  session_state session_ = session_state::connecting;
  grant grant_;
  bool ended_ = false;  ///< grant_ has been found so.
  std::stop_source stop_;
  std::optional<std::size_t> acquiring_;
  time_point due_ = no_deadline;
  std::vector<std::size_t> tasks_;
  std::optional<std::int64_t> observed_;
  bool closed_ = true;
  bool dead_ = false;
  std::size_t pauses_ = 0;  ///< That last now.
};

}  // namespace zkr::testing
