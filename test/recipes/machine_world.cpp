#include "recipes/machine_world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "recipes/actions_text.hpp"

namespace zkr::recipes::testing {
namespace {

std::string outcome_text(const result<reply_value>& value) {
  return value
             ? "ok"
             : std::string(to_string(value.error().code())) + (value.error().outcome() == outcome::unknown ? "?" : "");
}

constexpr const char* event_names[] = {"start",       "reply",        "watch_fired",   "timer_fired", "suspended",
                                       "reconnected", "session_over", "session_begun", "grant_given", "grant_ended",
                                       "cancel",      "release",      "shut_down"};

}  // namespace

int machine_world::add_client() {
  clients_.emplace_back();
  clients_.back().session = server.open_session();
  clients_.back().seen = server.snapshot();
  return static_cast<int>(clients_.size()) - 1;
}

int machine_world::add_machine(int client, std::unique_ptr<machine> algorithm) {
  const auto which = static_cast<int>(players_.size());
  auto& one = players_.emplace_back();
  one.algorithm = std::move(algorithm);
  one.client = client;
  one.make_uuid = [&one, which] { return fmt::format("p{}-{}", which, ++one.uuids); };
  return which;
}

void machine_world::start_machine(int player) { tell(player, start{}); }

void machine_world::tell(int which, const event& what) {
  auto& one = at(which);
  if (one.finished) return;
  auto line = fmt::format("p{} <- {}", which, event_names[what.index()]);
  if (const auto* answer = std::get_if<reply>(&what))
    line += fmt::format(" #{} {}", answer->tag, outcome_text(answer->value));
  if (const auto* fired = std::get_if<watch_fired>(&what))
    line += fmt::format(" #{} {}", fired->tag, to_string(fired->type));
  note(std::move(line));

  const auto& of = clients_.at(static_cast<std::size_t>(one.client));
  context with{.session_id = of.session, .make_uuid = &one.make_uuid};
  actions out;
  one.algorithm->on(what, with, out);
  for (const auto& action : out) {
    if (one.finished) return fail("an action after finish");
    perform(which, action);
  }
}

void machine_world::perform(int which, const action& what) {
  auto& one = at(which);
  auto& of = clients_.at(static_cast<std::size_t>(one.client));
  note(fmt::format("p{} -> {}", which, to_text(what)));
  if (const auto* asked = std::get_if<request>(&what)) {
    if (server.alive(of.session)) of.out.push_back({which, asked->tag, asked->operation});
  } else if (const auto* timer = std::get_if<start_timer>(&what)) {
    one.timers.push_back(timer->tag);
  } else if (const auto* asked_grant = std::get_if<take_grant>(&what)) {
    grant_asked(which, *asked_grant);
  } else if (std::holds_alternative<end_grant>(what)) {
    one.grant.reset();
  } else if (const auto* said = std::get_if<emit>(&what)) {
    one.said.push_back(*said);
    if (said->what == emit_report) return;
    if (one.verdict) fail("two verdicts");
    one.verdict = true;
    if (said->what == emit_failed && one.was_given) fail("`failed` after a grant");
    if (said->what == emit_failed) {
      const auto why = said->problem ? said->problem->code() : errc::ok;
      const bool asked_for = why == errc::cancelled || why == errc::closed;
      if (why == errc::ok || (!asked_for && !tampered)) fail("`failed` without a reason");
    }
    if (said->what == emit_released && !one.was_given) fail("`released` without a grant");
  } else if (std::holds_alternative<finish>(what)) {
    one.finished = true;
    check_finish(which);
  }
}

void machine_world::grant_asked(int which, const take_grant& asked) {
  auto& one = at(which);
  if (one.grant || one.was_given) return fail("a second grant");
  if (!tampered) {
    const auto found = server.nodes().find(asked.path);
    if (found == server.nodes().end()) return fail("a grant without a node");
    const auto& stat = found->second.stat;
    if (stat.ephemeral_owner != clients_.at(static_cast<std::size_t>(one.client)).session) {
      return fail("a grant for a node of another session");
    }
    if (stat.czxid != asked.fencing_token) return fail("a token that is not the node's");
    if (!check_holds(asked)) return fail("a grant whose check fails");
  }
  one.grant = grant_state{asked};
}

void machine_world::check_finish(int which) {
  auto& one = at(which);
  if (!one.verdict) fail("the end without a word");
  if (!one.timers.empty() && server.alive(session_of(one.client))) fail("the end with a timer running");
  if (one.grant) one.grant.reset();
  if (!shared_nodes && !node_of(which).empty()) fail("a node is left behind: " + node_of(which));
  for (const auto& asked : clients_.at(static_cast<std::size_t>(one.client)).out) {
    const auto text = to_text(asked.what);
    const bool makes_ephemeral = text.find(" ephemeral") != std::string::npos;
    if (asked.player == which && makes_ephemeral) fail("the end with a create under way");
  }
}

std::string machine_world::node_of(int which) const {
  const auto session = session_of(client_of(which));
  if (!server.alive(session)) return {};
  for (const auto& [path, entry] : server.nodes()) {
    if (entry.creator == which && entry.stat.ephemeral_owner == session) return path;
  }
  return {};
}

bool machine_world::check_holds(const take_grant& asked) const {
  const auto found = server.nodes().find(asked.check_path);
  if (found == server.nodes().end()) return false;
  return asked.check_version == any_version || asked.check_version == found->second.stat.version;
}

// ---- steps ----------------------------------------------------------------------------------------------------------

bool machine_world::step() {
  if (!broken_.empty()) return false;
  publish_changes();
  std::vector<unique_function<void()>> due;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const auto index = static_cast<int>(i);
    if (!clients_[i].in.empty()) due.emplace_back([this, index] { deliver(index); });
    if (!clients_[i].out.empty()) due.emplace_back([this, index] { serve(index); });
  }
  for (std::size_t i = 0; i < players_.size(); ++i) {
    const auto index = static_cast<int>(i);
    if (serve_grant(index, true)) due.emplace_back([this, index] { serve_grant(index, false); });
  }
  if (due.empty()) return false;
  due[shuffled ? random_() % due.size() : 0]();
  publish_changes();
  return true;
}

