#include "testing/sim_member.hpp"

#include <algorithm>
#include <utility>

#include "testing/sim_ensemble.hpp"
#include "testing/sim_leader.hpp"
#include "wire/codec.hpp"

namespace zkr::testing {

using kind = sim_message::kind;

namespace {

/// How long after SIGCONT a process has worked off what waited.
constexpr duration wake_up = std::chrono::milliseconds(5);

backend::processor_options serving_options(const sim_world& world) {
  backend::processor_options options;
  options.tick_time = std::chrono::duration_cast<std::chrono::milliseconds>(world.rules.tick_time);
  options.touches = backend::session_touches::by_caller;
  return options;
}

/// Whether the leader has a say in a request. A client's credentials go there too, without an answer.
enum class decision { here, leader, leader_too, sync };

decision who_decides(wire::opcode of) {
  switch (of) {
    case wire::opcode::create:
    case wire::opcode::create2:
    case wire::opcode::create_container:
    case wire::opcode::create_ttl:
    case wire::opcode::remove:
    case wire::opcode::set_data:
    case wire::opcode::set_acl:
    case wire::opcode::multi:
    case wire::opcode::reconfig:
    case wire::opcode::close_session: return decision::leader;
    case wire::opcode::auth: return decision::leader_too;
    case wire::opcode::sync: return decision::sync;
    default: return decision::here;
  }
}

}  // namespace

sim_member::sim_member(sim_ensemble& of, sim_world& world, std::size_t id)
    : of_(of), world_(world), id_(id), serving_(serving_options(world), world.instant_now()) {}

sim_member::~sim_member() = default;

// ---- roles ----------------------------------------------------------------------------------------------------------

void sim_member::later(time_point at, unique_function<void()> work) {
  world_.clock.schedule(at, [this, era = era_, work = std::move(work)]() mutable {
    if (!running_ || era != era_) return;
    if (!paused_) return work();
    held_.emplace_back([this, era, work = std::move(work)]() mutable {
      if (running_ && era == era_) work();
    });
  });
}

void sim_member::resume() {
  if (!std::exchange(paused_, false)) return;
  for (auto& work : std::exchange(held_, {})) {
    later(world_.clock.now() + world_.between(duration(0), wake_up), std::move(work));
  }
  of_.wires().released(id_, wake_up);
}

void sim_member::enter(role next) {
  ++era_;
  role_ = next;
}

void sim_member::lead(std::int64_t epoch) {
  enter(role::leading);
  leader_ = std::make_unique<sim_leader>(of_, world_, *this, epoch);
}

void sim_member::follow(std::size_t leader) {
  enter(role::following);
  followed_ = leader;
  stream_ = of_.next_stream();
  last_heard_ = world_.clock.now();
  to_leader({.what = kind::follow});
  watch_leader();
}

void sim_member::watch_leader() {
  later(last_heard_ + of_.patience(), [this] {
    // What waits in a connection comes before the end of anybody's patience.
    later(world_.clock.now() + wake_up, [this] {
      if (world_.clock.now() < last_heard_ + of_.patience()) return watch_leader();
      leave();
    });
  });
}

void sim_member::leave() {
  if (role_ == role::following) to_leader({.what = kind::hangup});
  leader_.reset();
  enter(role::looking);
  close_all();
  of_.look(*this);
}

void sim_member::close_all() {
  serves_ = false;
  handshakes_.clear();
  pending_.clear();
  touches_.clear();
  todo_.clear();
  std::vector<backend::connection_id> open;
  for (const auto& [id, one] : serving_.connections()) open.push_back(id);
  std::sort(open.begin(), open.end());
  for (const auto one : open) serving_.close(one);
  of_.has_output(id_);
}

void sim_member::kill() {
  if (!running_) return;
  if (role_ == role::following) to_leader({.what = kind::hangup});
  leader_.reset();
  enter(role::looking);
  running_ = paused_ = false;
  held_.clear();
  of_.wires().drop(id_);
  close_all();
}

void sim_member::start() {
  if (std::exchange(running_, true)) return;
  of_.look(*this);
}

void sim_member::begin_serving(std::int64_t epoch) {
  epoch_ = epoch;
  in_order([this, epoch] {
    if (const auto first = epoch << 32U; serving_.state().last_zxid() < first) serving_.begin_epoch(first);
    serves_ = true;
  });
}

// ---- clients --------------------------------------------------------------------------------------------------------

void sim_member::to_leader(sim_message what) {
  what.stream = stream_;
  of_.wires().send(id_, followed_, std::move(what));
}

void sim_member::receive(backend::connection_id from, const std::string& frame) {
  const auto found = serving_.connections().find(from);
  if (found == serving_.connections().end() || found->second.closing) return;
  if (!serves_) return serving_.close(from);
  if (found->second.session == nullptr) return greet(from, frame);
  if (!heard_of(found->second)) return;

  wire::reader body(frame);
  const auto header = wire::read_request_header(body);
  const auto decides = who_decides(header.type);
  auto& queue = pending_[from];
  const bool elsewhere = decides == decision::leader || (decides == decision::sync && leader_ == nullptr);
  queue.push_back({frame, header.xid, elsewhere});
  if (elsewhere || decides == decision::leader_too) {
    if (leader_ != nullptr) {
      leader_->request(id_, from, frame);
    } else {
      to_leader({.what = kind::request, .connection = from, .frame = frame});
    }
  }
  serve_turn(from);
}

// @return false where the packet goes unanswered.
bool sim_member::heard_of(const backend::connection& from) {
  const auto session = from.session->id;
  if (leader_ == nullptr) {
    touches_[session] = from.session->timeout;
    return true;
  }
  if (leader_->has_moved(id_, from.id)) {
    serving_.close(from.id);
    return false;
  }
  return leader_->touch(session, from.session->timeout);
}

void sim_member::greet(backend::connection_id from, const std::string& frame) {
  const auto asked = wire::decode_connect_request(frame);
  if (!asked || asked->last_zxid_seen > serving_.state().last_zxid()) return serving_.close(from);
  if (!handshakes_.try_emplace(from, frame).second) return;
  if (leader_ != nullptr) {
    leader_->handshake(id_, from, frame);
  } else {
    to_leader({.what = kind::handshake, .connection = from, .frame = frame});
  }
}

// Answers what stands before the next request that another decides.
void sim_member::serve_turn(backend::connection_id of) {
  for (auto found = pending_.find(of); found != pending_.end(); found = pending_.find(of)) {
    auto& queue = found->second;
    if (queue.empty() || serving_.is_closing(of)) {
      pending_.erase(found);
      return;
    }
    if (queue.front().decided_elsewhere) return;
    const auto frame = std::move(queue.front().frame);
    queue.pop_front();
    serving_.receive(of, frame, world_.instant_now());
  }
}

void sim_member::forget(backend::connection_id which) {
  serving_.disconnect(which);
  pending_.erase(which);
  handshakes_.erase(which);
}

void sim_member::expire(backend::session_id which) {
  if (const auto leader = of_.leader()) of_.member(*leader).leadership()->expire(which);
}

void sim_member::answer(backend::connection_id to, std::string frame) {
  in_order([this, to, frame = std::move(frame)] {
    const auto found = pending_.find(to);
    if (found == pending_.end() || found->second.empty()) return;
    if (frame.empty()) {
      found->second.front().decided_elsewhere = false;
    } else {
      found->second.pop_front();
      serving_.answer(to, frame);
    }
    serve_turn(to);
  });
}

void sim_member::admit(backend::connection_id which, backend::session_id session) {
  const auto handshake = handshakes_.extract(which);
  if (handshake) serving_.admit(which, handshake.mapped(), session, world_.instant_now());
}

void sim_member::reject(backend::connection_id which) { serving_.close(which); }

// ---- the log --------------------------------------------------------------------------------------------------------

void sim_member::in_order(unique_function<void()> work) {
  if (lag_ == duration(0) && todo_.empty()) return work();
  auto due = world_.clock.now() + lag_;
  if (!todo_.empty()) due = std::max(due, todo_.back().due);
  todo_.push_back({due, std::move(work)});
  later(due, [this] {
    work_off();
    of_.has_output(id_);
  });
}

void sim_member::work_off() {
  while (!todo_.empty() && todo_.front().due <= world_.clock.now()) {
    auto work = std::move(todo_.front().work);
    todo_.pop_front();
    work();
  }
}

void sim_member::commit(std::int64_t zxid) {
  in_order([this, zxid] {
    while (applied_ < log_.size() && log_[applied_]->zxid() <= zxid) {
      const auto entry = log_[applied_++];
      apply(*entry);
    }
  });
}

// As Apache's servers do, by the session and its client's xid only: a client that uses an xid twice gets what was meant
// for another of its requests.
backend::connection_id sim_member::who_waits_for(const sim_entry& one) {
  const auto* session = serving_.sessions().find(one.what.header.session);
  if (session == nullptr) return 0;
  const auto found = pending_.find(session->connection);
  if (found == pending_.end() || found->second.empty()) return 0;
  const auto& next = found->second.front();
  return next.decided_elsewhere && next.xid == one.what.header.cxid ? session->connection : 0;
}

void sim_member::apply(const sim_entry& one) {
  const auto waits = who_waits_for(one);
  if (waits != 0) pending_[waits].pop_front();
  serving_.replay(one.what, one.reply, waits, world_.instant_now());
  if (one.member == id_ && !one.handshake.empty()) admit(one.connection, one.what.header.session);
  if (waits == 0) return;
  if (one.ends_connection) serving_.close(waits);
  serve_turn(waits);
}

// ---- messages -------------------------------------------------------------------------------------------------------

void sim_member::on_message(std::size_t from, sim_message& what) {
  const auto refuse = [&] { of_.wires().send(id_, from, {.what = kind::hangup, .stream = what.stream}); };
  if (!running_) {
    if (what.what != kind::hangup) refuse();
    return;
  }
  if (leader_ != nullptr) {
    leader_->on_message(from, what);
  } else if (role_ == role::following && from == followed_ && what.stream == stream_) {
    last_heard_ = world_.clock.now();
    on_leaders_message(what);
  } else if (what.what == kind::follow) {
    refuse();  // it does not lead (any more)
  }
  of_.has_output(id_);
}

void sim_member::on_leaders_message(sim_message& what) {
  switch (what.what) {
    case kind::hangup: return leave();
    case kind::history:
      log_ = std::move(what.log);
      epoch_ = what.epoch;
      return to_leader({.what = kind::ack, .zxid = last_zxid()});
    case kind::proposal:
      log_.push_back(std::move(what.entry));
      return to_leader({.what = kind::ack, .zxid = last_zxid()});
    case kind::commit: return commit(what.zxid);
    case kind::up_to_date: commit(what.zxid); return begin_serving(what.epoch);
    case kind::ping: return to_leader({.what = kind::ping_reply, .touches = std::exchange(touches_, {})});
    case kind::answer: return answer(what.connection, std::move(what.frame));
    case kind::admitted: return admit(what.connection, what.session);
    case kind::rejected: return reject(what.connection);
    case kind::follow:
    case kind::ack:
    case kind::ping_reply:
    case kind::handshake:
    case kind::request: return;
  }
}

}  // namespace zkr::testing
