#include "exhaustive/small_world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "exhaustive/frames.hpp"
#include "recipes/actions_text.hpp"
#include "wire/codec.hpp"

namespace zkr::exhaustive {

using namespace recipes;
using kind = step::kind;

namespace {

constexpr std::int32_t session_timeout_ms = 10'000;

backend::processor_options server_options() {
  backend::processor_options options;
  options.tick_time = std::chrono::milliseconds(1000);
  options.first_session_id = 0x100;
  return options;
}

bool is_write(const operation& what) {
  return std::holds_alternative<create_node>(what) || std::holds_alternative<set_data>(what) ||
         std::holds_alternative<remove_node>(what) || std::holds_alternative<commit>(what);
}

bool asks_for_watch(const operation& what) {
  if (const auto* read = std::get_if<read_node>(&what)) return read->watch;
  if (const auto* exists = std::get_if<check_exists>(&what)) return exists->watch;
  if (const auto* list = std::get_if<list_children>(&what)) return list->watch;
  return false;
}

const std::string& watched_path(const operation& what) {
  if (const auto* read = std::get_if<read_node>(&what)) return read->path;
  if (const auto* exists = std::get_if<check_exists>(&what)) return exists->path;
  return std::get<list_children>(what).path;
}

std::string hex_hash(const std::string& text) {
  // FNV-1a of 64 bits, twice from different beginnings.
  std::uint64_t a = 0xcbf29ce484222325;
  std::uint64_t b = 0x9e3779b97f4a7c15;
  for (const char c : text) {
    a = (a ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    b = (b ^ static_cast<unsigned char>(c)) * 0x00000100000001b3 + 0x2545f4914f6cdd1d;
  }
  return fmt::format("{:016x}{:016x}", a, b);
}

}  // namespace

bool is_fault(kind what) noexcept { return what >= kind::drop; }

std::string_view to_string(kind what) noexcept {
  constexpr std::string_view names[] = {"start",   "serve",      "deliver", "reconnect", "give", "tell_end",
                                        "release", "fire_timer", "bury",    "catch_up",  "drop", "drop_to_lagging",
                                        "expire",  "lapse",      "crash",   "cancel"};
  return names[static_cast<std::size_t>(what)];
}

std::string to_text(const step& one) { return fmt::format("{} {}", to_string(one.what), one.who); }

small_world::small_world(int contenders, const make_machine& make)
    : now_{time_point(std::chrono::hours(1)), 1'700'000'000'000}, server_(server_options(), now_) {
  all_.resize(static_cast<std::size_t>(contenders));
  for (int who = 0; who < contenders; ++who) {
    auto& one = all_[static_cast<std::size_t>(who)];
    one.algorithm = make(who);
    one.make_uuid = [who, count = 0]() mutable { return fmt::format("p{}-{}", who, ++count); };
    connect(who);
  }
}

// ---- what can happen ------------------------------------------------------------------------------------------------

std::vector<step> small_world::possible(const fault_rule& faults) const {
  const bool no_more_faults = static_cast<int>(faults_.size()) >= faults.most;
  if (no_more_faults) {
    if (const auto only = delivery_that_can_come_first()) return {*only};
  }
  std::vector<step> steps;
  const auto may = [&](kind what, std::size_t who) { steps.push_back({what, static_cast<std::uint8_t>(who)}); };
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto& one = all_[i];
    if (!one.to_server.empty()) may(kind::serve, i);
    if (one.crashed) {
      if (session_lives(one)) may(kind::bury, i);
      continue;
    }
    if (one.finished) continue;
    if (!one.to_client.empty()) may(kind::deliver, i);
    if (!one.connected) may(kind::reconnect, i);
    // They differ in their number only: the lower ones may as well begin first.
    if (!one.started && one.connected && (i == 0 || all_[i - 1].started)) may(kind::start, i);
    if (!one.timers.empty()) may(kind::fire_timer, i);
    if (!one.held) continue;
    // The lease outlives neither the session nor a check that fails.
    const bool holds = session_lives(one) && !one.held->lapsed && check_holds(one.held->asked);
    if (!holds) {
      may(kind::tell_end, i);
    } else {
      may(one.held->given ? kind::release : kind::give, i);
    }
  }
  if (lagging_) may(kind::catch_up, 0);
  if (no_more_faults) return steps;