bool machine_world::idle_step() {
  for (auto& one : clients_) {
    if (one.lagging) {
      catch_up(one);
      return true;
    }
  }
  for (std::size_t i = 0; i < players_.size(); ++i) {
    auto& one = players_[i];
    if (one.finished || one.timers.empty()) continue;
    const auto which = one.timers.front();
    one.timers.erase(one.timers.begin());
    tell(static_cast<int>(i), timer_fired{which});
    return true;
  }
  return false;
}

void machine_world::serve(int index) {
  auto& of = clients_.at(static_cast<std::size_t>(index));
  auto asked = std::move(of.out.front());
  of.out.pop_front();
  if (is_write(asked.what) || std::holds_alternative<sync_node>(asked.what)) catch_up(of);
  const auto before = server.snapshot();
  auto value = server.apply(of.session, asked.player, asked.what, of.lagging.get());
  check_effects(asked.player, *before);

  const auto* read = std::get_if<read_node>(&asked.what);
  const auto* exists = std::get_if<check_exists>(&asked.what);
  if (read != nullptr && read->watch && value) {
    const auto mzxid = std::get<node>(*value).stat.mzxid;
    of.watches.push_back({asked.player, asked.which, read->path, false, false, mzxid});
  }
  if (exists != nullptr && exists->watch) {
    const auto mzxid = value ? std::get<stat_t>(*value).mzxid : 0;
    of.watches.push_back({asked.player, asked.which, exists->path, false, true, mzxid});
  }
  const auto player = asked.player;
  auto answer = reply{asked.which, std::move(value)};
  of.in.push_back({player, std::move(answer), std::move(asked), of.lagging ? of.lagging : server.snapshot()});
}

void machine_world::deliver(int index) {
  auto& of = clients_.at(static_cast<std::size_t>(index));
  const auto message = std::move(of.in.front());
  of.in.pop_front();
  of.seen = message.seen;
  if (message.request) {
    for (auto& one : of.watches) {
      if (one.player == message.player && one.which == message.request->which) one.confirmed = true;
    }
  }
  tell(message.player, message.what);
}

