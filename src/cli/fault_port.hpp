#pragma once

#include <memory>
#include <string>

#include "zkrecipes/server.hpp"

namespace zkr::cli {

/// HTTP with JSON on a free port of 127.0.0.1, through which tests in any language make a server misbehave: see
/// docs/tool.md. Every request needs the token, made at random for each port.
///
/// @par Threads  its own.
class fault_port {
 public:
  /// @param of  must outlive the port.
  /// @par Errors  io_error: no port could be had.
  [[nodiscard]] static result<fault_port> open(server& of);

  fault_port(fault_port&& other) noexcept;
  fault_port& operator=(fault_port&& other) noexcept;
  /// Ends waits, answers what is under way, and closes the port. The rules are cleared.
  ~fault_port();

  [[nodiscard]] int port() const noexcept;
  [[nodiscard]] const std::string& token() const noexcept;

 private:
  struct impl;
  explicit fault_port(std::unique_ptr<impl> state) noexcept;
  std::unique_ptr<impl> impl_;
};

}  // namespace zkr::cli
