#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "cli/wakeup.hpp"
#include "zkrecipes/client.hpp"

namespace zkr::cli {

/// What the common options of all commands that talk to a server say.
struct connection_settings {
  std::string servers = "127.0.0.1:2181";
  duration session_timeout = std::chrono::seconds(10);
  std::optional<duration> timeout;  ///< Of the command; each gives it a default.
  bool verbose = false;             ///< What happens inside goes to standard error.
};

/// Longest wait of a command that reads or writes nodes, where `--timeout` says nothing.
inline constexpr duration default_timeout = std::chrono::seconds(15);

[[nodiscard]] client_options make_client_options(const connection_settings& with);

/// Connects, and says on standard error why not where it cannot.
[[nodiscard]] std::optional<client> connect_or_complain(const connection_settings& with);

/// Prints the one line about a failure. @return exit_status::failure.
int complain(const error& why);
/// The same for a failed connect: says what to look at.
int complain_about_connecting(const error& why, const connection_settings& with);

/// Connects on a thread of its own, so that the caller can go on looking after signals.
class background_connect {
 public:
  /// `when_done` is set once `take()` has something to give; it outlives this object.
  background_connect(client_options options, call_options wait, const wakeup& when_done);

  [[nodiscard]] std::optional<result<client>> take();

 private:
  std::mutex mutex_;
  std::optional<result<client>> done_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace zkr::cli
