#include "recipes/common/queue_machine.hpp"

#include <algorithm>

#include "zkrecipes/path.hpp"

namespace zkr::recipes {

queue_machine::queue_machine(queue_settings settings)
    : settings_(std::move(settings)),
      remover_(tags_),
      directory_(settings_.path, create_mode::container, settings_.parent_acl, tags_) {}

void queue_machine::on(const event& what, context& with, actions& out) {
  if (state_ == state::ended) return;
  std::visit([&](const auto& it) { handle(it, with, out); }, what);
}

// ---- events ---------------------------------------------------------------------------------------------------------

void queue_machine::handle(const start&, context& with, actions& out) {
  if (state_ == state::idle) become_contender(with, out);
}

void queue_machine::handle(const reply& what, context& with, actions& out) {
  if (remover_.owns(what.tag)) {
    if (const auto removed = remover_.on_reply(what, out)) on_removed(*removed);
    if (state_ == state::leaving) conclude(out);
    return;
  }
  if (directory_.on_reply(what)) return;
  if (what.tag == out_.create) return on_created(what, with, out);
  if (what.tag == out_.found) return on_found(what, with, out);
  if (what.tag == out_.predecessor) return on_predecessor(what, with, out);
  if (what.tag == out_.sync) {
    if (!what.value && classify(what.value.error()) == trouble::again) settle(out);  // a look without it proves nothing
    return;
  }
  if (what.tag != out_.list) return;
  if (state_ == state::settling) on_looked_up(what, out);
  if (state_ == state::listing) on_listed(what, with, out);
}

void queue_machine::handle(const watch_fired& what, context&, actions& out) {
  if (what.tag != out_.predecessor) return;
  switch (what.type) {
    case watch_event_type::removed:
      if (predecessor_is_first_ && !settings_.list_when_woken) return ask_for_grant(out);
      return list(out);
    case watch_event_type::session_lost:
    case watch_event_type::closed: return;  // session_over or shut_down says it
    default: return arm(out);               // the one-shot watch is spent on something else
  }
}

void queue_machine::handle(const timer_fired& what, context&, actions& out) {
  if (remover_.owns(what.tag)) remover_.on_timer(what.tag, out);
}

void queue_machine::handle(const session_over&, context&, actions& out) {
  if (state_ == state::idle) return;
  if (unconfirmed() && !problem_) {
    problem_ = error(errc::ownership_lost, settings_.recipe, settings_.path,
                     "the session ended before the server confirmed a release");
  }
  if (state_ == state::granting) out.emplace_back(end_grant{});
  // The server removes our nodes; no reply of that session comes any more.
  remover_.forget();
  directory_.forget();
  out_ = {};
  own_.reset();
  if (was_granted_ || gave_up_ || declined_ || problem_) return conclude(out);
  warm(false, out);
  state_ = state::between_sessions;
}

void queue_machine::handle(const session_begun&, context& with, actions& out) {
  if (state_ == state::between_sessions) become_contender(with, out);
}

void queue_machine::handle(const grant_given&, context&, actions&) {
  if (state_ != state::granting) return;
  was_granted_ = true;
  state_ = state::held;
}

void queue_machine::handle(const grant_ended& what, context& with, actions& out) {
  if (state_ == state::granting) {
    if (!worth_another_try(what.why)) return fail(what.why, out);
    withdraw(out);
    return become_contender(with, out);
  }
  if (state_ != state::held) return;
  problem_ = error(errc::ownership_lost, settings_.recipe, settings_.path, what.why.message());
  withdraw(out);
  conclude(out);
}

void queue_machine::handle(const cancel& what, context&, actions& out) { give_up(what.why, out); }
void queue_machine::handle(const release&, context&, actions& out) { give_up(errc::cancelled, out); }

void queue_machine::handle(const shut_down&, context&, actions& out) {
  if ((!was_granted_ || unconfirmed()) && !problem_) problem_ = error(errc::closed, settings_.recipe, settings_.path);
  remover_.forget();
  conclude(out);
}

// ---- replies --------------------------------------------------------------------------------------------------------

void queue_machine::on_created(const reply& answer, context& with, actions& out) {
  out_.create = 0;
  if (answer.value) {
    make_directory_ = false;
    const auto& node = value_of<created>(answer);
    if (gave_up_) {
      remover_.remove(node.path, out);
      return conclude(out);
    }
    if (node.stat.ephemeral_owner != with.session_id) {
      remover_.remove(node.path, out);
      return become_contender(with, out);
    }
    own_ = own_node{node.path, node.stat.czxid};
    state_ = state::listing;  // the list's reply comes next
    return;
  }
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt: return settle(out);
    case trouble::again: return gave_up_ ? conclude(out) : create(out);
    case trouble::refused: break;
  }
  if (gave_up_) return conclude(out);
  if (problem.code() != errc::no_node) return fail(problem, out);
  if (make_directory_) {
    if (auto reason = directory_.problem()) return fail(*std::move(reason), out);
  }
  make_directory_ = true;
  create(out);
}

