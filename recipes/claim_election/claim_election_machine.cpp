#include "recipes/claim_election/claim_election_machine.hpp"

#include <charconv>
#include <limits>

#include "zkrecipes/path.hpp"

namespace zkr::recipes {
namespace {

constexpr std::string_view who = "claim_election";

/// Kafka's decimal text; one more must fit.
std::optional<std::int64_t> parse_epoch(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  const bool whole = problem == std::errc() && stop == end;
  if (!whole || value < 0 || value == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return value;
}

/// A node's version after one more write (the server's counter wraps).
std::int32_t next_version(std::int32_t version) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(version) + 1);
}

}  // namespace

claim_election_machine::claim_election_machine(claim_election_options options, claim_patience patience,
                                               std::shared_ptr<claim_register> claims)
    : options_(std::move(options)),
      patience_(patience),
      claims_(std::move(claims)),
      node_parents_(parent_path(options_.path), create_mode::persistent, options_.parent_acl, tags_),
      epoch_parents_(parent_path(options_.epoch_path), create_mode::persistent, options_.parent_acl, tags_) {}

claim_election_machine::~claim_election_machine() { drop_claim(); }

void claim_election_machine::on(const event& what, context& with, actions& out) {
  if (state_ == state::ended) return;
  std::visit([&](const auto& it) { handle(it, with, out); }, what);
}

// ---- events ---------------------------------------------------------------------------------------------------------

void claim_election_machine::handle(const start&, context&, actions& out) {
  if (state_ == state::idle) look(out);
}

void claim_election_machine::handle(const reply& what, context& with, actions& out) {
  if (node_parents_.on_reply(what) || epoch_parents_.on_reply(what)) return;
  if (what.tag == out_.sync) {
    // A look without it proves nothing.
    const bool repeat = !what.value && classify(what.value.error()) == trouble::again;
    if (repeat && state_ == state::settling) settle(out);
    if (repeat && state_ == state::examining) examine(out);
    return;
  }
  if (what.tag == out_.epoch) return on_epoch(what);
  if (what.tag != out_.node && what.tag != out_.write) return;
  switch (state_) {
    case state::looking: return on_looked(what, out);
    case state::preparing: return on_prepared(what, out);
    case state::claiming: return on_claimed(what, with, out);
    case state::settling: return on_settled(what, with, out);
    case state::granting:
    case state::held: return on_own_node(what, out);
    case state::resigning: return on_resigned(what, out);
    case state::examining: return on_examined(what, out);
    case state::repairing: return on_repaired(what, out);
    default: return;
  }
}

void claim_election_machine::handle(const watch_fired& what, context&, actions& out) {
  if (what.tag != out_.node) return;
  if (what.type == watch_event_type::session_lost || what.type == watch_event_type::closed) return;
  if (state_ == state::following) return look(out);
  if (state_ != state::granting && state_ != state::held) return;
  if (what.type == watch_event_type::removed) return displaced(out);
  watch_own_node(out);
}

void claim_election_machine::handle(const timer_fired& what, context&, actions& out) {
  if (state_ == state::pausing && what.tag == out_.timer) examine(out);
}

void claim_election_machine::handle(const session_over&, context&, actions& out) {
  if (state_ == state::idle) return;
  if (was_granted_ && !problem_) {
    problem_ =
        error(errc::ownership_lost, who, options_.path, "the session ended before the server confirmed a release");
  }
  if (state_ == state::granting) out.emplace_back(end_grant{});
  // The server removes our node; no reply of that session comes any more.
  drop_claim();
  out_ = {};
  needs_parents_ = false;
  if (was_granted_ || gave_up_ || problem_) return conclude(out);
  warm(false, out);
  state_ = state::between_sessions;
}

void claim_election_machine::handle(const session_begun&, context&, actions& out) {
  if (state_ == state::between_sessions) look(out);
}

void claim_election_machine::handle(const grant_given&, context&, actions&) {
  if (state_ != state::granting) return;
  was_granted_ = true;
  state_ = state::held;
}

void claim_election_machine::handle(const grant_ended& what, context&, actions& out) {
  if (state_ == state::granting) {
    if (!worth_another_try(what.why)) problem_ = what.why;
    return resign(out);
  }
  if (state_ != state::held) return;
  problem_ = error(errc::ownership_lost, who, options_.path, what.why.message());
  resign(out);
}

void claim_election_machine::handle(const cancel& what, context&, actions& out) { give_up(what.why, out); }
void claim_election_machine::handle(const release&, context&, actions& out) { give_up(errc::cancelled, out); }

