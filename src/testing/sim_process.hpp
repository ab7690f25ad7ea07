#pragma once

#include <memory>

#include "testing/sim_network.hpp"
#include "testing/sim_runtime.hpp"
#include "zkrecipes/testing/simulation.hpp"

namespace zkr::testing {

class sim_process final : public simulation::process {
 public:
  sim_process(sim_world& world, sim_network& network, std::size_t servers, int late_cancels);

  [[nodiscard]] result<client> connect(client_options options) override;
  void use_servers(std::vector<std::size_t> servers) override { host_->servers = std::move(servers); }
  void crash() override;
  void restart() override;
  void pause() override { host_->paused = !host_->dead; }
  void resume() override;
  void cut() override { host_->cut = true; }
  void cut(std::size_t server, cut_way lost) override;
  void heal() override;
  void set_clock_rate(double rate) override;
  [[nodiscard]] std::optional<std::size_t> server() const override { return network_.server_of(*host_); }

  [[nodiscard]] sim_host& host() noexcept { return *host_; }

 private:
  [[nodiscard]] std::vector<std::size_t> shuffled_servers();

  sim_world& world_;
  sim_network& network_;
  const int late_cancels_;
  double clock_rate_ = 1;
  std::shared_ptr<sim_host> host_;
  std::shared_ptr<runtime> runtime_;  ///< From the first client on.
};

}  // namespace zkr::testing
