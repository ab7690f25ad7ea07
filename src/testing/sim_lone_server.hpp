#pragma once

#include <functional>
#include <memory>

#include "testing/sim_server.hpp"
#include "testing/sim_world.hpp"

namespace zkr::testing {

/// A server that is alone: every request is applied and answered in one go.
class sim_lone_server final : public sim_server {
 public:
  /// @param has_output  called when time made the processor say something.
  sim_lone_server(sim_world& world, std::function<void()> has_output);

  [[nodiscard]] bool running() const noexcept override { return running_; }
  [[nodiscard]] bool paused() const noexcept override { return paused_; }
  [[nodiscard]] const backend::processor& serving() const noexcept override { return *server_; }
  [[nodiscard]] backend::processor& serving() noexcept override { return *server_; }
  void receive(backend::connection_id from, const std::string& frame) override;
  void forget(backend::connection_id which) override;
  void expire(backend::session_id which) override;

  /// Comes back with nothing.
  void restart_empty();
  /// Ends without a word; its data stay.
  void kill();
  /// All sessions have their whole time-outs again.
  void start();
  void pause() { paused_ = true; }
  void resume();

 private:
  void arm_tick();

  sim_world& world_;
  const std::function<void()> has_output_;
  std::unique_ptr<backend::processor> server_;
  bool running_ = true;
  bool paused_ = false;
  scheduler::timer tick_ = 0;
};

}  // namespace zkr::testing
