#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "zkrecipes/server.hpp"

namespace zkr::backend {

/// The HTTP port for administration, as Apache's keys admin.* have it.
struct admin_settings {
  std::optional<bool> enabled = {};  ///< Unset: where a port is named.
  bool port_named = false;
  std::uint16_t port = 8080;  ///< 0: a free one.
  std::string address = "127.0.0.1";
  std::string command_url = "/commands";

  [[nodiscard]] bool on() const noexcept { return enabled.value_or(port_named); }
};

/// All that a configuration can say: what the server takes as options, and what else Apache knows of files.
struct server_settings {
  server_options server;
  admin_settings admin;

  // Understood, and without effect: logs are not allocated ahead, and old snapshots go with each new one.
  std::int64_t pre_alloc_kib = 65'536;   ///< By how much a log grows at once. At least 1.
  std::chrono::hours purge_interval{0};  ///< 0: never.
};

}  // namespace zkr::backend
