#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "zkrecipes/result.hpp"
#include "zkrecipes/testing/apache_ensemble.hpp"

namespace zkr::testing {

/// Where a member is found by clients and by the others.
struct member_place {
  std::string address;              ///< Numeric.
  std::uint16_t client_port = 0;    ///< Apache's usual one is 2181.
  std::uint16_t quorum_port = 0;    ///< Where followers connect to the leader; 2888.
  std::uint16_t election_port = 0;  ///< Where members vote; 3888.
  std::string listen = {};          ///< Where it takes clients; empty: at its address alone.
};

struct ensemble_plan {
  std::vector<member_place> members;
  std::chrono::milliseconds tick_time{2000};
  std::size_t init_limit = 10;
  std::size_t sync_limit = 5;
};

/// Makes the members' folders in `folder`: member-1/zoo.cfg, member-1/data/myid and so on.
///
/// @par Errors  io_error: they cannot be written, or one is there already; nothing new is left there then.
[[nodiscard]] result<void> write_ensemble(const std::filesystem::path& folder, const ensemble_plan& plan);

/// A member in its folder, which holds zoo.cfg, data/, its output in `log`, and `pid` while it runs.
class ensemble_member {
 public:
  /// @par Errors  io_error: zoo.cfg cannot be read; invalid_argument: it names no clientPort.
  [[nodiscard]] static result<ensemble_member> open(const std::filesystem::path& folder);

  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "log"; }
  [[nodiscard]] member_status status() const { return ask_member(address_, port_); }

  /// Is started in a network namespace from now on, where it is reached at `address`.
  void move_into(std::string space, std::string address) {
    space_ = std::move(space);
    address_ = std::move(address);
  }

  /// Its process; unset: it does not run.
  [[nodiscard]] std::optional<pid_t> process() const;
  /// Starts it in the background: it outlives this process. Where it runs, nothing happens.
  [[nodiscard]] result<void> start() const;
  /// Sends a signal, if it runs.
  void signal(int number) const;
  /// SIGTERM, and SIGKILL where that does not help within `patience`. Returns when the process is gone.
  void stop(std::chrono::milliseconds patience) const;

 private:
  explicit ensemble_member(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
  std::string space_;  ///< Empty: this process's.
  std::string address_ = "127.0.0.1";
  std::uint16_t port_ = 0;
};

/// The members whose folders are in `folder`, in the order of their numbers.
///
/// @par Errors  those of `ensemble_member::open`; io_error where there is none.
[[nodiscard]] result<std::vector<ensemble_member>> open_ensemble(const std::filesystem::path& folder);

/// Whether java and ZooKeeper's library are there.
[[nodiscard]] bool apache_installed();
/// Starts a program of Apache's library as a process in the background, in a session of its own; its output is appended
/// to `log`.
/// @param flags  of java, before the class.
/// @param space  a network namespace to start it in; empty: this process's.
[[nodiscard]] result<pid_t> start_apache(const std::string& main_class, const std::filesystem::path& configuration,
                                         const std::vector<std::string>& flags, const std::filesystem::path& log,
                                         const std::string& space = {});

}  // namespace zkr::testing
