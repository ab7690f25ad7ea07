#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/testing/apache_ensemble.hpp"

// Who believed to hold what and until when, beside what the members of an ensemble showed.
namespace zkr::testing {

/// Watches an election's first node at every member, and lets one more candidate wait behind it.
class lease_witness {
 public:
  lease_witness(const std::string& node, const std::string& election, std::vector<client>& at_members, client& rival);
  ~lease_witness() { stop_.request_stop(); }
  lease_witness(const lease_witness&) = delete;
  lease_witness& operator=(const lease_witness&) = delete;

  /// Whether every member has shown the node, and the rival stands behind it.
  [[nodiscard]] bool armed() const;
  /// The first moment at which any member showed that the node is gone.
  [[nodiscard]] std::optional<time_point> gone() const;
  /// When the rival knew that it leads.
  [[nodiscard]] std::optional<time_point> rival_led() const;

 private:
  struct sights {
    std::mutex mutex;
    std::size_t showing = 0;  // guarded by mutex, as all of it
    std::optional<time_point> gone;
    std::optional<time_point> rival_led;
    std::optional<leadership> rival;
  };
  std::shared_ptr<sights> seen_ = std::make_shared<sights>();
  std::size_t members_;
  std::string election_;
  client& rival_;
  std::stop_source stop_;
  std::vector<subscription> watches_;
};

/// Clients at the members of an ensemble that see what is there, and rivals. None of them is ever cut off by a gate.
struct lease_court {
  explicit lease_court(const apache_ensemble& servers);
  std::vector<client> at_members;
  client rival;
};

/// What one case has shown. Slack: from the end of what a holder claimed to the first sight of its node's deletion.
struct lease_verdict {
  int runs = 0;
  int sessions = 0;     ///< Whose end was watched.
  int amid_faults = 0;  ///< Of these: heard of no more from some moment of the fault on. The others stood it.
  duration least = duration::max();
  duration least_amid_faults = duration::max();

  void add(duration slack, bool amid_fault);
};
/// As a row of the table in docs/leases.md.
std::string to_text(const std::string& name, const lease_verdict& of, duration session_timeout);

/// One run: clients that hold, some at each member's gate, and a thread that looks at what they believe.
class lease_run {
 public:
  lease_run(apache_ensemble& servers, const std::string& name, duration session_timeout, duration tick_time);
  ~lease_run();
  lease_run(const lease_run&) = delete;
  lease_run& operator=(const lease_run&) = delete;

  /// Waits until all hold, and every witness sees it.
  [[nodiscard]] bool ready();
  /// No holder at this member's gate is heard of any more. (A fault may do that too: then it is only told.)
  void silence(std::size_t member, bool cut = true);
  /// Whether all nodes of holders at this member's gate are gone.
  [[nodiscard]] bool all_gone(std::size_t member) const;
  /// When the fault is over: heals, but for the silent ones; waits for `time`; silences all holders for good, waits until their nodes are gone, and adds them to a verdict.
  /// @return what went wrong.
  [[nodiscard]] std::vector<std::string> judge(lease_verdict& into, duration time);

 private:
  struct holder {
    std::size_t member = 0;
    std::string election;
    client zk;
    leadership lead;
    std::atomic<time_point> last_held{time_point::min()};
    std::atomic<time_point> claimed_until{time_point::min()};
    std::unique_ptr<lease_witness> witness;
    bool silent = false;
    bool gave_up = false;  ///< The lease ran out while the session lived: the client removes the node itself.
  };

  apache_ensemble& servers_;
  const duration timeout_;
  lease_court court_;
  std::vector<std::unique_ptr<holder>> holders_;
  std::jthread looks_;
};

/// Sessions that say nothing any more, so that many expire at one time.
class idle_sessions {
 public:
  idle_sessions(const std::string& host_and_port, std::size_t count, duration session_timeout);
  ~idle_sessions();
  idle_sessions(const idle_sessions&) = delete;
  idle_sessions& operator=(const idle_sessions&) = delete;
  [[nodiscard]] std::size_t begun() const noexcept { return begun_; }

 private:
  std::vector<int> sockets_;
  std::size_t begun_ = 0;
};

}  // namespace zkr::testing
