#include "testing/sim_network.hpp"

#include <algorithm>

#include "wire/frame.hpp"

namespace zkr::testing {

using std::chrono::milliseconds;

namespace {

/// Counts one request. @return whether the fault's turn has come, which ends it.
bool is_due(std::optional<std::size_t>& after) {
  if (!after || (*after)-- != 0) return false;
  after.reset();
  return true;
}

}  // namespace

sim_network::sim_network(detail::virtual_scheduler& clock, std::mt19937_64& random, settings rules)
    : clock_(clock), random_(random), rules_(rules), started_(clock.now()) {
  start_server();
}

backend::instant sim_network::instant_now() const {
  constexpr std::int64_t first_wall_ms = 1'700'000'000'000;
  return {clock_.now(), first_wall_ms + std::chrono::duration_cast<milliseconds>(clock_.now() - started_).count()};
}

void sim_network::start_server() {
  backend::processor_options options;
  options.tick_time = std::chrono::duration_cast<milliseconds>(rules_.tick_time);
  server_ = std::make_unique<backend::processor>(options, instant_now());
  ++server_life_;
  arm_tick();
}

time_point sim_network::arrival(const std::deque<message>& behind) {
  const auto spread = static_cast<std::uint64_t>((rules_.most_latency - rules_.least_latency).count()) + 1;
  const auto latency = rules_.least_latency + duration(static_cast<std::int64_t>(random_() % spread));
  const auto at = clock_.now() + latency;
  return behind.empty() ? at : std::max(at, behind.back().due);
}

sim_network::link sim_network::open(const std::shared_ptr<sim_host>& from, std::weak_ptr<sim_peer> to) {
  const auto on = ++last_link_;
  links_[on] = {.host = from, .peer = std::move(to)};
  post(on, &connection::to_server, {});  // an empty frame before all others: the connection request
  return on;
}

void sim_network::send(link on, std::string frame) {
  if (links_.contains(on)) post(on, &connection::to_server, {.frame = std::move(frame)});
}

void sim_network::close(link on) {
  const auto found = links_.find(on);
  if (found == links_.end()) return;
  found->second.closed_by_client = true;
  post(on, &connection::to_server, {.close = true});
}

void sim_network::post(link on, std::deque<message> connection::*way, message what) {
  auto& queue = links_.at(on).*way;
  what.due = arrival(queue);
  queue.push_back(std::move(what));
  clock_.schedule(queue.back().due, [this, on, way] { arrive(on, way); });
}

// Delivers everything that is due on one direction of a link: alarms and messages correspond one to one, except after a
// cut, when more is due at once.
void sim_network::arrive(link on, std::deque<message> connection::*way) {
  for (;;) {
    const auto found = links_.find(on);
    if (found == links_.end()) return;
    auto& to = found->second;
    if (to.host->cut || (to.*way).empty() || (to.*way).front().due > clock_.now()) return;
    const auto what = std::move((to.*way).front());
    (to.*way).pop_front();
    if (way == &connection::to_server) {
      at_server(on, to, what);
    } else {
      at_client(on, to, what);
    }
  }
}

void sim_network::at_server(link on, connection& way, const message& what) {
  if (what.close) {
    if (way.at_server != 0) {
      by_server_.erase(way.at_server);
      server_->disconnect(way.at_server);
    }
    links_.erase(on);
    return collect();
  }
  if (way.at_server == 0) {
    if (!what.frame.empty()) return;  // sent to an end that is closed already
    way.at_server = server_->open({}, instant_now());
    by_server_[way.at_server] = on;
    post(on, &connection::to_client, {});
    return collect();
  }
  const bool handshake = server_->connections().at(way.at_server).session == nullptr;
  if (!handshake && is_due(way.host->lose_request_after)) {
    server_->close(way.at_server);
    return collect();
  }
  if (!handshake && is_due(way.host->lose_reply_after)) way.lose_reply = true;
  server_->receive(way.at_server, what.frame, instant_now());
  if (way.lose_reply) {
    server_->output(way.at_server).clear();
    server_->close(way.at_server);
  }
  collect();
}

void sim_network::at_client(link on, connection& way, const message& what) {
  const auto peer = way.peer.lock();
  const bool silent = way.closed_by_client || way.host->dead || !peer;
  if (what.close) links_.erase(on);
  if (silent) return;
  if (what.close) {
    peer->on_close();
  } else if (what.frame.empty()) {
    peer->on_open();
  } else {
    peer->on_frame(what.frame);
  }
}

// Sends what the server has to say, and closes what it closes.
void sim_network::collect() {
  std::vector<backend::connection_id> ready;
  server_->take_ready(ready);
  for (const auto id : ready) {
    const auto known = by_server_.find(id);
    if (known == by_server_.end()) continue;
    const auto on = known->second;
    auto& output = server_->output(id);
    std::string_view rest = output;
    // A server's frames may be longer than those it takes.
    for (auto next = wire::split_frame(rest, output.size()); next.status == wire::frame_status::complete;
         next = wire::split_frame(rest, output.size())) {
      post(on, &connection::to_client, {.frame = std::string(next.frame)});
      rest.remove_prefix(next.consumed);
    }
    output.clear();
    if (server_->is_closing(id)) {
      by_server_.erase(known);
      server_->disconnect(id);
      links_.at(on).at_server = 0;
      post(on, &connection::to_client, {.close = true});
    }
  }
  arm_tick();
}

void sim_network::arm_tick() {
  if (tick_ != 0) clock_.cancel(std::exchange(tick_, 0));
  const auto at = server_->next_tick();
  if (!at) return;
  tick_ = clock_.schedule(*at, [this] {
    tick_ = 0;
    server_->tick(instant_now());
    collect();
  });
}

void sim_network::drop(const sim_host& whose) {
  for (auto& [on, way] : links_) {
    if (way.host.get() == &whose && way.at_server != 0) server_->close(way.at_server);
  }
  collect();
}

void sim_network::healed(const sim_host& whose) {
  std::vector<link> all;
  for (const auto& [on, way] : links_) {
    if (way.host.get() == &whose) all.push_back(on);
  }
  for (const auto on : all) {
    arrive(on, &connection::to_server);
    arrive(on, &connection::to_client);
  }
}

void sim_network::expire(const sim_host& whose) {
  std::vector<backend::session_id> sessions;
  for (const auto& [on, way] : links_) {
    if (way.host.get() != &whose || way.at_server == 0) continue;
    const auto& at_server = server_->connections().at(way.at_server);
    if (at_server.session != nullptr) sessions.push_back(at_server.last_session);
  }
  for (const auto one : sessions) server_->expire(one, instant_now());
  collect();
}

void sim_network::restart_empty() {
  by_server_.clear();
  for (auto& [on, way] : links_) {
    way.at_server = 0;
    way.to_server.clear();
    if (!way.closed_by_client) post(on, &connection::to_client, {.close = true});
  }
  start_server();
}

}  // namespace zkr::testing
