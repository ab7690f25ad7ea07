#pragma once

#include <memory>
#include <vector>

#include "testing/sim_network.hpp"
#include "transport/transport.hpp"

namespace zkr::testing {

/// A transport over the simulated network, which speaks the protocol's real frames and reconnects as libzookeeper does:
/// a ping when it was idle for T/3, another attempt when nothing was heard for 2/3 T, a pause of T/60 between attempts.
/// It leaves watches and credentials to the client. `servers` are tried in their order.
[[nodiscard]] std::unique_ptr<transport::transport> make_sim_transport(const transport::transport_options& options,
                                                                       transport::sink& reports_to, scheduler& clock,
                                                                       sim_network& network,
                                                                       std::shared_ptr<sim_host> host,
                                                                       std::vector<std::size_t> servers);

}  // namespace zkr::testing
