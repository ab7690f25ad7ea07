#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/codec.hpp"

namespace zkr::testing {

/// A blocking socket on the loopback that sends what it is told and hides nothing. Every wait has a deadline.
class raw_client {
 public:
  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(std::string_view bytes);
  void send(const wire::request& request, std::int32_t xid = 1);
  /// Says hello; gives the session's id, or 0.
  std::int64_t greet(const wire::connect_request& handshake = {0, 0, 10'000, 0, {}, false});
  /// Exactly that many bytes; fewer where the connection ended before.
  std::string receive(std::size_t bytes);
  /// Everything until the connection ends.
  std::string receive_all();
  /// The payload of one frame; "" where the connection ended.
  std::string receive_frame();
  /// The code of the next reply; connection_loss where there is none.
  errc receive_code();
  /// True where the server has ended the connection, or does so within the deadline.
  bool is_closed();
  /// False where something comes within `within`.
  bool is_quiet(std::chrono::milliseconds within);

  // Of the last greeting.
  std::string password;
  std::int32_t timeout_ms = 0;

 private:
  bool wait_for_input(std::chrono::milliseconds within);

  int socket_ = -1;
  std::string buffered_;
};

}  // namespace zkr::testing
