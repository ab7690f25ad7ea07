#include <prometheus/registry.h>

#include <zkrecipes/client.hpp>
#include <zkrecipes/prometheus.hpp>

int main() {
  const auto registry = std::make_shared<prometheus::Registry>();
  const zkr::client_options options{.observer = zkr::prometheus_observer(registry)};
  return registry->Collect().empty() ? 1 : 0;
}