void claim_election_machine::handle(const shut_down&, context&, actions& out) {
  if (!problem_) problem_ = error(errc::closed, who, options_.path);
  conclude(out);
}

// ---- replies --------------------------------------------------------------------------------------------------------

void claim_election_machine::on_epoch(const reply& answer) {
  epoch_.reset();
  epoch_error_.reset();
  if (!answer.value) {
    if (!is_refusal(answer.value.error(), errc::no_node)) epoch_error_ = answer.value.error();
  } else if (const auto* read = std::get_if<node>(&*answer.value)) {
    epoch_ = epoch{read->stat, parse_epoch(read->data)};
  } else {
    epoch_ = epoch{value_of<stat_t>(answer), std::nullopt};
  }
}

void claim_election_machine::on_looked(const reply& answer, actions& out) {
  if (answer.value) return follow(value_of<node>(answer), out);
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt:
    case trouble::again: return look(out);
    case trouble::refused: break;
  }
  if (problem.code() == errc::no_node) return go_for_it(out);
  fail(problem, out);
}

void claim_election_machine::on_prepared(const reply& answer, actions& out) {
  if (answer.value) {
    epoch_ = epoch{value_of<created>(answer).stat, 0};
    epoch_error_.reset();
    if (!needs_parents_) return make_claim(out);
    // The epoch node too was missing: the look below finds both.
  }
  const bool needed_parents = std::exchange(needs_parents_, false);
  if (answer.value || is_refusal(answer.value.error(), errc::node_exists)) {
    const auto missing = node_parents_.problem();
    if (needed_parents && missing) return fail(*missing, out);
    return look(out);
  }
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt:
    case trouble::again: return look(out);
    case trouble::refused: break;
  }
  if (problem.code() != errc::no_node) return fail(problem, out);
  if (const auto missing = parents_of_epoch().problem()) return fail(*missing, out);
  prepare(out);
}

void claim_election_machine::on_claimed(const reply& answer, context& with, actions& out) {
  if (answer.value) {
    const auto& results = value_of<std::vector<transaction_result>>(answer);
    const auto& own = results.at(1).stat;
    if (own.ephemeral_owner != with.session_id || !claims_->take(with.session_id, own.czxid)) {
      return gave_up_ ? conclude(out) : look(out);
    }
    claim_ = claim{with.session_id, own.czxid, results.at(2).stat.version};
    node_version_ = own.version;
    return gave_up_ ? resign(out) : ask_for_grant(out);
  }
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt: return settle(out);
    case trouble::again: return gave_up_ ? conclude(out) : look(out);
    case trouble::refused: break;
  }
  if (gave_up_) return conclude(out);
  switch (problem.code()) {
    case errc::node_exists:
    case errc::bad_version: return look(out);
    case errc::no_node:
      if (problem.failed_operation() == 2) return look(out);  // the epoch node
      needs_parents_ = true;
      return prepare(out);
    default: return fail(problem, out);
  }
}

void claim_election_machine::on_settled(const reply& answer, context& with, actions& out) {
  if (!answer.value) {
    const auto& problem = answer.value.error();
    switch (classify(problem)) {
      case trouble::over: return;
      case trouble::in_doubt:
      case trouble::again: return settle(out);
      case trouble::refused: break;
    }
    if (problem.code() != errc::no_node) return fail(problem, out);
    return gave_up_ ? conclude(out) : go_for_it(out);
  }
  if (epoch_error_ && classify(*epoch_error_) != trouble::refused) {
    return classify(*epoch_error_) == trouble::over ? void() : settle(out);
  }
  const auto& found = value_of<node>(answer);
  // A node of our session that no campaign has: only a claim that lost its reply can have made it, ours or that of another
  // campaign of this client.
  if (found.stat.ephemeral_owner != with.session_id || !claims_->take(with.session_id, found.stat.czxid)) {
    return gave_up_ ? conclude(out) : follow(found, out);
  }
  claim_ = claim{with.session_id, found.stat.czxid, next_version(attempt_.version)};
  node_version_ = found.stat.version;
  // The claim's second operation took the node to version 1, its third wrote the epoch in the same transaction.
  const bool proven = found.data == options_.id && found.stat.version == 1 && epoch_ &&
                      epoch_->value == attempt_.value && epoch_->stat.version == claim_->epoch_version &&
                      epoch_->stat.mzxid == claim_->czxid;
  if (proven && !gave_up_) return ask_for_grant(out);
  examine(out);
}

