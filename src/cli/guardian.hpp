#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/descriptor.hpp"
#include "cli/signals.hpp"
#include "cli/warden.hpp"
#include "zkrecipes/result.hpp"

namespace zkr::cli {

/// The process that runs the command, seen from the tool.
///
/// A process of its own, so that the command ends in time when the tool cannot see to it: stopped (SIGSTOP, Ctrl-Z) its
/// lease runs out here too, killed its socket closes. It is the parent of the command and holds nothing but that socket;
/// it knows the lease by what it was last told. If it is killed itself, the kernel kills the command (PR_SET_PDEATHSIG),
/// and the tool the rest of the group.
class guardian {
 public:
  using environment = std::vector<std::pair<std::string, std::string>>;

  struct report {
    enum class kind {
      started,   ///< The command runs; `pid` is its process and its group.
      ended,     ///< It has ended, and so has its group.
      vanished,  ///< The guardian itself was killed.
    };
    kind what = kind::vanished;
    pid_t pid = 0;
    std::optional<int> wait_status;  ///< `ended`: unset where it was not started, for lack of time left.
    bool ended_by_us = false;        ///< `ended`: because of the lease.
  };

  /// Forks it. To be called before this process has other threads or descriptors that matter.
  /// @par Errors  io_error.
  static result<guardian> start(const std::vector<std::string>& command, const inherited_signals& for_command);

  guardian(guardian&& other) noexcept;
  guardian& operator=(guardian&&) = delete;
  /// Ends the command, if there is one, and the guardian.
  ~guardian();

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// Runs the command under a lease. `added` is put into its environment.
  void run(time_point valid_until, const warden::settings& with, const environment& added);
  void renewed(time_point valid_until);
  void at_risk();
  void lost();
  void forward(int signal);

  /// The next thing that it has to say; unset where there is nothing now.
  [[nodiscard]] std::optional<report> read();

 private:
  guardian(descriptor socket, pid_t pid) noexcept : socket_(std::move(socket)), pid_(pid) {}

  descriptor socket_;
  pid_t pid_ = 0;
  pid_t group_ = 0;  // of the command that runs; 0: none
};

}  // namespace zkr::cli
