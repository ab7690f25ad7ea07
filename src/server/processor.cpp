#include "server/processor.hpp"

#include <algorithm>
#include <array>

#include "server/replies.hpp"

namespace zkr::backend {

namespace {

processor_options with_defaults(processor_options options) {
  if (options.min_session_timeout.count() < 0) options.min_session_timeout = 2 * options.tick_time;
  if (options.max_session_timeout.count() < 0) options.max_session_timeout = 20 * options.tick_time;
  options.max_session_timeout = std::max(options.max_session_timeout, options.min_session_timeout);
  return options;
}

}  // namespace

processor::processor(processor_options options, instant started, database state, journal* log, event_log* events)
    : options_(with_defaults(std::move(options))),
      state_(std::move(state)),
      log_(log),
      events_(events != nullptr ? *events : silent_),
      sessions_(options_.tick_time),
      next_session_(options_.first_session_id != 0 ? options_.first_session_id
                                                   : first_session_id(options_.server_number, started.wall_ms)),
      next_reap_(started.now + options_.reap_interval) {
  for (const auto& [id, timeout] : state_.sessions()) {
    sessions_.add(id, std::chrono::milliseconds(timeout), started.now);
    // A clock that was put back must not make ids that are in use.
    const bool same_server = id >> 56U == next_session_ >> 56U;
    if (same_server && id >= next_session_) next_session_ = id + 1;
  }
}

// ---- connections ----------------------------------------------------------------------------------------------------

connection_id processor::open(peer from, instant at) {
  const connection_id id = ++last_connection_;
  connection& added = connections_[id];
  added.id = id;
  added.who.push_back({"ip", from.address});
  added.peer = std::move(from);
  added.sees = &current_;
  added.established_ms = at.wall_ms;
  return id;
}

connection* processor::find(connection_id which) noexcept {
  const auto found = connections_.find(which);
  return found == connections_.end() ? nullptr : &found->second;
}

void processor::disconnect(connection_id which) {
  connection* found = find(which);
  if (found == nullptr) return;
  if (!found->closing) close(*found);
  outstanding_ -= found->outstanding;
  connections_.erase(which);
}

void processor::close(connection_id which) {
  if (connection* found = find(which)) close(*found);
}

// From here on nothing reaches this connection: no reply, no event.
void processor::close(connection& which) {
  if (which.closing) return;
  which.closing = true;
  which.sees->watched.remove_connection(which.id);
  if (which.session != nullptr) which.session->connection = 0;
  which.session = nullptr;
  make_ready(which);
}

void processor::give_up(connection_id which, std::string_view why) {
  if (connection* found = find(which)) give_up(*found, why);
}

void processor::give_up(connection& which, std::string_view why) {
  if (!which.closing && events_.takes(log_level::warning)) {
    events_.warn_seldom(
        "connection_closed",
        {{"reason", std::string(why)}, {"client", client_of(which.peer)}, {"session", hex(which.last_session)}});
  }
  close(which);
}

void processor::make_ready(connection& which) {
  if (which.ready) return;
  which.ready = true;
  ready_.push_back(which.id);
}

bool processor::close_if_over(connection& which) {
  if (which.output.size() <= options_.max_output_bytes) return false;
  which.output = {};
  give_up(which, "it does not take its replies");
  return true;
}

void processor::take_ready(std::vector<connection_id>& into) {
  into.clear();
  std::swap(into, ready_);
  for (const connection_id id : into) {
    if (connection* found = find(id)) found->ready = false;
  }
}

void processor::answered(connection_id to, const unanswered& which, time_point now) {
  const duration average = now - which.first - which.sum / which.count;
  statistics_.latency.add(now - which.last, average, now - which.first, which.count);
  statistics_.latencies.add(average, which.count);
  if (connection* found = find(to)) {
    found->latency.add(now - which.last, average, now - which.first, which.count);
    // A fault may have swallowed some before they came here.
    const std::uint32_t known = std::min(which.count, found->outstanding);
    found->outstanding -= known;
    outstanding_ -= known;
  }
}

std::string& processor::output(connection_id of) { return connections_.at(of).output; }

bool processor::is_closing(connection_id which) const noexcept {
  const auto found = connections_.find(which);
  return found == connections_.end() || found->second.closing;
}

void processor::reset_connection_statistics() noexcept {
  for (auto& [id, one] : connections_) {
    one.received = one.sent = 0;
    one.latency = {};
  }
}

// ---- sessions -------------------------------------------------------------------------------------------------------

bool processor::receive(connection_id from, std::string_view frame, instant at) {
  connection* found = find(from);
  if (found == nullptr || found->closing) return false;
  ++statistics_.received;
  statistics_.received_bytes += frame.size() + wire::frame_length_bytes;
  ++found->received;
  ++found->outstanding;
  ++outstanding_;
  if (found->session == nullptr) {
    greet(*found, frame, at);
  } else {
    serve(*found, frame, at);
  }
  return !found->closing;
}

std::size_t processor::expect(std::string_view input) const noexcept {
  constexpr std::size_t path_at = 8;  // behind xid and type, in every request about a node
  std::array<std::size_t, 16> hashes{};
  std::size_t count = 0;
  std::size_t looked_at = 0;
  for (; count < hashes.size(); ++count) {
    const wire::frame_split split = wire::split_frame(input.substr(looked_at));
    if (split.status != wire::frame_status::complete) break;
    looked_at += split.consumed;
    wire::reader behind_header(split.frame.substr(std::min(path_at, split.frame.size())));
    hashes[count] = state_.nodes().table().expect_slot(behind_header.string());
  }
  if (count < 2) return looked_at;  // it is served at once
  for (std::size_t i = 0; i < count; ++i) state_.nodes().table().expect_node(hashes[i]);
  return looked_at;
}

duration processor::negotiated(std::int32_t timeout_ms) const noexcept {
  return std::clamp(std::chrono::milliseconds(timeout_ms), options_.min_session_timeout, options_.max_session_timeout);
}

void processor::greet(connection& who, std::string_view frame, instant at) {
  const std::optional<wire::connect_request> asked = wire::decode_connect_request(frame);
  if (lags_) who.sees = &behind_->seen();
  // A client that has seen more than this server must not be served by it: it would see time run backwards.
  if (!asked) return give_up(who, "malformed handshake");
  if (asked->last_zxid_seen > who.sees->state.last_zxid()) {
    return give_up(who, "it has seen transactions that this server has not");
  }

  session* to = nullptr;
  const duration timeout = negotiated(asked->timeout_ms);
  if (asked->session_id == 0) {
    const session_id id = next_session_++;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    transaction created{{}, create_session_record{static_cast<std::int32_t>(ms)}};
    commit(created, id, 0, at);
    if (lags_) catch_up();
    to = &sessions_.add(id, timeout, at.now);
    ++statistics_.created_sessions;
    tell("session_created", id, who.peer);
  } else if (asked->password == view(password_of(asked->session_id))) {
    // The password comes first: a stranger who knows a session's number cannot throw its client out.
    to = sessions_.find(asked->session_id);
    if (to != nullptr) tell("session_resumed", to->id, who.peer);
  }

  welcome(who, *asked, to, timeout, at);
}

void processor::welcome(connection& who, const wire::connect_request& asked, session* to, duration timeout,
                        instant at) {
  wire::connect_reply answer;
  const std::string no_password(16, '\0');
  answer.password = no_password;
  answer.read_only = asked.read_only ? std::optional(false) : std::nullopt;
  session_password password;
  if (to != nullptr) {
    sessions_.set_timeout(*to, timeout, at.now);
    attach(who, *to, at);
    password = password_of(to->id);
    answer.session_id = to->id;
    answer.timeout_ms =
        static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
    answer.password = view(password);
  }
  wire::append_connect_reply_frame(who.output, answer);
  ++who.sent;
  ++statistics_.sent;
  make_ready(who);
  if (to == nullptr) close(who);
}

void processor::tell(std::string_view event, session_id of, const peer& client) {
  if (!events_.takes(log_level::debug)) return;
  events_.write(log_level::debug, event, {{"session", hex(of)}, {"client", client_of(client)}});
}

void processor::attach(connection& who, session& to, instant) {
  if (connection* before = find(to.connection)) close(*before);
  to.connection = who.id;
  who.session = &to;
  who.last_session = to.id;
}

void processor::end_session(session_id which, std::int32_t cxid, instant at) {
  close_session_record record;
  // A journal's record has a largest size. What does not stand in it goes all the same: the session owns it.
  std::size_t bytes = 0;
  for (const auto& [zxid, one] : state_.nodes().ephemerals_of(which)) {
    bytes += one->path.size() + sizeof(std::int32_t);
    if (bytes > largest_record_bytes) break;
    record.paths.emplace_back(one->path);
  }
  transaction closed{{}, std::move(record)};
  commit(closed, which, cxid, at);
  if (const session* found = sessions_.find(which)) {
    if (connection* carrier = find(found->connection)) carrier->session = nullptr;
  }
  sessions_.remove(which);
}

bool processor::expire(session_id which, instant at) {
  const session* found = sessions_.find(which);
  if (found == nullptr) return false;
  // The connection is closed without a message, and before its own watches could make one.
  if (connection* carrier = find(found->connection)) close(*carrier);
  end_session(which, 0, at);
  ++statistics_.expired_sessions;
  if (events_.takes(log_level::debug)) events_.write(log_level::debug, "session_expired", {{"session", hex(which)}});
  return true;
}

void processor::begin_lag() {
  if (behind_ == nullptr) behind_ = std::make_unique<lagging_member>(state_);
  lags_ = true;
}

void processor::end_lag() {
  lags_ = false;
  if (behind_ != nullptr) catch_up();
}

void processor::remove_orphans(instant at) {
  std::vector<session_id> gone;
  for (const auto& [owner, nodes] : state_.nodes().ephemerals_by_session()) {
    if (sessions_.find(owner) == nullptr) gone.push_back(owner);
  }
  for (const session_id one : gone) end_session(one, 0, at);
}

// ---- time -----------------------------------------------------------------------------------------------------------

void processor::tick(instant at, std::size_t most_sessions) {
  for (const session_id id : sessions_.take_expired(at.now, most_sessions)) expire(id, at);
  if (at.now >= next_reap_) {
    reap(at);
    next_reap_ = at.now + options_.reap_interval;
  }
}

std::optional<time_point> processor::next_tick() const noexcept {
  std::optional<time_point> next = sessions_.next_check();
  const bool something_to_reap = !state_.nodes().containers().empty() || !state_.nodes().ttl_nodes().empty();
  if (something_to_reap) next = next ? std::min(*next, next_reap_) : next_reap_;
  return next;
}

void processor::reap(instant at) {
  std::vector<std::string> due;
  for (const auto& [zxid, one] : state_.nodes().containers()) {
    // A container in which there never was anything may be about to be used.
    if (one->num_children == 0 && one->creations > 0) due.emplace_back(one->path);
  }
  for (const auto& [zxid, one] : state_.nodes().ttl_nodes()) {
    if (one->num_children == 0 && at.wall_ms - one->mtime > ttl_of(one->owner)) due.emplace_back(one->path);
  }
  for (const std::string& path : due) {
    transaction reaped{{}, remove_record{path, true}};
    commit(reaped, 0, 0, at);
  }
}

// ---- requests -------------------------------------------------------------------------------------------------------

void processor::serve(connection& who, std::string_view frame, instant at) {
  call of{who, {}, wire::reader(frame), at, frame.size()};
  of.header = wire::read_request_header(of.body);
  if (!of.body.ok()) return give_up(who, "malformed request");
  if (options_.touches == session_touches::by_requests) sessions_.touch(*who.session, at.now);
  who.last_cxid = of.header.xid;
  who.last_operation = of.header.type;
  ++statistics_.requests[processor_statistics::slot(of.header.type)];
  dispatch(of);
}

void processor::dispatch(call& of) {
  using wire::opcode;
  if (!may_ask(of)) {
    reply_empty(of, errc::session_closed_require_auth, 0);
    return give_up(of.from, "it has not proved who it is");
  }
  switch (of.header.type) {
    case opcode::get_data: return get_data(of);
    case opcode::exists: return exists(of);
    case opcode::get_children:
    case opcode::get_children2: return get_children(of);
    case opcode::set_data: return set_data(of);
    case opcode::create:
    case opcode::create2:
    case opcode::create_container:
    case opcode::create_ttl: return create(of);
    case opcode::remove: return remove(of);
    case opcode::multi: return multi(of);
    case opcode::ping: of.header.xid = wire::xid_ping; return reply_empty(of);
    case opcode::sync: return sync(of);
    case opcode::get_acl: return get_acl(of);
    case opcode::set_acl: return set_acl(of);
    case opcode::multi_read: return multi_read(of);
    case opcode::check_watches:
    case opcode::remove_watches: return change_watches(of);
    case opcode::set_watches:
    case opcode::set_watches2: return set_watches(of);
    case opcode::add_watch: return add_watch(of);
    case opcode::auth: return auth(of);
    case opcode::sasl: return sasl(of);
    case opcode::get_ephemerals: return get_ephemerals(of);
    case opcode::get_all_children_number: return get_all_children_number(of);
    case opcode::who_am_i: return who_am_i(of);
    case opcode::close_session: return close_session(of);
    case opcode::reconfig: return reconfig(of);
    // A check of its own: 3.8 never answers a successful one and writes a log that it cannot read again.
    case opcode::check:
    case opcode::notification:
    case opcode::delete_container:
    case opcode::create_session:
    case opcode::error: break;
  }
  // Apache ends the connection of a client that speaks another protocol.
  reply_empty(of, errc::unimplemented, -1);
  give_up(of.from, "unknown type of request");
}

}  // namespace zkr::backend
