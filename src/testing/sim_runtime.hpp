#pragma once

#include <memory>
#include <random>

#include "core/virtual_scheduler.hpp"
#include "testing/sim_host.hpp"
#include "zkrecipes/runtime.hpp"

namespace zkr::testing {

/// A process's runtime: its time is the world's, at the rate of its own clock; nothing of it runs once the process is
/// dead, and what is due while it is paused runs when it goes on.
[[nodiscard]] std::shared_ptr<runtime> make_sim_runtime(detail::virtual_scheduler& world,
                                                        std::shared_ptr<sim_host> host, std::mt19937_64& random,
                                                        int late_cancels);

/// Lets run what was held back while the host was paused.
void run_held(detail::virtual_scheduler& world, const std::shared_ptr<sim_host>& host);

}  // namespace zkr::testing
