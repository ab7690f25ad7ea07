#pragma once

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "wire/codec.hpp"

// A client of the benchmarks: blocking, and no more than they need.
namespace zkr::bench {

[[noreturn]] inline void fail(const std::string& what) {
  fmt::print(stderr, "{}: {}\n", what, std::strerror(errno));
  std::_Exit(1);
}

/// A connection on the loopback. @return the socket, or -1.
inline int connect_to(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return made;
  ::close(made);
  return -1;
}

/// A socket with a session. Requests are collected until `flush`.
class client {
 public:
  explicit client(std::uint16_t port, std::int32_t timeout_ms = 30'000)
      : socket_(connect_to(port)), input_(largest_reply_bytes) {
    if (socket_ < 0) fail("connect");
    wire::append_connect_request_frame(output_, {0, 0, timeout_ms, 0, {}, false});
    flush();
    receive([](std::string_view) {});
  }
  ~client() { ::close(socket_); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  [[nodiscard]] int socket() const noexcept { return socket_; }
  void add(const wire::request& what) { wire::append_request_frame(output_, ++xid_, what); }
  void flush() {
    std::string_view left = output_;
    while (!left.empty()) {
      const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) fail("send");
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
    output_.clear();
  }
  /// Waits for bytes and hands over each whole frame.
  template <typename F>
  void receive(F each) {
    do {
      const ssize_t got = ::recv(socket_, input_.data() + have_, input_.size() - have_, 0);
      if (got <= 0) fail("the server ended the connection");
      have_ += static_cast<std::size_t>(got);
      std::string_view left(input_.data(), have_);
      while (true) {
        const wire::frame_split split = wire::split_frame(left);
        if (split.status != wire::frame_status::complete) break;
        each(split.frame);
        left.remove_prefix(split.consumed);
      }
      std::copy(left.begin(), left.end(), input_.data());
      have_ = left.size();
    } while (have_ > 0);
  }

 private:
  static constexpr std::size_t largest_reply_bytes = std::size_t{16} << 10U;  // there may be thousands of clients

  int socket_;
  std::int32_t xid_ = 0;
  std::string output_;
  std::vector<char> input_;
  std::size_t have_ = 0;
};

/// Ends the program where a reply is neither a success nor `also`.
inline void check(std::string_view reply, errc also = errc::ok) {
  const auto header = wire::decode_reply_header(reply);
  if (!header || (header->code != errc::ok && header->code != also)) {
    errno = 0;
    fail(header ? fmt::format("the server says {}", static_cast<int>(header->code)) : "no reply");
  }
}

}  // namespace zkr::bench
