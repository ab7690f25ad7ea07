#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/testing/cut_way.hpp"

namespace zkr::testing {

struct simulation_options {
  /// Same seed, same calls: same history.
  std::uint64_t seed = 1;
  /// How many servers: one that is alone, or an ensemble, which begins with an election. 1 to 7.
  std::size_t servers = 1;
  /// Ticks that the members of an ensemble bear each other's silence (Apache's syncLimit). At least 1.
  std::size_t sync_limit = 5;
  /// The servers' tick: sessions end at most this long after their time-out. Session time-outs are 2 to 20 ticks.
  duration tick_time = std::chrono::milliseconds(500);
  /// What a message takes from one end to the other: at least, at most. Messages of one connection keep their order.
  duration least_latency = std::chrono::microseconds(200);
  duration most_latency = std::chrono::milliseconds(2);
  /// How many of a hundred timers that are taken back go off all the same, within 20 ms: what happens on threads when a
  /// timer is taken back while its thread is about to run it. 0 to 100.
  int late_cancels = 0;
};

/// Servers, and any number of processes with clients, in one thread on virtual time: the real client, the real recipes,
/// the server's real database, over a simulated network. No socket, no thread, no real clock.
///
/// Several servers are an ensemble as clients of Apache ZooKeeper 3.8 can observe it. Each applies the same transactions in
/// its own time and answers reads and pings by itself; a leader decides writes, commits what a majority has in its log,
/// and counts the sessions' time. What followers hear of sessions it learns from their answers to its pings, twice a
/// tick. A follower that hears nothing of its leader for `sync_limit` ticks, and a leader without a majority for as long,
/// and up to a tick more, close all client connections and look for a leader; until then they answer from what they
/// have. A new leader gives all sessions their original time-outs anew. Who is elected is decided as by Apache's rule (the
/// best epoch, then zxid, then number, of a majority that reach each other), without its protocol: the quorum is a model.
///
/// Only asynchronous calls work (a blocking one gives `would_deadlock`), and clients must be connected with
/// `start_mode::background`. Time passes in run_for() and run_until() only. A simulation outlives its processes' clients.
class simulation {
 public:
  explicit simulation(simulation_options options = {});
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  ~simulation();

  /// A process: what crashes, stops or loses its network as one.
  class process {
   public:
    virtual ~process() = default;
    /// A client of this process. `hosts`, `start` and `runtime` of the options are the simulation's. It tries the servers
    /// one after the other, in an order that the seed decides.
    [[nodiscard]] virtual result<client> connect(client_options options = {}) = 0;
    /// Which servers clients that are connected from now on know: numbers below `simulation::server_count`, at least one.
    /// All of them, unless told otherwise.
    virtual void use_servers(std::vector<std::size_t> servers) = 0;

    /// Ends the process as `kill -9` does: its connections close, nothing of it ever runs again.
    virtual void crash() = 0;
    /// A fresh process in place of this one, which crashes if it has not: on the same host, so that cuts stay. Its clients
    /// are other ones: connect() again.
    virtual void restart() = 0;
    /// Stops the process as SIGSTOP does: nothing of it runs, and its clock goes on. Its connections stay open; what is
    /// sent to it waits.
    virtual void pause() = 0;
    /// Lets it go on: what waited is worked off at once, timers and messages in an order that the seed decides.
    virtual void resume() = 0;

    /// Loses the network without a word, in both directions; heal() brings what was sent meanwhile, and more.
    virtual void cut() = 0;
    /// Loses what goes to one server (`there`), what comes from it (`back`), or both. Cuts add up.
    virtual void cut(std::size_t server, cut_way lost = cut_way::both) = 0;
    /// Takes all cuts of this process back.
    virtual void heal() = 0;

    /// How fast its clock goes: 1.05 is 5 % fast. What now() and timers of its clients go by. More than 0. Counts from the
    /// next start of the process on: call it before the first connect(), or before restart().
    virtual void set_clock_rate(double rate) = 0;
    /// The server that its newest connection is with; nothing while there is none.
    [[nodiscard]] virtual std::optional<std::size_t> server() const = 0;

   protected:
    process() = default;
    process(const process&) = default;
    process& operator=(const process&) = default;
  };
  /// Lives as long as the simulation.
  [[nodiscard]] process& add_process();

  [[nodiscard]] time_point now() const noexcept;
  /// Lets time pass.
  void run_for(duration span);
  /// Lets time pass until `condition` holds, which is looked at after every event. @return false where it does not by
  /// `limit` from now.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, duration limit = std::chrono::minutes(1));

  // ---- servers, from 0 to server_count() - 1

  [[nodiscard]] std::size_t server_count() const noexcept;
  /// Ends a server as `kill -9` does: its connections close, further ones are refused. Its data stay.
  void kill_server(std::size_t server);
  /// Starts a server that was killed.
  void start_server(std::size_t server);
  /// Stops a server as SIGSTOP does: connections stay open (new ones are taken too), and nothing is answered.
  void pause_server(std::size_t server);
  /// Lets it go on: what arrived meanwhile is answered.
  void resume_server(std::size_t server);

  // ---- an ensemble

  /// The server that leads and serves; where an earlier leader has not noticed yet, the newer one. Nothing while there is
  /// none. Of one server: 0.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  /// Whether a server belongs to a quorum, as far as it knows, and so answers clients.
  [[nodiscard]] bool serves(std::size_t server) const;
  /// Loses what one server sends to another (`there`), what comes back (`back`), or both: connections stay open, and
  /// heal_servers() brings what was sent meanwhile. Cuts add up.
  void cut_servers(std::size_t one, std::size_t other, cut_way lost = cut_way::both);
  /// Cuts a server off from all others; clients still reach it.
  void isolate_server(std::size_t server);
  /// Takes all cuts between servers back.
  void heal_servers();
  /// A server applies (and answers) what is committed so much later than it learns of it, from now on. Reads on it are
  /// stale by that. 0: at once.
  void lag_server(std::size_t server, duration by);

  // ---- faults of requests

  /// The next request that the server takes from `whom`, after `skip` others, is applied, but its reply is lost with the
  /// connection.
  void lose_next_reply(process& whom, std::size_t skip = 0);
  /// The next request of `whom`, after `skip` others, is lost with the connection before the server sees it.
  void lose_next_request(process& whom, std::size_t skip = 0);
  /// Closes all connections of `whom`; its sessions live on.
  void drop_connections(process& whom);
  /// Ends all sessions of `whom` that are connected, as if their time were over.
  void expire_sessions(process& whom);
  /// The server is gone and comes back, at once, with nothing. Of one server only; has no effect on an ensemble.
  void restart_server_empty();

  /// Nodes whose path begins with `prefix`, in order: what a test compares. Of an ensemble, as the server has them that has
  /// applied most.
  [[nodiscard]] std::vector<std::string> nodes(std::string_view prefix = "/") const;
  /// The same, as one server has them.
  [[nodiscard]] std::vector<std::string> nodes_of(std::size_t server, std::string_view prefix = "/") const;

 private:
  class world;
  std::unique_ptr<world> world_;
};

}  // namespace zkr::testing
