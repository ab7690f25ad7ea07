#pragma once

#include <cstdlib>
#include <thread>

#include "zkrecipes/clock.hpp"

namespace zkr::cli {

/// Looks until `holds` does, or until `limit` is over (scaled as all limits of the tests are). @return whether it does.
template <typename Predicate>
bool wait_until(Predicate holds, duration limit = std::chrono::seconds(20)) {
  const char* factor = std::getenv("ZKR_TEST_TIME_FACTOR");
  const auto deadline = boot_clock::now() + limit * (factor != nullptr ? std::max(1, std::atoi(factor)) : 1);
  while (!holds()) {
    if (boot_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace zkr::cli
