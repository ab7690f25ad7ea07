#pragma once

#include <memory>
#include <string>

#include "server/settings.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::cli {

/// HTTP with the commands of Apache's AdminServer as JSON, and with metrics for Prometheus: see docs/server.md. Whoever
/// reaches it may read everything but nodes' data, and reset counters, as with Apache.
///
/// @par Threads  its own.
class admin_port {
 public:
  /// @param of             must outlive the port.
  /// @param configuration  what the command initial_configuration shows.
  /// @par Errors  io_error: the address or the port cannot be had.
  [[nodiscard]] static result<admin_port> open(server& of, const backend::admin_settings& where,
                                               std::string configuration);

  admin_port(admin_port&& other) noexcept;
  admin_port& operator=(admin_port&& other) noexcept;
  /// Closes the port and all of its connections.
  ~admin_port();

  /// Of the list of commands.
  [[nodiscard]] std::string url() const;

 private:
  struct impl;
  explicit admin_port(std::unique_ptr<impl> state) noexcept;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr::cli
