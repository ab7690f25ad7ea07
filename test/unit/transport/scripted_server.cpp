#include "unit/transport/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace zkr::transport {

reserved_port::reserved_port() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&at), size) != 0) std::abort();
  getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
}

reserved_port::~reserved_port() { ::close(fd_); }

void reserved_port::listen() const { ::listen(fd_, 64); }

bool reserved_port::somebody_waits() const {
  pollfd one{fd_, POLLIN, 0};
  return poll(&one, 1, 0) == 1;
}

scripted_server::connection::~connection() { ::close(fd_); }

void scripted_server::connection::send(const std::string& bytes) const {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto now = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return;
    sent += static_cast<std::size_t>(now);
  }
}

void scripted_server::connection::cut() const { shutdown(fd_, SHUT_RDWR); }

bool scripted_server::connection::receive_frame(std::string& frame) {
  for (;;) {
    const auto split = wire::split_frame(buffered_, 64 << 20);
    if (split.status == wire::frame_status::bad_length) return false;
    if (split.status == wire::frame_status::complete) {
      frame = split.frame;
      buffered_.erase(0, split.consumed);
      return true;
    }
    char bytes[65536];
    const auto got = recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffered_.append(bytes, static_cast<std::size_t>(got));
  }
}

scripted_server::scripted_server() : scripted_server(script()) {}

scripted_server::scripted_server(script plays) : script_(std::move(plays)) {
  if (!script_.handshake) {
    script_.handshake = [](connection&, const wire::connect_request& asked) -> std::optional<wire::connect_reply> {
      return wire::connect_reply{0, asked.timeout_ms, asked.session_id != 0 ? asked.session_id : session_id, password,
                                 false};
    };
  }
  if (!script_.request) {
    script_.request = [](connection& on, const wire::decoded_request& request) {
      on.send(reply_frame(request.header.xid, wire::empty_reply()));
    };
  }
  if (script_.receive_buffer > 0) {
    setsockopt(port_.descriptor(), SOL_SOCKET, SO_RCVBUF, &script_.receive_buffer, sizeof script_.receive_buffer);
  }
  port_.listen();
  accepting_ = std::thread([this] { accept_all(); });
}

scripted_server::~scripted_server() {
  stopping_ = true;
  shutdown(port_.descriptor(), SHUT_RDWR);
  cut();
  accepting_.join();
  cut();
  for (auto& thread : threads_) thread.join();
}

void scripted_server::accept_all() {
  while (!stopping_) {
    const int fd = accept4(port_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    auto made = std::make_shared<connection>(fd, ++accepted_);
    {
      const std::scoped_lock lock(mutex_);
      connections_.push_back(made);
    }
    threads_.emplace_back([this, made] { serve(*made); });
  }
}

void scripted_server::serve(connection& with) {
  std::string frame;
  if (!with.receive_frame(frame)) return with.cut();
  const auto asked = wire::decode_connect_request(frame);
  const auto answer = asked ? script_.handshake(with, *asked) : std::nullopt;
  if (!answer) return with.cut();
  std::string bytes;
  wire::append_connect_reply_frame(bytes, *answer);
  with.send(bytes);
  while (with.receive_frame(frame)) {
    const auto request = wire::decode_request(frame);
    switch (request.header.type) {
      case wire::opcode::ping: with.send(reply_frame(request.header.xid, wire::empty_reply())); break;
      case wire::opcode::close_session:
        with.send(reply_frame(request.header.xid, wire::empty_reply()));
        return with.cut();
      default: ++requests_; script_.request(with, request);
    }
  }
  with.cut();
}

void scripted_server::cut() {
  const std::scoped_lock lock(mutex_);
  for (const auto& one : connections_) one->cut();
}

void scripted_server::send(const std::string& bytes) {
  const std::scoped_lock lock(mutex_);
  if (!connections_.empty()) connections_.back()->send(bytes);
}

std::string reply_frame(std::int32_t xid, const wire::reply& body, std::int64_t zxid, errc code) {
  std::string bytes;
  wire::append_reply_frame(bytes, {xid, zxid, code}, body);
  return bytes;
}

std::string event_frame(wire::event_type type, std::string_view path) {
  std::string bytes;
  wire::append_event_frame(bytes, {type, 3, path});
  return bytes;
}

}  // namespace zkr::transport
