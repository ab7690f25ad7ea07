#include "testing/sim_network.hpp"

#include <algorithm>
#include <utility>

#include "wire/frame.hpp"

namespace zkr::testing {

namespace {

/// Counts one request. @return whether the fault's turn has come, which ends it.
bool is_due(std::optional<std::size_t>& after) {
  if (!after || (*after)-- != 0) return false;
  after.reset();
  return true;
}

/// The bytes by which a reply names its request.
std::string_view xid_of(std::string_view frame) { return frame.substr(0, sizeof(std::int32_t)); }

}  // namespace

time_point sim_network::arrival(const std::deque<message>& behind) {
  const auto at = world_.clock.now() + world_.latency();
  return behind.empty() ? at : std::max(at, behind.back().due);
}

sim_network::link sim_network::open(const std::shared_ptr<sim_host>& from, std::size_t server,
                                    std::weak_ptr<sim_peer> to) {
  const auto on = ++last_link_;
  links_[on] = {.host = from, .peer = std::move(to), .server = server};
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

void sim_network::post(link on, direction way, message what) {
  auto& queue = links_.at(on).*way;
  what.due = arrival(queue);
  queue.push_back(std::move(what));
  world_.clock.schedule(queue.back().due, [this, on, way] { arrive(on, way); });
}

bool sim_network::held_back(const connection& on, direction way) const {
  const bool to_server = way == &connection::to_server;
  const bool waits = to_server ? servers_[on.server].server->paused() : on.host->paused;
  if (on.host->cut || waits) return true;
  if (on.host->cuts.size() <= on.server) return false;
  const auto& cut = on.host->cuts[on.server];
  return to_server ? cut.to_server : cut.to_client;
}

// Delivers everything that is due on one direction of a link: alarms and messages correspond one to one, except after a
// cut, when more is due at once.
void sim_network::arrive(link on, direction way) {
  for (;;) {
    const auto found = links_.find(on);
    if (found == links_.end()) return;
    auto& to = found->second;
    if ((to.*way).empty() || (to.*way).front().due > world_.clock.now() || held_back(to, way)) return;
    const auto what = std::move((to.*way).front());
    (to.*way).pop_front();
    if (way == &connection::to_server) {
      at_server(on, to, what);
    } else {
      at_client(on, to, what);
    }
  }
}

void sim_network::accept(link on, connection& way) {
  auto& at = servers_[way.server];
  if (!at.server->running()) return post(on, &connection::to_client, {.close = true});
  way.at_server = at.server->serving().open({}, world_.instant_now());
  at.links[way.at_server] = on;
  post(on, &connection::to_client, {});
}

void sim_network::at_server(link on, connection& way, const message& what) {
  auto& at = servers_[way.server];
  if (what.close) {
    const auto server = way.server;
    if (way.at_server != 0) {
      at.links.erase(way.at_server);
      at.server->forget(way.at_server);
    }
    links_.erase(on);
    return collect(server);
  }
  if (way.at_server == 0) {
    if (what.frame.empty()) accept(on, way);
    return;  // what is not the first was sent to an end that is closed already
  }
  const bool handshake = !std::exchange(way.greeted, true);
  if (!handshake && is_due(way.host->lose_request_after)) {
    at.server->serving().close(way.at_server);
    return collect(way.server);
  }
  if (!handshake && is_due(way.host->lose_reply_after)) way.lost_xid = xid_of(what.frame);
  at.server->receive(way.at_server, what.frame);
  collect(way.server);
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

void sim_network::collect(std::size_t server) {
  auto& [from, links] = servers_[server];
  auto& speaker = from->serving();
  std::vector<backend::connection_id> ready;
  speaker.take_ready(ready);
  for (const auto id : ready) {
    const auto known = links.find(id);
    if (known == links.end()) continue;
    const auto on = known->second;
    auto& way = links_.at(on);
    auto& output = speaker.output(id);
    std::string_view rest = output;
    // A server's frames may be longer than those it takes.
    for (auto next = wire::split_frame(rest, output.size()); next.status == wire::frame_status::complete;
         next = wire::split_frame(rest, output.size())) {
      if (way.lost_xid && xid_of(next.frame) == *way.lost_xid) {
        speaker.close(id);
        break;
      }
      post(on, &connection::to_client, {.frame = std::string(next.frame)});
      rest.remove_prefix(next.consumed);
    }
    output.clear();
    if (speaker.is_closing(id)) {
      links.erase(known);
      from->forget(id);
      way.at_server = 0;
      post(on, &connection::to_client, {.close = true});
    }
  }
}

void sim_network::drop(const sim_host& whose) {
  for (auto& [on, way] : links_) {
    if (way.host.get() == &whose && way.at_server != 0) servers_[way.server].server->serving().close(way.at_server);
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) collect(i);
}

void sim_network::arrive_all(const std::vector<link>& which) {
  for (const auto on : which) {
    arrive(on, &connection::to_server);
    arrive(on, &connection::to_client);
  }
}

void sim_network::healed(const sim_host& whose) {
  std::vector<link> all;
  for (const auto& [on, way] : links_) {
    if (way.host.get() == &whose) all.push_back(on);
  }
  arrive_all(all);
}

void sim_network::resumed(std::size_t server) {
  std::vector<link> all;
  for (const auto& [on, way] : links_) {
    if (way.server == server) all.push_back(on);
  }
  arrive_all(all);
}

void sim_network::expire(const sim_host& whose) {
  std::vector<std::pair<std::size_t, backend::session_id>> sessions;
  for (const auto& [on, way] : links_) {
    if (way.host.get() != &whose || way.at_server == 0) continue;
    const auto& at_server = servers_[way.server].server->serving().connections().at(way.at_server);
    if (at_server.session != nullptr) sessions.emplace_back(way.server, at_server.last_session);
  }
  for (const auto& [server, one] : sessions) {
    servers_[server].server->expire(one);
    collect(server);
  }
}

std::optional<std::size_t> sim_network::server_of(const sim_host& whom) const {
  for (auto at = links_.rbegin(); at != links_.rend(); ++at) {
    const auto& way = at->second;
    if (way.host.get() == &whom && way.at_server != 0 && !way.closed_by_client) return way.server;
  }
  return std::nullopt;
}

void sim_network::forget_all(std::size_t server) {
  servers_[server].links.clear();
  for (auto& [on, way] : links_) {
    if (way.server != server) continue;
    way.at_server = 0;
    way.to_server.clear();
    if (!way.closed_by_client) post(on, &connection::to_client, {.close = true});
  }
}

}  // namespace zkr::testing