/// Answers a take_grant, or ends a grant whose check fails, as a heartbeat would.
bool machine_world::serve_grant(int which, bool try_only) {
  auto& one = at(which);
  if (one.finished || !one.grant || !server.alive(session_of(one.client))) return false;
  const bool holds_now = check_holds(one.grant->asked);
  if (one.grant->given && holds_now) return false;
  if (try_only) return true;
  if (!holds_now) {
    one.grant.reset();
    tell(which, grant_ended{error(errc::ownership_lost)});
    return true;
  }
  one.grant->given = true;
  one.was_given = true;
  if (!tampered) check_exclusivity(which);
  tell(which, grant_given{});
  return true;
}

bool machine_world::shares(const take_grant& asked) const {
  return !sharing.empty() && asked.path.find(sharing) != std::string::npos;
}

/// Of a grant that is just given.
void machine_world::check_exclusivity(int which) {
  const auto& asked = at(which).grant->asked;
  for (int other = 0; other < static_cast<int>(players_.size()); ++other) {
    if (other == which || !holds(other)) continue;
    if (!shares(asked) || !shares(at(other).grant->asked)) fail("two holders");
  }
  if (asked.fencing_token <= last_token_) fail("a token that does not grow");
  if (!shares(asked)) last_token_ = asked.fencing_token;
}

/// The server has seen everything by now: watches that were left on old states fire.
void machine_world::catch_up(connection& one) {
  if (!one.lagging) return;
  one.lagging = nullptr;
  std::vector<watch> stay;
  for (auto& watched : one.watches) {
    const auto found = server.nodes().find(watched.path);
    const auto mzxid = found == server.nodes().end() ? 0 : found->second.stat.mzxid;
    if (mzxid == watched.mzxid) {
      stay.push_back(watched);
      continue;
    }
    const auto type = mzxid == 0           ? watch_event_type::removed
                      : watched.mzxid == 0 ? watch_event_type::created
                                           : watch_event_type::data_changed;
    one.in.push_back({watched.player, watch_fired{watched.which, type}, std::nullopt, server.snapshot()});
  }
  one.watches = std::move(stay);
}

void machine_world::publish_changes() {
  for (const auto& change : server.take_changes()) {
    for (auto& of : clients_) {
      if (of.lagging) continue;
      for (auto it = of.watches.begin(); it != of.watches.end();) {
        const bool concerns = it->path == change.path && (change.type != watch_event_type::created || it->on_exists);
        if (!concerns) {
          ++it;
          continue;
        }
        of.in.push_back({it->player, watch_fired{it->which, change.type}, std::nullopt, server.snapshot()});
        it = of.watches.erase(it);
      }
    }
  }
}

/// Of one write by `which`.
void machine_world::check_effects(int which, const model_server::tree& before) {
  for (const auto& [path, one] : before) {
    const bool removed = server.nodes().count(path) == 0;
    if (removed && one.creator != which && !shared_nodes) return fail("the removal of another's node");
  }
  const auto now = server.nodes().find(growing);
  const auto then = before.find(growing);
  if (tampered || now == server.nodes().end() || then == before.end()) return;
  const bool written = now->second.stat.mzxid != then->second.stat.mzxid;
  if (written && std::stoll(now->second.data) <= std::stoll(then->second.data)) fail("a number that does not grow");
}

// ---- faults ---------------------------------------------------------------------------------------------------------

std::size_t machine_world::writes_under_way(int index) const {
  const auto& of = clients_.at(static_cast<std::size_t>(index));
  return static_cast<std::size_t>(
      std::count_if(of.out.begin(), of.out.end(), [](const outgoing& one) { return is_write(one.what); }));
}

/// Applies the first writes of those that are under way; nobody hears of it.
void machine_world::apply_lost(connection& one, std::size_t applied) {
  for (const auto& asked : one.out) {
    if (applied == 0) break;
    if (!is_write(asked.what)) continue;
    const auto before = server.snapshot();
    (void)server.apply(one.session, asked.player, asked.what);
    check_effects(asked.player, *before);
    --applied;
  }
}