void claim_election_machine::on_own_node(const reply& answer, actions& out) {
  if (answer.value) {
    if (value_of<stat_t>(answer).czxid != claim_->czxid) displaced(out);
    return;
  }
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::in_doubt:
    case trouble::again: return watch_own_node(out);
    case trouble::over: return;
    case trouble::refused:
      if (problem.code() == errc::no_node) displaced(out);
      return;
  }
}

void claim_election_machine::on_resigned(const reply& answer, actions& out) {
  if (answer.value) return resigned(out);
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt: maybe_resigned_ = true; return examine(out);
    case trouble::again: return resign(out);
    case trouble::refused: break;
  }
  if (problem.code() == errc::no_node || problem.code() == errc::bad_version) return examine(out);
  rest(problem, out);
}

void claim_election_machine::on_examined(const reply& answer, actions& out) {
  if (!answer.value) {
    const auto& problem = answer.value.error();
    switch (classify(problem)) {
      case trouble::over: return;
      case trouble::in_doubt:
      case trouble::again: return examine(out);
      case trouble::refused: break;
    }
    if (problem.code() != errc::no_node) return rest(problem, out);
  }
  const auto* stat = answer.value ? &value_of<stat_t>(answer) : nullptr;
  if (stat == nullptr || stat->czxid != claim_->czxid || stat->ephemeral_owner != claim_->session_id) {
    if (was_granted_ && !maybe_resigned_ && !problem_) {
      problem_ = error(errc::ownership_lost, who, options_.path, "somebody else had removed the node");
    }
    return resigned(out);
  }
  if (epoch_error_) {
    switch (classify(*epoch_error_)) {
      case trouble::over: return;
      case trouble::in_doubt:
      case trouble::again: return examine(out);
      case trouble::refused: return rest(*epoch_error_, out);
    }
  }
  if (!epoch_) return repair(out);
  claim_->epoch_version = epoch_->stat.version;
  node_version_ = stat->version;
  resign(out);
}

void claim_election_machine::on_repaired(const reply& answer, actions& out) {
  if (answer.value) return examine(out);
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt:
    case trouble::again: return examine(out);
    case trouble::refused: break;
  }
  if (problem.code() == errc::node_exists) return examine(out);
  if (problem.code() != errc::no_node) return rest(problem, out);
  if (const auto missing = epoch_parents_.problem()) return rest(*missing, out);
  repair(out);
}

// ---- actions --------------------------------------------------------------------------------------------------------

void claim_election_machine::look(actions& out) {
  state_ = state::looking;
  out_ = {};
  out_.epoch = ask(read_node{options_.epoch_path}, out);
  out_.node = ask(read_node{options_.path, patience_ == claim_patience::wait}, out);
}

/// Nobody leads.
void claim_election_machine::go_for_it(actions& out) {
  if (epoch_error_) {
    switch (classify(*epoch_error_)) {
      case trouble::over: return;
      case trouble::in_doubt:
      case trouble::again: return look(out);
      case trouble::refused: return fail(*epoch_error_, out);
    }
  }
  if (!epoch_) return prepare(out);
  if (!epoch_->value) {
    return fail(error(errc::data_inconsistency, who, options_.epoch_path, "the epoch node holds no usable number"),
                out);
  }
  make_claim(out);
}

void claim_election_machine::prepare(actions& out) {
  state_ = state::preparing;
  out_ = {};
  node_parents_.request_all(out);
  if (&parents_of_epoch() == &epoch_parents_) epoch_parents_.request_all(out);
  out_.write = ask(create_node{options_.epoch_path, "0", {.acl = options_.parent_acl}}, out);
}

void claim_election_machine::make_claim(actions& out) {
  state_ = state::claiming;
  out_ = {};
  warm(true, out);
  attempt_ = attempt{*epoch_->value + 1, epoch_->stat.version};
  transaction writes;
  writes.create(options_.path, options_.id, {.mode = create_mode::ephemeral, .acl = options_.acl});
  writes.set(options_.path, options_.id, 0);  // for its stat: a create in a transaction gives none
  writes.set(options_.epoch_path, std::to_string(attempt_.value), attempt_.version);
  out_.write = ask(commit{std::move(writes)}, out);
}

void claim_election_machine::settle(actions& out) {
  state_ = state::settling;
  out_ = {};
  out_.sync = ask(sync_node{options_.path}, out);
  out_.epoch = ask(read_node{options_.epoch_path}, out);
  out_.node = ask(read_node{options_.path, patience_ == claim_patience::wait}, out);
}

