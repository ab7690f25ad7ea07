#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "zkrecipes/server.hpp"

namespace zkr::backend {

/// All that a configuration can say: what the server takes as options, and what is about its files.
struct server_settings {
  server_options server;

  std::string data_dir = {};             ///< Snapshots (and the log). Empty: none is named.
  std::string data_log_dir = {};         ///< The log; empty: with the snapshots.
  std::int64_t snap_count = 100'000;     ///< Transactions between snapshots, about. At least 2.
  std::int64_t pre_alloc_kib = 65'536;   ///< By how much a log grows at once. At least 1.
  std::int32_t snapshots_kept = 3;       ///< By a purge. At least 3.
  std::chrono::hours purge_interval{0};  ///< 0: never.
};

}  // namespace zkr::backend
