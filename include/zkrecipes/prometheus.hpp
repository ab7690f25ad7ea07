#pragma once

#include <map>
#include <memory>
#include <string>

#include "zkrecipes/observer.hpp"

namespace prometheus {
class Registry;
}

namespace zkr {

/// Metrics of one client, for Prometheus: an observer that keeps them in a registry of prometheus-cpp, which the program
/// shows as it likes. Names and meanings: docs/observability.md. In the optional component `zkrecipes::prometheus`.
///
/// @param labels  of all of them, to tell clients apart; clients with the same labels are added up, but for the gauges,
///                which then show whichever client changed last.
[[nodiscard]] std::shared_ptr<observer> prometheus_observer(std::shared_ptr<::prometheus::Registry> registry,
                                                            const std::map<std::string, std::string>& labels = {});

}  // namespace zkr
