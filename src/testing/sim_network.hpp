#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "core/virtual_scheduler.hpp"
#include "server/processor.hpp"

namespace zkr::testing {

/// One process's view of the network.
struct sim_host {
  bool cut = false;
  bool dead = false;
  std::optional<std::size_t> lose_request_after = std::nullopt;  ///< How many requests pass before one is lost.
  std::optional<std::size_t> lose_reply_after = std::nullopt;
};

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

/// A server's processor behind links that take time, lose and cut. One thread, virtual time.
class sim_network {
 public:
  struct settings {
    duration tick_time;
    duration least_latency;
    duration most_latency;
  };
  sim_network(detail::virtual_scheduler& clock, std::mt19937_64& random, settings rules);

  using link = std::uint64_t;  ///< Names a connection; never used twice.

  /// Opens a connection; `to` hears of it later, as long as it lives and until close().
  link open(const std::shared_ptr<sim_host>& from, std::weak_ptr<sim_peer> to);
  /// Sends one frame (without its length).
  void send(link on, std::string frame);
  /// The client's end is closed; it hears nothing more of it.
  void close(link on);

  /// Both ends of a host's connections close.
  void drop(const sim_host& whose);
  /// Delivers what was held back while the host was cut.
  void healed(const sim_host& whose);
  void expire(const sim_host& whose);
  void restart_empty();

  [[nodiscard]] const backend::processor& server() const noexcept { return *server_; }

 private:
  struct message {
    std::string frame = {};
    bool close = false;
    time_point due = {};
  };
  struct connection {
    std::shared_ptr<sim_host> host;
    std::weak_ptr<sim_peer> peer;
    backend::connection_id at_server = 0;  ///< 0: not accepted yet, or closed there.
    bool closed_by_client = false;
    bool lose_reply = false;  ///< The reply to the request that comes next is lost, and the connection with it.
    std::deque<message> to_server = {};
    std::deque<message> to_client = {};
  };

  [[nodiscard]] backend::instant instant_now() const;
  [[nodiscard]] time_point arrival(const std::deque<message>& behind);
  void start_server();
  void post(link on, std::deque<message> connection::*way, message what);
  void arrive(link on, std::deque<message> connection::*way);
  void at_server(link on, connection& way, const message& what);
  void at_client(link on, connection& way, const message& what);
  void collect();
  void arm_tick();

  detail::virtual_scheduler& clock_;
  std::mt19937_64& random_;
  const settings rules_;
  const time_point started_;
  std::unique_ptr<backend::processor> server_;
  std::uint64_t server_life_ = 0;  ///< Restarts so far: what belongs to an earlier one is void.
  std::map<link, connection> links_;
  std::map<backend::connection_id, link> by_server_;
  link last_link_ = 0;
  scheduler::timer tick_ = 0;
};

}  // namespace zkr::testing