void queue_machine::on_listed(const reply& answer, context& with, actions& out) {
  out_.list = 0;
  if (answer.value) return take_turn(value_of<child_list>(answer), with, out);
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt:
    case trouble::again: return list(out);
    case trouble::refused: break;
  }
  if (problem.code() != errc::no_node) return fail(problem, out);
  withdraw(out);
  become_contender(with, out);
}

void queue_machine::on_looked_up(const reply& answer, actions& out) {
  out_.list = 0;
  if (!answer.value) {
    const auto& problem = answer.value.error();
    switch (classify(problem)) {
      case trouble::over: return;
      case trouble::in_doubt:
      case trouble::again: return settle(out);
      case trouble::refused: break;
    }
    if (problem.code() != errc::no_node) return fail(problem, out);
    return gave_up_ ? conclude(out) : create(out);
  }
  const auto prefix = protected_name(uuid_, settings_.markers.front());
  std::vector<std::string> found;
  for (const auto& name : value_of<child_list>(answer).names) {
    if (name.starts_with(prefix)) found.push_back(join_path(settings_.path, name));
  }
  if (gave_up_) {
    for (auto& path : found) remover_.remove(std::move(path), out);
    return conclude(out);
  }
  if (found.empty()) return create(out);
  found_ = *std::min_element(found.begin(), found.end());  // others are removed when it is our turn
  verify(out);
}

void queue_machine::on_found(const reply& answer, context& with, actions& out) {
  out_.found = 0;
  if (answer.value) {
    const auto& stat = value_of<stat_t>(answer);
    if (stat.ephemeral_owner == with.session_id) {
      own_ = own_node{found_, stat.czxid};
      state_ = state::listing;  // the list's reply comes next
      return;
    }
    remover_.remove(found_, out);
    return become_contender(with, out);
  }
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt:
    case trouble::again: return verify(out);
    case trouble::refused: break;
  }
  if (problem.code() == errc::no_node) return create(out);
  remover_.remove(found_, out);
  fail(problem, out);
}

void queue_machine::on_predecessor(const reply& answer, context&, actions& out) {
  if (answer.value) {
    if (state_ == state::arming) state_ = state::waiting;
    return;
  }
  const auto& problem = answer.value.error();
  switch (classify(problem)) {
    case trouble::over: return;
    case trouble::in_doubt:
    case trouble::again: return arm(out);
    case trouble::refused: break;
  }
  if (problem.code() == errc::no_node) return list(out);
  if (problem.code() == errc::no_auth && !use_exists_) {
    use_exists_ =
        true;  // needs no permission; leaves a useless watch where there is no node, hence not the first choice
    return arm(out);
  }
  fail(problem, out);
}

void queue_machine::on_removed(const node_remover::removal& removed) {
  if (removed.path != leaving_path_) return;
  leaving_path_.clear();
  if (was_granted_ && removed.was_missing && !problem_) {
    problem_ = error(errc::ownership_lost, settings_.recipe, removed.path, "somebody else had removed the node");
  }
}

// ---- actions --------------------------------------------------------------------------------------------------------

void queue_machine::become_contender(context& with, actions& out) {
  uuid_ = (*with.make_uuid)();
  create(out);
}

/// Under the same name as before where an earlier create had no effect: should it come true later nevertheless, the next
/// list shows whose it is.
void queue_machine::create(actions& out) {
  state_ = state::creating;
  out_ = {};
  if (make_directory_) directory_.request_all(out);
  auto stem = join_path(settings_.path, protected_name(uuid_, settings_.markers.front()));
  out_.create =
      ask(create_node{std::move(stem), settings_.id, {.mode = create_mode::ephemeral_sequential, .acl = settings_.acl}},
          out);
  out_.list = ask(list_children{settings_.path}, out);
}

void queue_machine::settle(actions& out) {
  state_ = state::settling;
  out_ = {};
  out_.sync = ask(sync_node{settings_.path}, out);
  out_.list = ask(list_children{settings_.path}, out);
}

void queue_machine::verify(actions& out) {
  state_ = state::verifying;
  out_ = {};
  out_.found = ask(check_exists{found_}, out);
  out_.list = ask(list_children{settings_.path}, out);
}

void queue_machine::list(actions& out) {
  state_ = state::listing;
  out_ = {};
  out_.list = ask(list_children{settings_.path}, out);
}