void claim_election_machine::follow(const node& other, actions& out) {
  warm(false, out);
  if (patience_ == claim_patience::wait) {
    state_ = state::following;
    return;
  }
  out.emplace_back(emit{.what = emit_other, .text = other.data, .number = other.stat.czxid});
  out.emplace_back(finish{});
  state_ = state::ended;
}

void claim_election_machine::ask_for_grant(actions& out) {
  state_ = state::granting;
  out.emplace_back(take_grant{options_.path, claim_->czxid, options_.epoch_path, claim_->epoch_version});
  watch_own_node(out);
}

/// Heartbeats check the epoch only; a node that somebody removes is noticed by its watch.
void claim_election_machine::watch_own_node(actions& out) {
  out_ = {};
  out_.node = ask(check_exists{options_.path, true}, out);
}

void claim_election_machine::displaced(actions& out) {
  out.emplace_back(end_grant{});
  if (state_ == state::held) {
    problem_ = error(errc::ownership_lost, who, options_.path, "somebody else has removed the node");
  }
  examine(out);
}

void claim_election_machine::resign(actions& out) {
  state_ = state::resigning;
  out_ = {};
  transaction writes;
  writes.check(options_.epoch_path, claim_->epoch_version).remove(options_.path, node_version_);
  out_.write = ask(commit{std::move(writes)}, out);
}

void claim_election_machine::examine(actions& out) {
  state_ = state::examining;
  out_ = {};
  out_.sync = ask(sync_node{options_.path}, out);
  // The epoch first: a claim of another's after that raises it, and the resignation that checks it fails.
  out_.epoch = ask(check_exists{options_.epoch_path}, out);
  out_.node = ask(check_exists{options_.path}, out);
}

/// Nothing can be removed under the guard of an epoch that is not there.
void claim_election_machine::repair(actions& out) {
  state_ = state::repairing;
  out_ = {};
  epoch_parents_.request_all(out);
  out_.write = ask(create_node{options_.epoch_path, std::to_string(attempt_.value), {.acl = options_.parent_acl}}, out);
}

void claim_election_machine::rest(const error& refusal, actions& out) {
  if (!reported_) out.emplace_back(emit{.what = emit_report, .problem = refusal});
  reported_ = true;
  state_ = state::pausing;
  out_ = {};
  out_.timer = tags_.next();
  out.emplace_back(start_timer{out_.timer, pause});
}

/// Our node is gone.
void claim_election_machine::resigned(actions& out) {
  drop_claim();
  maybe_resigned_ = false;
  if (was_granted_ || gave_up_ || problem_) return conclude(out);
  look(out);
}

/// The caller or holder wants no more: leave nothing behind.
void claim_election_machine::give_up(errc why, actions& out) {
  if (gave_up_) return;
  gave_up_ = true;
  if (!was_granted_ && !problem_) problem_ = error(why, who, options_.path);
  switch (state_) {
    case state::idle:
    case state::looking:
    case state::preparing:
    case state::following:
    case state::between_sessions: return conclude(out);
    case state::granting:
    case state::held: out.emplace_back(end_grant{}); return resign(out);
    default: return;  // what became of the claim decides, or we are leaving already
  }
}

/// Ends where nothing of ours is on the server.
void claim_election_machine::fail(error why, actions& out) {
  if (!problem_) problem_ = std::move(why);
  conclude(out);
}

void claim_election_machine::conclude(actions& out) {
  drop_claim();
  out_ = {};
  warm(false, out);
  out.emplace_back(emit{.what = was_granted_ ? emit_released : emit_failed, .problem = problem_});
  out.emplace_back(finish{});
  state_ = state::ended;
}

void claim_election_machine::drop_claim() {
  if (claim_) claims_->drop(claim_->session_id, claim_->czxid);
  claim_.reset();
}

void claim_election_machine::warm(bool on, actions& out) {
  if (warm_ == on) return;
  warm_ = on;
  out.emplace_back(keep_lease_warm{on});
}

directory_maker& claim_election_machine::parents_of_epoch() {
  return parent_path(options_.path) == parent_path(options_.epoch_path) ? node_parents_ : epoch_parents_;
}

tag claim_election_machine::ask(recipes::operation what, actions& out) {
  const auto which = tags_.next();
  out.emplace_back(request{which, std::move(what)});
  return which;
}

}  // namespace zkr::recipes
