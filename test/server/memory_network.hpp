#pragma once

#include <memory>
#include <string>

#include "core/virtual_scheduler.hpp"
#include "wire/stream.hpp"

namespace zkr::testing {

/// One connection without a network: what the test writes the server reads, and the other way round, with as much room
/// as the test grants.
struct memory_wire {
  std::string to_server;
  std::string from_server;
  std::size_t room = static_cast<std::size_t>(-1);  ///< How much the server may still write.
  bool client_gone = false;
  bool server_gone = false;
  wire::stream::handler on_readable;
  wire::stream::handler on_writable;
};

/// Connections in virtual time: the acceptor of a listener, and the clients' ends.
class memory_network {
 public:
  explicit memory_network(detail::virtual_scheduler& time) : time_(time) {}

  [[nodiscard]] std::unique_ptr<wire::acceptor> make_acceptor();
  /// A client's end; the server learns of it as soon as time goes on.
  std::shared_ptr<memory_wire> connect(std::string address = "127.0.0.1");
  /// Delivers bytes, and lets the server act on them.
  void send(const std::shared_ptr<memory_wire>& over, std::string_view bytes);
  void hang_up(const std::shared_ptr<memory_wire>& over);
  void grant(const std::shared_ptr<memory_wire>& over, std::size_t room);
  /// Runs what is due now.
  void settle();

 private:
  class memory_stream;
  class memory_acceptor;

  detail::virtual_scheduler& time_;
  wire::acceptor::handler waiting_;
};

}  // namespace zkr::testing
