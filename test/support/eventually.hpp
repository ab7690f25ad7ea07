#pragma once

#include <cstdlib>
#include <thread>

#include "zkrecipes/clock.hpp"

namespace zkr::testing {

/// How much longer than on a quiet machine without sanitizers a test may wait: one factor for all.
inline int time_factor() {
  const char* factor = std::getenv("ZKR_TEST_TIME_FACTOR");
  return factor != nullptr ? std::max(1, std::atoi(factor)) : 1;
}

/// Looks until `holds()`, or until `limit` (scaled) is over. @return whether it does.
template <typename Predicate>
bool eventually(Predicate holds, duration limit = std::chrono::seconds(20)) {
  const auto deadline = boot_clock::now() + limit * time_factor();
  while (!holds()) {
    if (boot_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace zkr::testing
