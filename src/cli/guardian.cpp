#include "cli/guardian.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/guardian_messages.hpp"
#include "cli/guardian_process.hpp"

namespace zkr::cli {

bool send_packet(int socket, const void* head, std::size_t bytes, const std::string& tail) noexcept {
  iovec parts[] = {{const_cast<void*>(head), bytes}, {const_cast<char*>(tail.data()), tail.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

std::optional<std::string> receive_packet(int socket) {
  const auto size = recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR ? std::nullopt : std::optional<std::string>("");
  std::string packet(static_cast<std::size_t>(size), '\0');
  const auto read = recv(socket, packet.data(), packet.size(), MSG_DONTWAIT);
  packet.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  return packet;
}

result<guardian> guardian::start(const std::vector<std::string>& command, const inherited_signals& for_command) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return error(errc::io_error, "socketpair", {}, std::strerror(errno));
  }
  descriptor ours(ends[0]);
  descriptor its(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return error(errc::io_error, "fork", {}, std::strerror(errno));
  if (pid == 0) {
    ours.reset();
    guard(std::move(its), command, for_command);
  }
  return guardian(std::move(ours), pid);
}

guardian::guardian(guardian&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, 0)), group_(std::exchange(other.group_, 0)) {}

guardian::~guardian() {
  if (pid_ == 0) return;
  socket_.reset();
  ::kill(pid_, SIGCONT);  // were it stopped, we would wait for ever
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void guardian::run(time_point valid_until, const warden::settings& with, const environment& added) {
  to_guardian packet{};
  packet.what = to_guardian::kind::run;
  packet.valid_until = valid_until;
  packet.with = with;
  std::string variables;
  for (const auto& [name, value] : added) variables.append(name).append("=").append(value).push_back('\0');
  send_packet(socket_.get(), &packet, sizeof packet, variables);
}

void guardian::renewed(time_point valid_until) {
  to_guardian packet{};
  packet.what = to_guardian::kind::renewed;
  packet.valid_until = valid_until;
  send_packet(socket_.get(), &packet, sizeof packet);
}

void guardian::at_risk() {
  to_guardian packet{};
  packet.what = to_guardian::kind::at_risk;
  send_packet(socket_.get(), &packet, sizeof packet);
}

void guardian::lost() {
  to_guardian packet{};
  packet.what = to_guardian::kind::lost;
  send_packet(socket_.get(), &packet, sizeof packet);
  if (group_ > 0) ::kill(-group_, SIGKILL);  // the guardian itself may be stopped
}

void guardian::forward(int signal) {
  to_guardian packet{};
  packet.what = to_guardian::kind::forward;
  packet.signal = signal;
  send_packet(socket_.get(), &packet, sizeof packet);
}

std::optional<guardian::report> guardian::read() {
  const auto packet = receive_packet(socket_.get());
  if (!packet) return std::nullopt;
  from_guardian head{};
  report said;
  if (packet->size() != sizeof head) {
    // It was killed; the kernel has killed the command then, but not what that has started.
    if (group_ > 0) ::kill(-group_, SIGKILL);
    group_ = 0;
    return said;
  }
  std::memcpy(&head, packet->data(), sizeof head);
  said.pid = head.pid;
  if (head.what == from_guardian::kind::started) {
    said.what = report::kind::started;
    group_ = head.pid;
  } else {
    said.what = report::kind::ended;
    if (head.has_status) said.wait_status = head.wait_status;
    said.ended_by_us = head.ended_by_us;
    group_ = 0;
  }
  return said;
}

}  // namespace zkr::cli
