#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "testing/sim_host.hpp"
#include "testing/sim_server.hpp"
#include "testing/sim_world.hpp"
#include "zkrecipes/testing/cut_way.hpp"

namespace zkr::testing {

/// The client's end of a simulated connection.
class sim_peer {
 public:
  virtual ~sim_peer() = default;
  virtual void on_open() = 0;
  virtual void on_frame(std::string_view frame) = 0;
  virtual void on_close() = 0;

 protected:
  sim_peer() = default;
  sim_peer(const sim_peer&) = default;
  sim_peer& operator=(const sim_peer&) = default;
};

/// The links between processes and servers: they take time, lose and cut. A link keeps the order of what it carries.
class sim_network {
 public:
  explicit sim_network(sim_world& world) : world_(world) {}

  /// Servers are named by the order in which they come, from 0; they outlive the network's last call.
  void add(sim_server& one) { servers_.push_back({&one, {}}); }

  using link = std::uint64_t;  ///< Names a connection; never used twice.

  /// Opens a connection; `to` hears of it later, as long as it lives and until close().
  link open(const std::shared_ptr<sim_host>& from, std::size_t server, std::weak_ptr<sim_peer> to);
  /// Sends one frame (without its length).
  void send(link on, std::string frame);
  /// The client's end is closed; it hears nothing more of it.
  void close(link on);

  /// Both ends of a host's connections close.
  void drop(const sim_host& whose);
  /// Delivers what was held back while the host was cut off or paused.
  void healed(const sim_host& whose);
  /// Ends the host's sessions that are connected.
  void expire(const sim_host& whose);
  /// The server a host's newest connection is with, once it was accepted and until it is closed.
  [[nodiscard]] std::optional<std::size_t> server_of(const sim_host& whom) const;

  /// Sends what a server has to say, and closes what it closes.
  void collect(std::size_t server);
  /// Delivers what was held back while the server was paused.
  void resumed(std::size_t server);
  /// The server has lost all connections, and its processor is a new one.
  void forget_all(std::size_t server);

 private:
  struct message {
    std::string frame = {};
    bool close = false;
    time_point due = {};
  };
  struct connection {
    std::shared_ptr<sim_host> host;
    std::weak_ptr<sim_peer> peer;
    std::size_t server = 0;
    backend::connection_id at_server = 0;  ///< 0: not accepted yet, or closed there.
    bool greeted = false;                  ///< The handshake has reached the server.
    bool closed_by_client = false;
    std::optional<std::string> lost_xid = std::nullopt;  ///< Whose reply is lost, and the connection with it.
    std::deque<message> to_server = {};
    std::deque<message> to_client = {};
  };
  struct endpoint {
    sim_server* server;
    std::map<backend::connection_id, link> links;
  };
  using direction = std::deque<message> connection::*;

  [[nodiscard]] time_point arrival(const std::deque<message>& behind);
  [[nodiscard]] bool held_back(const connection& on, direction way) const;
  void post(link on, direction way, message what);
  void arrive(link on, direction way);
  void at_server(link on, connection& way, const message& what);
  void at_client(link on, connection& way, const message& what);
  void accept(link on, connection& way);
  void arrive_all(const std::vector<link>& which);

  sim_world& world_;
  std::vector<endpoint> servers_;
  std::map<link, connection> links_;
  link last_link_ = 0;
};

}  // namespace zkr::testing
