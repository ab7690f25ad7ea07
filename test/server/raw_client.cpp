#include "server/raw_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace zkr::testing {

namespace {
constexpr std::chrono::milliseconds deadline{20'000};
}

raw_client::raw_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0) << "errno " << errno;
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

raw_client::~raw_client() { ::close(socket_); }

// A connection that the server has closed already swallows what is sent: the test finds out when it reads.
void raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void raw_client::send(const wire::request& request, std::int32_t xid) {
  std::string frame;
  wire::append_request_frame(frame, xid, request);
  send(frame);
}

std::int64_t raw_client::greet(const wire::connect_request& handshake) {
  std::string frame;
  wire::append_connect_request_frame(frame, handshake);
  send(frame);
  const std::string answer = receive_frame();
  const auto reply = wire::decode_connect_reply(answer);
  if (!reply) return 0;
  password = reply->password;
  timeout_ms = reply->timeout_ms;
  return reply->session_id;
}

bool raw_client::wait_for_input(std::chrono::milliseconds within) {
  pollfd one{socket_, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(within.count())) > 0;
}

std::string raw_client::receive(std::size_t bytes) {
  std::array<char, 65536> chunk{};
  while (buffered_.size() < bytes && wait_for_input(deadline)) {
    const ssize_t got = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (got <= 0) break;
    buffered_.append(chunk.data(), static_cast<std::size_t>(got));
  }
  const std::size_t taken = std::min(bytes, buffered_.size());
  std::string result = buffered_.substr(0, taken);
  buffered_.erase(0, taken);
  return result;
}

std::string raw_client::receive_all() { return receive(static_cast<std::size_t>(-1)); }

std::string raw_client::receive_frame() {
  const std::string length = receive(4);
  return length.size() < 4 ? std::string() : receive(static_cast<std::size_t>(wire::reader(length).int32()));
}

errc raw_client::receive_code() {
  const std::string frame = receive_frame();
  std::string_view body = frame;
  const auto header = wire::decode_reply_header(body);
  return header ? header->code : errc::connection_loss;
}

bool raw_client::is_closed() {
  char byte = 0;
  return buffered_.empty() && wait_for_input(deadline) && ::recv(socket_, &byte, 1, 0) <= 0;
}

bool raw_client::is_quiet(std::chrono::milliseconds within) { return buffered_.empty() && !wait_for_input(within); }

}  // namespace zkr::testing
