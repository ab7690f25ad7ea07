#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "zkrecipes/clock.hpp"
#include "zkrecipes/unique_function.hpp"

namespace zkr::testing {

/// A process as its network and its clock know it.
struct sim_host {
  /// What a link to one server loses.
  struct losses {
    bool to_server = false;
    bool to_client = false;
  };

  bool dead = false;
  bool paused = false;  ///< Nothing of it runs; what it has to do waits in `held`, what arrives in the network.
  bool cut = false;     ///< From all servers.
  std::vector<losses> cuts = {};          ///< By server.
  std::vector<std::size_t> servers = {};  ///< Those that its clients connect to.
  double clock_rate = 1;                  ///< Of its clock, to the world's.
  std::vector<unique_function<void()>> held = {};
  std::optional<std::size_t> lose_request_after = std::nullopt;  ///< How many requests pass before one is lost.
  std::optional<std::size_t> lose_reply_after = std::nullopt;
};

}  // namespace zkr::testing