void queue_machine::take_turn(const child_list& children, context& with, actions& out) {
  auto all = sort_contenders(children.names, settings_.markers);
  report_unknown(std::move(all.unknown), out);

  const auto own_name = node_name(own_->path);
  const auto prefix = protected_name(uuid_, settings_.markers.front());
  std::vector<contender> turns;
  for (auto& one : all.ordered) {
    if (one.name.starts_with(prefix) && one.name != own_name) {
      remover_.remove(join_path(settings_.path, one.name), out);  // a lost create of ours came true after all
    } else {
      turns.push_back(std::move(one));
    }
  }
  const auto own = std::find_if(turns.begin(), turns.end(), [&](const contender& c) { return c.name == own_name; });
  if (own == turns.end()) {
    if (!parse_sequence(own_name, settings_.markers.front())) {
      return fail(
          error(errc::data_inconsistency, settings_.recipe, own_->path, "the server gave it no sequence number"), out);
    }
    withdraw(out);
    return become_contender(with, out);
  }
  const auto before = std::find_if(std::make_reverse_iterator(own), turns.rend(),
                                   [this](const contender& other) { return !passes(other); });
  if (before == turns.rend()) return ask_for_grant(out);
  if (settings_.patience == queue_patience::once) return decline(out);
  predecessor_ = join_path(settings_.path, before->name);
  predecessor_is_first_ = std::next(before) == turns.rend();
  warm(predecessor_is_first_, out);
  arm(out);
}

/// Whether `other` does not stand in our way.
bool queue_machine::passes(const contender& other) const {
  return std::any_of(settings_.passes.begin(), settings_.passes.end(),
                     [&](const std::string& marker) { return parse_sequence(other.name, marker).has_value(); });
}

void queue_machine::arm(actions& out) {
  state_ = state::arming;
  out_ = {};
  if (use_exists_) {
    out_.predecessor = ask(check_exists{predecessor_, true}, out);
  } else {
    out_.predecessor = ask(read_node{predecessor_, true}, out);
  }
}

void queue_machine::ask_for_grant(actions& out) {
  state_ = state::granting;
  out_ = {};
  warm(true, out);
  out.emplace_back(take_grant{own_->path, own_->czxid, own_->path, any_version});
}

/// A grant was given, and the server has not said yet that its node is gone.
bool queue_machine::unconfirmed() const { return state_ == state::held || (was_granted_ && !leaving_path_.empty()); }

/// Removes our node, if we know of one. Also where it seems to be gone: a removal too many costs nothing.
void queue_machine::withdraw(actions& out) {
  if (!own_) return;
  leaving_path_ = own_->path;
  remover_.remove(own_->path, out);
  own_.reset();
}

/// The caller or holder wants no more: leave nothing behind.
void queue_machine::give_up(errc why, actions& out) {
  if (gave_up_ || state_ == state::leaving) return;
  gave_up_ = true;
  if (!was_granted_) problem_ = error(why, settings_.recipe, settings_.path);
  switch (state_) {
    case state::creating:
    case state::settling: return;  // what became of the create decides
    case state::verifying: remover_.remove(found_, out); break;
    case state::granting:
    case state::held: out.emplace_back(end_grant{}); break;
    default: break;
  }
  withdraw(out);
  conclude(out);
}

/// Another one stands before us, and we do not wait.
void queue_machine::decline(actions& out) {
  declined_ = true;
  out.emplace_back(emit{.what = emit_taken});
  withdraw(out);
  conclude(out);
}

void queue_machine::fail(error why, actions& out) {
  if (!problem_) problem_ = std::move(why);
  withdraw(out);
  conclude(out);
}

/// Ends, as soon as all removals are done.
void queue_machine::conclude(actions& out) {
  state_ = state::leaving;
  out_ = {};
  warm(false, out);
  if (!remover_.idle()) return;
  if (!declined_) {
    out.emplace_back(emit{.what = was_granted_ ? emit_released : emit_failed, .problem = problem_});
  }
  out.emplace_back(finish{});
  state_ = state::ended;
}

void queue_machine::warm(bool on, actions& out) {
  if (warm_ == on) return;
  warm_ = on;
  out.emplace_back(keep_lease_warm{on});
}

/// Each name once, for as long as it stays.
void queue_machine::report_unknown(std::vector<std::string> names, actions& out) {
  for (const auto& name : names) {
    if (std::binary_search(reported_.begin(), reported_.end(), name)) continue;
    out.emplace_back(emit{.what = emit_report,
                          .problem = error(errc::data_inconsistency, settings_.recipe, join_path(settings_.path, name),
                                           "not a contender's name: it is neither waited for nor removed")});
  }
  reported_ = std::move(names);
}

tag queue_machine::ask(recipes::operation what, actions& out) {
  const auto which = tags_.next();
  out.emplace_back(request{which, std::move(what)});
  return which;
}

}  // namespace zkr::recipes
