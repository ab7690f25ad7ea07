#pragma once

#include <string>

#include "server/processor.hpp"

namespace zkr::testing {

/// A server as the network sees it. What its processor has to send, and which connections it closes, the network takes
/// from the processor after each call, and when it is told to look.
class sim_server {
 public:
  virtual ~sim_server() = default;

  [[nodiscard]] virtual bool running() const noexcept = 0;  ///< Else connections are refused.
  [[nodiscard]] virtual bool paused() const noexcept = 0;   ///< What arrives waits.
  [[nodiscard]] virtual const backend::processor& serving() const noexcept = 0;
  [[nodiscard]] virtual backend::processor& serving() noexcept = 0;

  virtual void receive(backend::connection_id from, const std::string& frame) = 0;
  /// The connection is gone on both ends.
  virtual void forget(backend::connection_id which) = 0;
  /// Ends a session as if its time were over.
  virtual void expire(backend::session_id which) = 0;

 protected:
  sim_server() = default;
  sim_server(const sim_server&) = default;
  sim_server& operator=(const sim_server&) = default;
};

}  // namespace zkr::testing
