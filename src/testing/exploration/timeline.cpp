#include <fmt/format.h>

#include "testing/exploration/words.hpp"

namespace zkr::testing {

std::string name_of(std::size_t contender) {
  return contender == history_entry::nobody ? std::string() : std::string(1, static_cast<char>('a' + contender));
}

std::string seconds(duration time) { return fmt::format("{:.6f}", std::chrono::duration<double>(time).count()); }

std::string describe(const step& one) {
  const auto span = fmt::format("{:.3f} s", std::chrono::duration<double>(one.span).count());
  switch (one.kind) {
    case step_kind::acquire: return one.span > duration::zero() ? "acquire within " + span : "acquire";
    case step_kind::withdraw: return "withdraw the acquisition";
    case step_kind::release: return "release";
    case step_kind::write: return "write, only while it holds";
    case step_kind::close: return "close the client, another after " + span;
    case step_kind::cut: return "no network for " + span;
    case step_kind::drop: return "connections close";
    case step_kind::lose_request: return fmt::format("lose a request after {} others", one.count);
    case step_kind::lose_reply: return fmt::format("lose a reply after {} others", one.count);
    case step_kind::crash: return "process killed, another after " + span;
    case step_kind::pause: return "process stands still for " + span;
    case step_kind::kill_server: return fmt::format("server {} is killed for {}", one.whom, span);
    case step_kind::stall_server: return fmt::format("server {} stands still for {}", one.whom, span);
    case step_kind::cut_servers:
      return fmt::format("server {} and the one {} further on do not hear each other for {}", one.whom, one.count,
                         span);
    case step_kind::isolate_server: return fmt::format("no server hears server {} for {}", one.whom, span);
    case step_kind::lag_server: return fmt::format("server {} is {} ms late for {}", one.whom, one.count, span);
    case step_kind::expire: return "the server ends its sessions";
    case step_kind::wipe: return "the server loses everything";
  }
  return {};
}

std::string describe(const history_entry& one, const exploration_schedule& of) {
  using kind = history_entry::kind;
  const auto step_of = [&] { return of.steps.at(static_cast<std::size_t>(one.number)); };
  const auto code = [&] { return to_string(static_cast<errc>(one.value)); };
  switch (one.what) {
    case kind::step: return "* " + describe(step_of());
    case kind::over: return fmt::format("* over: {}", to_string(step_of().kind));
    case kind::calm: return "* no more faults";
    case kind::session: return fmt::format("session {}", to_string(static_cast<session_state>(one.number)));
    case kind::began: return fmt::format("acquisition {} begins", one.number);
    case kind::acquired: return fmt::format("acquisition {} gives a grant, token {}", one.number, one.value);
    case kind::refused: return fmt::format("acquisition {} ends: {}", one.number, code());
    case kind::released: return fmt::format("gives back, token {}", one.value);
    case kind::ended: return fmt::format("holds no more, token {}", one.value);
    case kind::wrote: return fmt::format("write {} sent, token {}", one.number, one.value);
    case kind::write_done: return fmt::format("write {}: {}", one.number, code());
    case kind::observed: return one.value == 0 ? "sees no holder" : fmt::format("sees a holder, token {}", one.value);
    case kind::overlap: return fmt::format("{} hold at once", one.number);
    case kind::violated: return "VIOLATED";
  }
  return {};
}

std::string timeline(const exploration_run& of) {
  std::string text = fmt::format(
      "seed {}, {} of the assumptions, {} contenders, {} server{}, session time-out {} s\n", of.schedule.world.seed,
      of.schedule.where == regime::inside ? "inside" : "outside", of.schedule.contenders, of.schedule.world.servers,
      of.schedule.world.servers == 1 ? "" : "s", std::chrono::duration<double>(of.schedule.session_timeout).count());
  for (std::size_t i = 0; i < of.schedule.clock_rates.size(); ++i) {
    text += fmt::format("{}'s clock goes {:.4f} times as fast\n", name_of(i), of.schedule.clock_rates[i]);
  }
  for (const auto& one : of.history) {
    text += fmt::format("{:>12} s  {:1}  {}", seconds(one.at), name_of(one.whom), describe(one, of.schedule));
    if (one.what == history_entry::kind::violated && of.violated) {
      text += fmt::format(": {}: {}", of.violated->invariant, of.violated->text);
    }
    text += '\n';
  }
  return text;
}

}  // namespace zkr::testing
