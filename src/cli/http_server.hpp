#pragma once

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "zkrecipes/result.hpp"

namespace zkr::cli {

/// cpp-httplib's server with bounds, so that whoever talks to it, however slowly or however often, neither keeps the
/// process from ending nor takes the descriptors that others need: few connections are taken in at a time, the others
/// wait in the kernel; each has one request, and a few seconds to send it and to take the answer. It listens by its own
/// choice of socket options: two servers on one port are an error.
///
/// @par Threads  its own.
class http_server final : public httplib::Server {
 public:
  http_server();
  ~http_server() override { close(); }

  /// Listens and serves; handlers must be there. @param port  0: a free one.
  /// @par Errors  io_error: the address or the port cannot be had.
  [[nodiscard]] result<int> open(const std::string& address, int port);
  /// Ends at once what is being received or sent. Handlers that wait must be ended before.
  void close() noexcept;

 private:
  class connection;
  bool process_and_close_socket(socket_t socket) override;

  std::thread thread_;
  std::mutex mutex_;
  bool closing_ = false;        // guarded by mutex_
  std::set<socket_t> sockets_;  // guarded by mutex_
};

void say(httplib::Response& to, const nlohmann::json& what);
/// `why` comes from anywhere.
void refuse(httplib::Response& to, int status, const std::string& why);

}  // namespace zkr::cli