void machine_world::reconnect(int index, std::size_t applied) {
  auto& of = clients_.at(static_cast<std::size_t>(index));
  publish_changes();
  note(fmt::format("c{} reconnects, {} of {} writes applied", index, applied, writes_under_way(index)));
  std::vector<int> mine;
  for (std::size_t i = 0; i < players_.size(); ++i) {
    if (players_[i].client == index) mine.push_back(static_cast<int>(i));
  }
  catch_up(of);
  apply_lost(of, applied);

  // What was under way: writes are lost, reads and syncs go out again, events of confirmed watches come late.
  std::vector<outgoing> lost;
  std::deque<outgoing> repeated;
  std::deque<incoming> events;
  const auto sort_out = [&](outgoing asked) {
    if (is_write(asked.what)) {
      lost.push_back(std::move(asked));
    } else {
      repeated.push_back(std::move(asked));
    }
  };
  for (auto& message : of.in) {
    if (message.request) {
      sort_out(std::move(*message.request));
      continue;
    }
    const auto tag = std::get<watch_fired>(message.what).tag;
    const bool repeats = std::any_of(repeated.begin(), repeated.end(), [&](const outgoing& one) {
      return one.player == message.player && one.which == tag;
    });
    if (!repeats) events.push_back(std::move(message));
  }
  for (auto& asked : of.out) sort_out(std::move(asked));
  std::erase_if(of.watches, [](const watch& one) { return !one.confirmed; });
  of.out.clear();
  of.in = std::move(events);

  for (const auto player : mine) tell(player, suspended{});
  auto error_of_lost = error(errc::connection_loss).set_sent(outcome::unknown);
  for (const auto& asked : lost) tell(asked.player, reply{asked.which, error_of_lost});
  // Those that the machines asked for meanwhile come after what was asked before.
  for (auto it = repeated.rbegin(); it != repeated.rend(); ++it) of.out.push_front(std::move(*it));
  for (const auto player : mine) tell(player, reconnected{});
  publish_changes();
  if (lagging_servers && of.in.empty()) of.lagging = of.seen;
}

void machine_world::end_session(int index, std::size_t applied, after_session then, bool grant_first) {
  auto& of = clients_.at(static_cast<std::size_t>(index));
  note(fmt::format("c{} loses its session, {} of {} writes applied", index, applied, writes_under_way(index)));
  apply_lost(of, applied);
  std::vector<int> mine;
  for (std::size_t i = 0; i < players_.size(); ++i) {
    if (players_[i].client == index) mine.push_back(static_cast<int>(i));
  }
  // The lease ends before the session does (C15), whoever is told first.
  std::vector<int> holders;
  for (const auto player : mine) {
    if (at(player).grant) holders.push_back(player);
    at(player).grant.reset();
  }
  server.close_session(of.session);
  of.out.clear();
  of.in.clear();
  of.watches.clear();
  of.lagging = nullptr;
  if (grant_first) {
    for (const auto player : holders) tell(player, grant_ended{error(errc::session_lost)});
  }
  of.out.clear();
  for (const auto player : mine) tell(player, session_over{});
  if (then == after_session::shut_down) {
    for (const auto player : mine) tell(player, shut_down{});
    return;
  }
  of.session = server.open_session();
  for (const auto player : mine) tell(player, session_begun{});
  publish_changes();
}

void machine_world::end_grant_of(int player) {
  if (!at(player).grant) return;
  at(player).grant.reset();
  tell(player, grant_ended{error(errc::ownership_lost)});
}

// ---- books ----------------------------------------------------------------------------------------------------------

void machine_world::note(std::string line) { history_.push_back(std::move(line)); }

std::string machine_world::history() const {
  constexpr std::size_t shown = 120;
  std::string text;
  for (auto i = history_.size() - std::min(shown, history_.size()); i < history_.size(); ++i) {
    text += "  " + history_[i] + "\n";
  }
  return text;
}

void machine_world::fail(const std::string& rule) {
  if (broken_.empty()) broken_ = rule + ", after\n" + history();
}

}  // namespace zkr::recipes::testing
