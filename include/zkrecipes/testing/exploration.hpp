#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/grant.hpp"
#include "zkrecipes/testing/exploration_bounds.hpp"
#include "zkrecipes/testing/simulation.hpp"

// Random exploration of a recipe in simulation: contenders under faults, every promise checked after every event, and a
// schedule that breaks one cut down to what it needs. See docs/simulation.md.
namespace zkr::testing {

/// A recipe as the exploration sees it: what hands out one grant at a time.
struct exploration_subject {
  /// One word, for reports and the command line.
  std::string name;
  /// Starts one acquisition on `client`, under the name `id`. `done` is called exactly once.
  std::function<void(const operations& client, const std::string& id, handler<grant> done, call_options wait)> acquire;
  /// What the recipe's nodes begin with: none is left once all contenders are closed.
  std::vector<std::string> own_nodes;
  /// Where the recipe has observers: reports the holder's fencing token, 0 for nobody, now and after every change. May be
  /// empty.
  std::function<subscription(const operations& client, std::function<void(std::int64_t)> report)> observe = {};
};

/// Whether faults stay inside the assumptions of docs/promises.md. Inside, two holders at a time are a violation; outside
/// they are counted, and everything else must hold all the same.
enum class regime : std::uint8_t { inside, outside };

/// What happens to a contender or its process. A step that makes no sense at its time does nothing, so that any part of a
/// schedule is a schedule.
enum class step_kind : std::uint8_t {
  // what contenders do
  acquire,   ///< Begins an acquisition, with `span` as its time-out unless that is 0; gives back first what it holds.
  withdraw,  ///< Fires the stop token of its acquisition.
  release,   ///< Gives its grant back.
  write,     ///< Writes to ZooKeeper with only_while and its last grant, lost or not.
  close,     ///< Closes its client; another is opened after `span`.
  // faults, inside and outside
  cut,           ///< No network for `span`.
  drop,          ///< Its connections close.
  lose_request,  ///< A request, after `count` others, is lost with the connection.
  lose_reply,    ///< The reply to a request, after `count` others, is lost with the connection.
  crash,         ///< Its process is killed; another takes its place after `span`.
  pause,         ///< Its process stands still for `span`, as by SIGSTOP.
  // faults of an ensemble's servers; `whom` is a server
  kill_server,     ///< It is killed, and started again after `span`.
  stall_server,    ///< It stands still for `span`.
  cut_servers,     ///< It and the server `count` places further on do not hear each other for `span`.
  isolate_server,  ///< No other server hears it for `span`; clients do.
  lag_server,      ///< It applies what is committed `count` ms late, for `span`.
  // faults outside only
  expire,  ///< The server ends its sessions before their time.
  wipe,    ///< The server is gone and comes back with nothing; of one server only.
};
inline constexpr std::size_t step_kinds = 18;
[[nodiscard]] std::string_view to_string(step_kind which) noexcept;
/// Whether it is a fault, or a contender's own doing.
[[nodiscard]] bool is_fault(step_kind which) noexcept;
/// Whether it is a fault of a server.
[[nodiscard]] bool is_of_server(step_kind which) noexcept;
/// Whether it goes on for its `span`.
[[nodiscard]] bool lasts(step_kind which) noexcept;

struct step {
  /// As `whom`: the contender that holds at that moment, or if none does, one that the step's place decides.
  static constexpr std::size_t holder = ~std::size_t{0};

  duration at{};  ///< Since the start.
  step_kind kind = step_kind::acquire;
  std::size_t whom = 0;  ///< A contender's number, or `holder`; a server's.
  duration span{};
  std::size_t count = 0;

  friend bool operator==(const step&, const step&) = default;
};

/// Everything that a run depends on: the same schedule gives the same history.
struct exploration_schedule {
  regime where = regime::inside;
  std::size_t contenders = 3;  ///< 1 to 26.
  duration session_timeout = std::chrono::seconds(4);
  simulation_options world = {};
  /// How fast the contenders' clocks go; 1 for those that are not named.
  std::vector<double> clock_rates = {};
  std::vector<step> steps = {};  ///< In order of time.
};

/// Draws a schedule: a random subset of the kinds of faults, each with a random weight, some thirty steps within 12 s. Odd
/// seeds stay inside of the assumptions, even ones do not.
[[nodiscard]] exploration_schedule draw_schedule(std::uint64_t seed);

/// What happened, without words: text is made when it is asked for.
struct history_entry {
  enum class kind : std::uint8_t {
    step,        ///< `number`: its place in the schedule.
    over,        ///< The fault of step `number` is over.
    calm,        ///< No more faults.
    session,     ///< `number`: a session_state.
    began,       ///< Acquisition `number` begins.
    acquired,    ///< Acquisition `number` gave a grant with token `value`.
    refused,     ///< Acquisition `number` ended with the error code `value`.
    released,    ///< The grant with token `value` is given back.
    ended,       ///< held() of the grant with token `value` is found false.
    wrote,       ///< Write `number` was sent, under token `value`.
    write_done,  ///< Write `number` ended with the error code `value`.
    observed,    ///< An observer is told of the token `value`.
    overlap,     ///< `number` grants are held at once.
    violated,
  };
  static constexpr std::size_t nobody = ~std::size_t{0};

  duration at{};
  kind what = kind::step;
  std::size_t whom = nobody;
  std::int64_t number = 0;
  std::int64_t value = 0;

  friend bool operator==(const history_entry&, const history_entry&) = default;
};

/// A promise that was broken.
struct violation {
  std::string_view invariant;  ///< Its name in docs/simulation.md.
  std::string text;
};

struct exploration_run {
  exploration_schedule schedule;
  std::vector<history_entry> history;
  std::optional<violation> violated;
  std::size_t events = 0;                      ///< Pieces of work that ran in the simulation.
  std::size_t grants = 0;                      ///< Handed out.
  std::size_t overlaps = 0;                    ///< Times at which a second grant was held beside another.
  duration recovery{};                         ///< From the last fault to the next grant.
  std::array<std::size_t, step_kinds> done{};  ///< Steps that did something, by kind.
  /// Which (state of the contender, state of its session, kind of step) came together.
  std::bitset<std::size_t{6}* 5 * step_kinds> covered = {};
};

/// Plays a schedule on `recipe`, until its end or the first violation.
[[nodiscard]] exploration_run play(const exploration_subject& recipe, const exploration_schedule& schedule,
                                   const exploration_bounds& bounds = {});

/// Drops steps of a schedule whose run breaks `invariant` as long as a run without them breaks it too.
/// @return  a schedule that breaks it, and of which no step can be dropped (or `runs` runs did not suffice).
[[nodiscard]] exploration_schedule shrink(const exploration_subject& recipe, exploration_schedule failing,
                                          std::string_view invariant, const exploration_bounds& bounds = {},
                                          std::size_t runs = 2000);

/// A line for each thing that happened.
[[nodiscard]] std::string timeline(const exploration_run& of);
/// The same as a picture (SVG): a lane a contender, its grants as bars, faults as marks.
[[nodiscard]] std::string picture(const exploration_run& of);
/// A number that differs where anything in the history does.
[[nodiscard]] std::uint64_t digest(const exploration_run& of) noexcept;

}  // namespace zkr::testing
