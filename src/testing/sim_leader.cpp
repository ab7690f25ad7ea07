#include "testing/sim_leader.hpp"

#include <algorithm>
#include <utility>

#include "server/storage/record_codec.hpp"
#include "testing/sim_ensemble.hpp"
#include "wire/codec.hpp"

namespace zkr::testing {

using kind = sim_message::kind;

namespace {

class nobody final : public backend::change_sink {
  void created(std::string_view, backend::acl_id, std::string_view, backend::acl_id) override {}
  void removed(std::string_view, backend::acl_id, std::string_view, backend::acl_id) override {}
  void data_changed(std::string_view, backend::acl_id) override {}
};

}  // namespace

sim_leader::sim_leader(sim_ensemble& of, sim_world& world, sim_member& self, std::int64_t epoch)
    : of_(of), world_(world), self_(self), epoch_(epoch), began_(world.clock.now()) {
  loop();
}

sim_leader::~sim_leader() {
  if (expiry_ != 0) world_.clock.cancel(expiry_);
  while (!followers_.empty()) drop(followers_.begin()->first);
}

// ---- followers ------------------------------------------------------------------------------------------------------

void sim_leader::send(std::size_t member, sim_message what) {
  const auto to = followers_.find(member);
  if (to == followers_.end()) return;
  what.stream = to->second.stream;
  of_.wires().send(self_.id(), member, std::move(what));
}

void sim_leader::take(std::size_t member, std::uint64_t stream) {
  followers_[member] = {.stream = stream, .last_tick = half_ticks_ / 2, .waits_since = world_.clock.now()};
  send(member, {.what = kind::history, .epoch = epoch_, .log = self_.log()});
}

void sim_leader::drop(std::size_t member) {
  send(member, {.what = kind::hangup});
  followers_.erase(member);
}

void sim_leader::on_message(std::size_t from, sim_message& what) {
  if (what.what == kind::follow) return take(from, what.stream);
  const auto found = followers_.find(from);
  if (found == followers_.end() || found->second.stream != what.stream) return;
  auto& peer = found->second;
  peer.last_tick = half_ticks_ / 2;
  switch (what.what) {
    case kind::hangup: followers_.erase(found); return;
    case kind::ack: {
      const bool is_new = std::exchange(peer.acked, what.zxid) < 0;
      peer.waits_since = world_.clock.now();
      if (is_new && established_) send(from, {.what = kind::up_to_date, .zxid = committed_, .epoch = epoch_});
      if (!established_ && has_quorum()) return establish();
      return advance();
    }
    case kind::ping_reply:
      for (const auto& [session, timeout] : what.touches) (void)touch(session, timeout);
      return;
    case kind::handshake: return handshake(from, what.connection, what.frame);
    case kind::request: return request(from, what.connection, what.frame);
    default: return;
  }
}

bool sim_leader::has_quorum() const noexcept {
  const auto with = std::count_if(followers_.begin(), followers_.end(), [&](const auto& one) {
    return one.second.acked >= 0 && half_ticks_ / 2 <= one.second.last_tick + of_.sync_limit();
  });
  return static_cast<std::size_t>(with) + 1 >= of_.majority();
}

// Twice a tick: pings all, and drops who is silent or far behind; once a tick, steps down without a majority.
void sim_leader::loop() {
  self_.later(world_.clock.now() + world_.rules.tick_time / 2, [this] {
    const bool looks = ++half_ticks_ % 2 == 0;
    const auto end_of_patience = world_.clock.now() - of_.patience();
    std::vector<std::size_t> lost;
    for (const auto& [id, one] : followers_) {
      const bool silent = half_ticks_ / 2 > one.last_tick + of_.sync_limit();
      const bool behind = one.acked < self_.last_zxid() && one.waits_since < end_of_patience;
      if (silent || behind) lost.push_back(id);
    }
    const bool deposed = looks && (established_ ? !has_quorum() : began_ < end_of_patience);
    if (deposed) return self_.leave();
    for (const auto one : lost) drop(one);
    for (const auto& [id, one] : followers_) send(id, {.what = kind::ping});
    loop();
  });
}

// A majority has the leader's history: it is committed, and the leader serves. Sessions begin their time anew.
void sim_leader::establish() {
  established_ = true;
  backend::database state;
  nobody sink;
  for (const auto& entry : self_.log()) state.apply(entry->what, sink);
  state.restore_zxid(epoch_ << 32U);
  auto options = self_.serving().options();
  options.server_number = static_cast<std::int64_t>(self_.id()) + 1;
  backend::journal* const log = this;
  desk_ = std::make_unique<backend::processor>(options, world_.instant_now(), std::move(state), log);
  committed_ = self_.last_zxid();
  self_.commit(committed_);
  self_.begin_serving(epoch_);
  for (const auto& [id, one] : followers_) {
    if (one.acked >= 0) send(id, {.what = kind::up_to_date, .zxid = committed_, .epoch = epoch_});
  }
  arm_expiry();
}

// ---- requests -------------------------------------------------------------------------------------------------------

void sim_leader::append(const backend::transaction& what) {
  auto entry = std::make_shared<sim_entry>();
  backend::append_payload(entry->payload, what);
  entry->what = backend::decode_payload(entry->payload).value().what;
  fresh_.push_back(std::move(entry));
}

void sim_leader::handshake(std::size_t member, backend::connection_id from, const std::string& frame) {
  if (!established_) return;
  const auto admit = [&](backend::session_id session) {
    if (member == self_.id()) return self_.admit(from, session);
    send(member, {.what = kind::admitted, .connection = from, .session = session});
  };
  const auto asked = wire::decode_connect_request(frame);
  if (asked && closing_.contains(asked->session_id)) return admit(0);
  const auto desk = desk_->open({}, world_.instant_now());
  desks_[{member, from}] = desk;
  desk_->receive(desk, frame, world_.instant_now());
  auto said = std::exchange(desk_->output(desk), {});
  if (!fresh_.empty()) {
    auto& created = *fresh_.back();
    created.member = member;
    created.connection = from;
    created.handshake = frame;
    return publish();
  }
  arm_expiry();
  const auto reply =
      said.empty() ? std::nullopt : wire::decode_connect_reply(std::string_view(said).substr(wire::frame_length_bytes));
  if (reply) return admit(reply->session_id);
  if (member == self_.id()) return self_.reject(from);
  send(member, {.what = kind::rejected, .connection = from});
}

void sim_leader::request(std::size_t member, backend::connection_id from, const std::string& frame) {
  if (!established_) return;
  wire::reader body(frame);
  if (wire::read_request_header(body).type == wire::opcode::sync) {
    syncs_.push_back({self_.last_zxid(), member, from});
    return advance();
  }
  const auto desk = desks_.find({member, from});
  if (desk == desks_.end()) return;
  const auto& asks = desk_->connections().at(desk->second);
  if (asks.closing || closing_.contains(asks.last_session)) return refuse(member, from, frame);
  desk_->receive(desk->second, frame, world_.instant_now());
  auto said = std::exchange(desk_->output(desk->second), {});
  if (fresh_.empty()) {
    wire::reader again(frame);
    if (wire::read_request_header(again).type != wire::opcode::auth) answer(member, from, std::move(said));
    return;
  }
  auto& made = *fresh_.back();
  made.member = member;
  made.connection = from;
  made.reply = std::move(said);
  publish();
}

// The session has ended, or moved to another connection.
void sim_leader::refuse(std::size_t member, backend::connection_id from, const std::string& frame) {
  const auto& desk = desk_->connections().at(desks_.at({member, from}));
  wire::reader body(frame);
  const auto header = wire::read_request_header(body);
  const bool lives = desk_->sessions().find(desk.last_session) != nullptr && !closing_.contains(desk.last_session);
  const auto code = lives ? errc::session_moved : errc::session_expired;
  const auto now = world_.instant_now();
  const backend::transaction failed{{desk.last_session, header.xid, desk_->state().last_zxid() + 1, now.wall_ms},
                                    backend::error_record{code}};
  append(failed);
  desk_->replay(failed, {}, 0, now);
  auto& made = *fresh_.back();
  made.member = member;
  made.connection = from;
  made.ends_connection = lives;
  wire::writer reply(made.reply);
  const auto start = reply.begin_frame();
  const bool is_multi = header.type == wire::opcode::multi;
  wire::write(reply, wire::reply_header{header.xid, made.zxid(), is_multi ? errc::ok : code});
  if (is_multi) {
    wire::multi_request asked;
    wire::read(body, asked);
    for (std::size_t i = 0; i < asked.operations.size(); ++i) {
      wire::write_multi_error(reply, i == 0 ? code : errc::runtime_inconsistency);
    }
    wire::write_multi_end(reply);
  }
  reply.end_frame(start);
  publish();
}

bool sim_leader::touch(backend::session_id which, duration timeout) {
  return established_ && !closing_.contains(which) && desk_->touch(which, timeout, world_.instant_now());
}

bool sim_leader::has_moved(std::size_t member, backend::connection_id which) const {
  const auto desk = desks_.find({member, which});
  return desk != desks_.end() && desk_->is_closing(desk->second);
}

void sim_leader::expire(backend::session_id which) {
  closing_.erase(which);
  if (!established_ || !desk_->expire(which, world_.instant_now())) return;
  publish();
  of_.has_output(self_.id());
}

void sim_leader::answer(std::size_t member, backend::connection_id to, std::string frame) {
  if (member == self_.id()) return self_.answer(to, std::move(frame));
  send(member, {.what = kind::answer, .connection = to, .frame = std::move(frame)});
}

void sim_leader::arm_expiry() {
  if (expiry_ != 0) world_.clock.cancel(std::exchange(expiry_, 0));
  if (const auto at = desk_->next_tick()) {
    expiry_ = world_.clock.schedule(*at, [this] {
      expiry_ = 0;
      self_.later(world_.clock.now(), [this] { end_sessions(); });
    });
  }
}

// The sessions of a bucket are marked at once, and closed one after the other, behind requests that are there already.
void sim_leader::end_sessions() {
  constexpr duration most_for_one = std::chrono::microseconds(200);
  auto when = world_.clock.now();
  for (const auto one : desk_->take_expired(world_.instant_now())) {
    closing_.insert(one);
    when += world_.between(duration(1), most_for_one);
    self_.later(when, [this, one] { expire(one); });
  }
  desk_->tick(world_.instant_now());  // containers and nodes with a time to live
  publish();
  of_.has_output(self_.id());
}

// ---- the log --------------------------------------------------------------------------------------------------------

void sim_leader::publish() {
  for (auto& entry : std::exchange(fresh_, {})) {
    for (auto& [id, one] : followers_) {
      if (one.acked >= self_.last_zxid()) one.waits_since = world_.clock.now();
      send(id, {.what = kind::proposal, .entry = entry});
    }
    self_.append(std::move(entry));
  }
  arm_expiry();
  advance();
}

// Commits what a majority has, in order, and answers the syncs that waited for it.
void sim_leader::advance() {
  if (!established_) return;
  std::vector<std::int64_t> have{self_.last_zxid()};
  for (const auto& [id, one] : followers_) have.push_back(one.acked);
  have.resize(of_.size(), -1);
  std::sort(have.begin(), have.end(), std::greater<>());
  const auto now_committed = have[of_.majority() - 1];
  if (now_committed > committed_) {
    committed_ = now_committed;
    for (const auto& [id, one] : followers_) send(id, {.what = kind::commit, .zxid = committed_});
    self_.commit(committed_);
  }
  std::erase_if(syncs_, [&](const waiting_sync& one) {
    if (one.zxid > committed_) return false;
    answer(one.member, one.connection, {});
    return true;
  });
}

}  // namespace zkr::testing
