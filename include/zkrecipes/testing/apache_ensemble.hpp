#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "zkrecipes/result.hpp"
#include "zkrecipes/testing/cut_way.hpp"

namespace zkr::testing {

enum class member_role {
  unreachable,  ///< Nobody answers at that address.
  not_serving,  ///< It runs, and belongs to no quorum: it serves nobody.
  unknown,      ///< It answers, but may not be asked (4lw.commands.whitelist lacks srvr).
  standalone,
  leader,
  follower,
  observer,
};
[[nodiscard]] const char* to_string(member_role role) noexcept;

/// What a server says of itself (the four-letter word srvr).
struct member_status {
  std::string address;  ///< "127.0.0.1:2181", as it was asked for.
  member_role role = member_role::unreachable;
  std::string problem = {};     ///< Why the role is unreachable or unknown.
  std::string version = {};     ///< "3.8.0".
  std::int64_t zxid = 0;        ///< The last transaction that it has applied. Its high 32 bits count the leaders.
  std::size_t connections = 0;  ///< Of clients, without the one that asks.
  std::size_t nodes = 0;
};

/// Asks one server. Blocks, for `timeout` at most (and for the name's look-up).
/// @param port  where clients connect.
[[nodiscard]] member_status ask_member(const std::string& host, std::uint16_t port,
                                       std::chrono::milliseconds timeout = std::chrono::seconds(2));

/// What the members' answers together say.
struct quorum_status {
  std::optional<std::size_t> leader = std::nullopt;  ///< Index of the leader, or of a standalone server.
  std::size_t serving = 0;                           ///< Members that serve clients, the leader among them.
  std::size_t leaders = 0;  ///< More than one for a moment only: a leader that was cut off has not noticed yet.

  [[nodiscard]] bool complete(std::size_t members) const noexcept { return leaders == 1 && serving == members; }
};
[[nodiscard]] quorum_status judge(const std::vector<member_status>& members) noexcept;

/// Where the members run: on the loopback of this machine, or each in a network namespace of its own, so that links
/// between them can be cut.
enum class ensemble_links { loopback, separate };

struct ensemble_options {
  std::size_t members = 3;  ///< 1 to 9. One is an ensemble of one: elections and quorum, but no second copy.
  std::chrono::milliseconds tick_time{500};
  std::size_t init_limit = 10;  ///< Ticks that a follower has to connect and take over the leader's data.
  std::size_t sync_limit = 5;   ///< Ticks that a follower may be silent or behind.
  /// Where the members' folders are made. Empty: a temporary folder, removed at the end.
  std::string folder = {};
  /// `separate` takes the rights to make network namespaces: see `apache_ensemble::can_partition`.
  ensemble_links links = ensemble_links::loopback;
};

/// Real Apache ZooKeeper servers as processes of this machine, from Debian's packages `zookeeper` and
/// `default-jre-headless`: for tests of what only an ensemble does. They listen on 127.0.1.1, 127.0.1.2, … at free ports,
/// or on addresses of their own (`ensemble_links::separate`). They end with this object, and may be killed, paused, cut
/// off and started again before.
///
/// A link that is cut loses packets silently, in a direction or both: connections stay open, and go on when it is
/// healed, as soon as the side that waits sends once more (TCP: after up to as long as the cut was).
///
/// @par Threads  one at a time.
class apache_ensemble {
 public:
  /// Whether java and ZooKeeper's library are there.
  [[nodiscard]] static bool installed();

  /// Whether this process may make network namespaces: root with Debian's package iproute2 may.
  [[nodiscard]] static bool can_partition();

  /// Starts the members and waits until all of them serve.
  ///
  /// @par Errors  invalid_argument: an option is out of its range. io_error: files, processes, networks. timed_out: they do
  ///              not serve within a minute; the message names their logs.
  [[nodiscard]] static result<apache_ensemble> start(const ensemble_options& options = {});

  apache_ensemble(apache_ensemble&& other) noexcept;
  apache_ensemble& operator=(apache_ensemble&& other) noexcept;
  ~apache_ensemble();

  [[nodiscard]] std::size_t size() const noexcept;
  /// All members, as clients take them.
  [[nodiscard]] std::string connect_string() const;
  /// One member, 0 to size() - 1.
  [[nodiscard]] std::string connect_string(std::size_t member) const;

  [[nodiscard]] std::vector<member_status> status() const;
  /// Waits until one leads and all that run and are not paused serve. @return whether they do, within that time.
  [[nodiscard]] bool wait_until_serving(std::chrono::milliseconds within = std::chrono::seconds(60)) const;
  /// The member that leads now.
  [[nodiscard]] std::optional<std::size_t> leader() const;

  /// SIGKILL. Its data stay.
  void kill(std::size_t member);
  /// SIGSTOP: its connections stay open, nothing is answered.
  void pause(std::size_t member);
  /// SIGCONT.
  void resume(std::size_t member);
  /// Starts a member that does not run. Does not wait until it serves.
  [[nodiscard]] result<void> restart(std::size_t member);

  // Of members with separate links. Errors: unsupported: they have none. io_error.

  /// Cuts the link between two members.
  [[nodiscard]] result<void> cut(std::size_t one, std::size_t other, cut_way lost = cut_way::both);
  /// Cuts a member's links to all others. Clients still reach it.
  [[nodiscard]] result<void> isolate(std::size_t member);
  /// A member at an address of its own for those clients that cut_gate() is to cut off.
  [[nodiscard]] std::string gate_string(std::size_t member) const;
  /// Cuts the link between the clients that came by a member's gate (`cut_way::there`: what they send) and that member.
  [[nodiscard]] result<void> cut_gate(std::size_t member, cut_way lost = cut_way::both);
  /// Mends all that was cut.
  [[nodiscard]] result<void> heal();

 private:
  struct impl;
  explicit apache_ensemble(std::unique_ptr<impl> state) noexcept;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr::testing