  const auto fault = [&](kind what, std::size_t who) {
    const bool wanted = std::find(faults.kinds.begin(), faults.kinds.end(), what) != faults.kinds.end();
    const bool had = std::find(faults_.begin(), faults_.end(), what) != faults_.end();
    if (wanted && !had) may(what, who);
  };
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto& one = all_[i];
    if (one.finished || one.crashed || !one.started) continue;
    if (one.connected) fault(kind::drop, i);
    if (one.connected && !lagging_) fault(kind::drop_to_lagging, i);
    if (session_lives(one)) fault(kind::expire, i);
    if (one.held && one.held->given && !one.held->lapsed) fault(kind::lapse, i);
    fault(kind::crash, i);
    if (!one.cancelled && !one.was_given) fault(kind::cancel, i);
  }
  return steps;
}

/// A delivery that commutes with whatever else can happen, and that no rule looks at: then every history has another one
/// with the same end in which it comes first, and the others need not be visited (partial-order reduction). So it is where
/// no fault can strike any more, and the contender has no grant and no timer: nobody else tells its machine anything, and
/// what the server and the others do meanwhile only adds to the end of its queue.
std::optional<step> small_world::delivery_that_can_come_first() const {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto& one = all_[i];
    if (one.connected && one.started && !one.finished && !one.held && one.timers.empty() && !one.to_client.empty()) {
      return step{kind::deliver, static_cast<std::uint8_t>(i)};
    }
  }
  return std::nullopt;
}

void small_world::perform(const step& next) {
  const int who = next.who;
  auto& one = all_.at(next.who);
  if (keeps_notes_) note("-- " + exhaustive::to_text(next));
  if (is_fault(next.what)) faults_.push_back(next.what);
  switch (next.what) {
    case kind::start:
      one.started = true;
      tell(who, recipes::start{}, "start");
      break;
    case kind::serve: serve(who); break;
    case kind::deliver: deliver(who); break;
    case kind::reconnect: reconnect(who); break;
    case kind::give: give(who); break;
    case kind::tell_end: tell_end(who); break;
    case kind::release:
      one.held->lapsed = true;  // held() is false from here on
      tell(who, recipes::release{}, "release");
      break;
    case kind::fire_timer: {
      const auto which = one.timers.front();
      one.timers.erase(one.timers.begin());
      tell(who, timer_fired{which}, fmt::format("timer {}", which));
      break;
    }
    case kind::catch_up:
      server_.end_lag();
      lagging_ = false;
      collect();
      break;
    case kind::drop: lose_connection(who); break;
    case kind::drop_to_lagging:
      seen_by_lagging_ = nodes_text();
      server_.begin_lag();
      lagging_ = true;
      lose_connection(who);
      break;
    case kind::expire:
    case kind::bury:
      if (one.held) one.held->lapsed = true;
      server_.expire(one.session, now_);
      collect();
      break;
    case kind::lapse: one.held->lapsed = true; break;
    case kind::crash:
      one.crashed = true;
      one.held.reset();
      one.connected = false;
      one.to_client.clear();
      break;
    case kind::cancel:
      one.cancelled = true;
      tell(who, recipes::cancel{}, "cancel");
      break;
  }
}

void small_world::check_end() {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (!all_[i].finished && !all_[i].crashed) fail(fmt::format("{} waits for ever", i));
  }
  if (server_.state().nodes().ephemerals() != 0) fail("a node is left behind");
}

// ---- machines -------------------------------------------------------------------------------------------------------

void small_world::tell(int who, const event& what, const std::string& text) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  if (one.finished || one.crashed) return;
  if (keeps_notes_) note(fmt::format("{} <- {}", who, text));
  one.past = hex_hash(one.past + text + owner_label(one.session));
  context with{.session_id = one.session, .make_uuid = &one.make_uuid};
  actions out;
  one.algorithm->on(what, with, out);
  for (const auto& wanted : out) {
    if (one.finished) return fail("an action after finish");
    if (keeps_notes_) note(fmt::format("{} -> {}", who, recipes::testing::to_text(wanted)));
    perform(who, wanted);
  }
}

void small_world::perform(int who, const action& what) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  if (const auto* asked = std::get_if<request>(&what)) {
    send(one, {.which = asked->tag, .what = asked->operation});
  } else if (const auto* timer = std::get_if<start_timer>(&what)) {
    one.timers.push_back(timer->tag);
  } else if (const auto* stopped = std::get_if<stop_timer>(&what)) {
    std::erase(one.timers, stopped->tag);
  } else if (const auto* wanted = std::get_if<take_grant>(&what)) {
    if (one.held || one.was_given) return fail("a second grant");
    one.held = grant{*wanted};
  } else if (std::holds_alternative<end_grant>(what)) {
    one.held.reset();
  } else if (const auto* said = std::get_if<emit>(&what)) {
    if (said->what == emit_report) return;
    if (std::exchange(one.verdict, true)) fail("two verdicts");
    if (said->what == emit_failed && one.was_given) fail("`failed` after a grant");
    if (said->what == emit_failed && !one.cancelled) fail("`failed` though nobody gave up");
    if (said->what == emit_released && !one.was_given) fail("`released` without a grant");
  } else if (std::holds_alternative<finish>(what)) {
    if (!one.verdict) fail("the end without a word");
    if (!server_.state().nodes().ephemerals_of(one.session).empty()) fail("the end with a node left behind");
    one.finished = true;
    one.held.reset();
    one.to_client.clear();
  }
}

