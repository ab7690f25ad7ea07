#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "zkrecipes/server.hpp"

namespace zkr::backend {

/// All that a configuration can say: what the server takes as options, and what else Apache knows of files.
struct server_settings {
  server_options server;

  // Understood, and without effect: logs are not allocated ahead, and old snapshots go with each new one.
  std::int64_t pre_alloc_kib = 65'536;   ///< By how much a log grows at once. At least 1.
  std::chrono::hours purge_interval{0};  ///< 0: never.
};

}  // namespace zkr::backend
