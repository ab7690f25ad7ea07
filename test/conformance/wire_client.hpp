#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/any_server.hpp"
#include "server/incoming.hpp"
#include "server/raw_client.hpp"

namespace zkr::testing {

[[nodiscard]] std::uint16_t port_under_test();

struct server_port {
  std::uint16_t number;
};

/// A session with the server under test that sends whatever it is told, well-formed or not.
class wire_client {
 public:
  static constexpr std::int32_t usual_timeout_ms = 5000;

  explicit wire_client(std::int32_t timeout_ms = usual_timeout_ms);
  explicit wire_client(const wire::connect_request& handshake);
  /// With a server of its own.
  explicit wire_client(server_port of);

  std::int32_t send(const wire::request& request);
  void send_frame(std::string_view payload);
  /// The next message, reply or event; connection_loss where the connection has ended.
  incoming next();
  /// Sends, and gives the reply; events that came before it are kept for `events`.
  incoming call(const wire::request& request);
  incoming call_frame(std::string_view payload);
  /// All events that the server has sent by now.
  std::vector<seen_event> events();
  bool is_closed() { return bytes.is_closed(); }

  // Short forms.
  incoming create(std::string_view path, std::string_view data = "",
                  wire::create_flags flags = wire::create_flags::persistent);
  errc remove(std::string_view path, std::int32_t version = any_version);
  incoming set(std::string_view path, std::string_view data, std::int32_t version = any_version);
  incoming get(std::string_view path, bool watch = false);
  incoming exists(std::string_view path, bool watch = false);
  incoming children(std::string_view path, bool watch = false);
  stat_t stat(std::string_view path);
  bool has(std::string_view path) { return exists(path).code() == errc::ok; }
  errc auth(std::string_view scheme, std::string_view credentials);
  std::vector<wire::multi_result> multi(std::vector<wire::multi_operation> operations);

  raw_client bytes;
  std::int64_t session_id = 0;
  std::int32_t timeout_ms = 0;
  std::string password;
  incoming last;  ///< The last reply; what `multi` gives are views into it.

 private:
  void greet(const wire::connect_request& handshake);
  incoming wait_for_reply();

  std::int32_t xid_ = 0;
  std::vector<seen_event> events_;
};

/// A test on the wire, with a session and a folder of its own.
class wire_conformance : public ::testing::Test {
 protected:
  wire_conformance();

  [[nodiscard]] std::string at(std::string_view name) const { return folder + "/" + std::string(name); }

  wire_client zk;
  std::string folder;
};

}  // namespace zkr::testing