void small_world::give(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  const auto& asked = one.held->asked;
  const auto* node = server_.state().nodes().find(asked.path);
  if (node == nullptr) return fail("a grant without a node");
  if (node->owner != one.session) return fail("a grant for a node of another session");
  if (node->czxid != asked.fencing_token) return fail("a token that is not the node's");
  for (const auto& other : all_) {
    if (other.held && other.held->given && !other.held->lapsed) return fail("two holders");
  }
  if (asked.fencing_token <= last_token_) return fail("a token that does not grow");
  last_token_ = asked.fencing_token;
  one.held->given = one.was_given = true;
  tell(who, grant_given{}, "grant_given");
}

void small_world::tell_end(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  one.held.reset();
  tell(who, grant_ended{error(errc::ownership_lost)}, "grant_ended");
}

bool small_world::check_holds(const take_grant& asked) const {
  const auto* node = server_.state().nodes().find(asked.check_path);
  return node != nullptr && (asked.check_version == any_version || asked.check_version == node->version);
}

bool small_world::session_lives(const contender& one) const { return server_.sessions().find(one.session) != nullptr; }

// ---- the client -----------------------------------------------------------------------------------------------------

void small_world::send(contender& one, outgoing what) {
  if (!one.connected) {
    one.waiting.push_back(std::move(what));
    return;
  }
  what.xid = what.sets_watches ? wire::xid_set_watches : ++one.last_xid;
  one.unanswered.push_back(what);
  one.to_server.push_back(std::move(what));
}

void small_world::deliver(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  const auto message = std::move(one.to_client.front());
  one.to_client.pop_front();
  if (message.what == incoming::kind::closed) return lose_connection(who);
  one.last_zxid = std::max(one.last_zxid, message.zxid);
  if (message.what == incoming::kind::event) return take_event(one, who, message);
  one.unanswered.pop_front();
  if (message.asked.sets_watches) return;
  const auto& asked = message.asked.what;
  const auto& value = *message.value;
  const bool on_nothing =
      !value && value.error().code() == errc::no_node && std::holds_alternative<check_exists>(asked);
  if (asks_for_watch(asked) && (value || on_nothing)) {
    const auto type = std::holds_alternative<list_children>(asked) ? watch_kind::child
                      : on_nothing                                 ? watch_kind::exist
                                                                   : watch_kind::data;
    one.watches.push_back({type, watched_path(asked), message.asked.which});
  }
  tell(who, reply{message.asked.which, value}, fmt::format("reply {} {}", message.asked.which, to_text(value)));
}

void small_world::take_event(contender& one, int who, const incoming& event) {
  const auto of_this = [&](const watch& armed) {
    if (armed.path != event.path) return false;
    switch (event.type) {
      case wire::event_type::created:
      case wire::event_type::data_changed: return armed.kind != watch_kind::child;
      case wire::event_type::children_changed: return armed.kind == watch_kind::child;
      default: return true;
    }
  };
  const auto first = std::stable_partition(one.watches.begin(), one.watches.end(),
                                           [&](const watch& armed) { return !of_this(armed); });
  const std::vector<watch> fired(first, one.watches.end());
  one.watches.erase(first, one.watches.end());
  auto type = watch_event_type::removed;
  if (event.type == wire::event_type::created) type = watch_event_type::created;
  if (event.type == wire::event_type::data_changed) type = watch_event_type::data_changed;
  if (event.type == wire::event_type::children_changed) type = watch_event_type::children_changed;
  for (const auto& armed : fired) {
    tell(who, watch_fired{armed.which, type}, fmt::format("watch {} {}", armed.which, zkr::to_string(type)));
  }
}

/// The client notices: writes under way are lost, reads and syncs will be sent once more.
void small_world::lose_connection(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  one.connected = false;
  one.to_client.clear();
  std::vector<outgoing> lost;
  std::deque<outgoing> repeated;
  for (auto& asked : one.unanswered) {
    if (asked.sets_watches) continue;
    if (is_write(asked.what)) {
      lost.push_back(std::move(asked));
    } else {
      repeated.push_back(std::move(asked));
    }
  }
  one.unanswered.clear();
  for (auto& waits : one.waiting) repeated.push_back(std::move(waits));
  one.waiting = std::move(repeated);
  tell(who, suspended{}, "suspended");
  for (const auto& asked : lost) {
    tell(who, reply{asked.which, error(errc::connection_loss).set_sent(outcome::unknown)},
         fmt::format("reply {} lost", asked.which));
  }
}

void small_world::connect(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  for (const bool again : {false, true}) {
    // The connection of before may be at the server yet; it has to let go of its session.
    if (again) {
      server_.end_lag();  // refused by a member that knows less than the client: another one, then
      lagging_ = false;
    }
    const auto link = server_.open({}, now_);
    server_.receive(link, handshake_frame(one.session, one.password, one.last_zxid, session_timeout_ms), now_);
    const auto answer = take_handshake(server_.output(link));
    if (!answer) continue;
    one.to_server.clear();
    one.at_server = 0;
    if (answer->session_id != 0) one.at_server = link;
    one.lags = lagging_;
    if (one.session == 0) {
      owners_[answer->session_id] = fmt::format("s{}.{}", who, ++one.sessions);
      if (lagging_) seen_by_lagging_ = nodes_text();
    }
    one.session = answer->session_id;
    one.password = answer->password;
    one.connected = answer->session_id != 0;
    collect();
    return;
  }
}

void small_world::reconnect(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  const bool resumes = one.session != 0;
  const auto before = one.session;
  connect(who);
  if (!resumes) {
    for (auto& asked : std::exchange(one.waiting, {})) send(one, std::move(asked));
    return one.started ? tell(who, session_begun{}, "session_begun") : void();
  }
  if (!one.connected) {
    one.waiting.clear();
    one.watches.clear();
    one.last_zxid = 0;
    const auto over = [&] { tell(who, session_over{}, "session_over"); };
    one.session = before;  // what the machine knows until it is told
    if (one.started) over();
    one.held.reset();
    one.session = 0;
    one.password.clear();
    return;
  }
  if (!one.watches.empty()) send(one, {.sets_watches = true});
  for (auto& asked : std::exchange(one.waiting, {})) send(one, std::move(asked));
  tell(who, reconnected{}, "reconnected");
}

// ---- the server -----------------------------------------------------------------------------------------------------

void small_world::serve(int who) {
  auto& one = all_.at(static_cast<std::size_t>(who));
  const auto asked = std::move(one.to_server.front());
  one.to_server.pop_front();
  std::vector<std::string> paths[3];
  std::string frame;
  if (asked.sets_watches) {
    for (const auto& armed : one.watches) paths[static_cast<std::size_t>(armed.kind)].push_back(armed.path);
    frame = set_watches_frame(one.last_zxid, paths[0], paths[1], paths[2]);
  } else {
    frame = request_frame(asked.xid, asked.what);
  }
  server_.receive(one.at_server, frame, now_);
  const auto zxid = server_.state().last_zxid();
  if (zxid > labelled_) writers_[labelled_ = zxid] = fmt::format("{}:{}", owner_label(one.session), asked.xid);
  const bool brings_up_to_date = is_write(asked.what) || std::holds_alternative<sync_node>(asked.what);
  if (one.lags && brings_up_to_date) seen_by_lagging_ = nodes_text();
  collect();
}

// Takes what the server has to say and hands it to the clients' ends; nothing of it is delivered yet.
void small_world::collect() {
  labelled_ = std::max(labelled_, server_.state().last_zxid());
  std::vector<backend::connection_id> ready;
  server_.take_ready(ready);
  for (const auto id : ready) {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const contender& c) { return c.at_server == id; });
    auto& output = server_.output(id);
    const bool hears = found != all_.end() && found->connected && !found->finished;
    if (hears) {
      auto next = found->unanswered.begin();
      for (const auto& queued : found->to_client) next += queued.what == incoming::kind::reply ? 1 : 0;
      for (auto& got : split(output)) {
        incoming message{.zxid = got.zxid};
        if (got.event) {
          message.what = incoming::kind::event;
          message.type = got.event->type;
          message.path = got.event->path;
        } else {
          message.asked = *next++;
          message.value =
              message.asked.sets_watches ? result<reply_value>(reply_value()) : decoded(message.asked.what, got);
        }
        found->to_client.push_back(std::move(message));
      }
    }
    output.clear();
    if (!server_.is_closing(id)) continue;
    server_.disconnect(id);
    if (found == all_.end()) continue;
    found->at_server = 0;
    found->to_server.clear();
    if (hears) found->to_client.push_back({.what = incoming::kind::closed});
  }
}

// ---- books ----------------------------------------------------------------------------------------------------------

std::string small_world::label(std::int64_t zxid) const {
  const auto found = writers_.find(zxid);
  return found == writers_.end() ? "?" : found->second;
}

std::string small_world::owner_label(std::int64_t session) const {
  const auto found = owners_.find(session);
  return found == owners_.end() ? "-" : found->second;
}

std::string small_world::to_text(const stat_t& stat) const {
  return fmt::format("({} {} {} {})", label(stat.czxid), label(stat.mzxid), stat.version,
                     owner_label(stat.ephemeral_owner));
}

std::string small_world::to_text(const result<reply_value>& value) const {
  if (!value) {
    const auto& problem = value.error();
    return fmt::format("{} {}", to_string(problem.code()), problem.failed_operation().value_or(99));
  }
  std::string text = "ok";
  if (const auto* made = std::get_if<created>(&*value)) text += " " + made->path + to_text(made->stat);
  if (const auto* read = std::get_if<node>(&*value)) text += " '" + read->data + "'" + to_text(read->stat);
  if (const auto* stat = std::get_if<stat_t>(&*value)) text += to_text(*stat);
  if (const auto* list = std::get_if<child_list>(&*value)) {
    for (const auto& name : list->names) text += " " + name;
  }
  if (const auto* results = std::get_if<std::vector<transaction_result>>(&*value)) {
    for (const auto& each : *results) text += " " + each.path + to_text(each.stat);
  }
  return text;
}

std::string small_world::nodes_text() const {
  std::string text;
  std::vector<const backend::node*> open{&server_.state().nodes().root()};
  while (!open.empty()) {
    const auto* at = open.back();
    open.pop_back();
    text += fmt::format("{}='{}' {} {} {} {} {};", at->path, at->data, label(at->czxid), label(at->mzxid), at->version,
                        at->creations, owner_label(at->owner));
    for (const auto* child = at->first_child; child != nullptr; child = child->next_sibling) {
      if (child->path != "/zookeeper") open.push_back(child);
    }
  }
  return text;
}

std::string small_world::digest() const {
  std::string text = nodes_text();
  if (lagging_) text += "lag:" + seen_by_lagging_;
  for (const auto fault : faults_) text += static_cast<char>('A' + static_cast<int>(fault));
  for (const auto& one : all_) {
    text +=
        fmt::format("|{}{}{}{}{}", one.started, one.finished, one.crashed, session_lives(one), lagging_ && one.lags);
    for (const auto& asked : one.to_server) {
      text += asked.sets_watches ? "w" : recipes::testing::to_text(asked.what);
    }
    if (one.crashed) continue;
    if (one.finished) continue;
    text += fmt::format("{} {} {}{}", one.past, owner_label(one.session), one.connected, one.at_server != 0);
    if (one.held) text += fmt::format("g{}{}", one.held->given, one.held->lapsed);
    for (const auto& message : one.to_client) {
      text += fmt::format(";{}{}{}", static_cast<int>(message.what), static_cast<int>(message.type), message.path);
      if (message.value) text += to_text(*message.value);
    }
    for (const auto& waits : one.waiting) text += recipes::testing::to_text(waits.what);
    // What a reconnect would tell of the watches, those of replies that have not come yet among them.
    const auto will_be_told = [&](const std::string& path, std::int64_t seen) {
      const auto* node = server_.state().nodes().find(path);
      text += fmt::format("w{}{}", path, node == nullptr ? 0 : (node->mzxid > seen ? 2 : 1));
    };
    for (const auto& armed : one.watches) {
      text += static_cast<char>('0' + static_cast<int>(armed.kind));
      will_be_told(armed.path, one.last_zxid);
    }
    for (const auto& message : one.to_client) {
      for (const auto& armed : one.watches) will_be_told(armed.path, message.zxid);
      if (message.value && asks_for_watch(message.asked.what)) {
        will_be_told(watched_path(message.asked.what), message.zxid);
      }
    }
    if (lagging_) text += label(one.last_zxid);  // a member that knows less refuses the client
  }
  return text;
}

void small_world::note(std::string line) { notes_.push_back(std::move(line)); }

void small_world::fail(const std::string& rule) {
  if (broken_.empty()) broken_ = rule;
}

}  // namespace zkr::exhaustive
