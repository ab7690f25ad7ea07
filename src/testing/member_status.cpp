#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "zkrecipes/testing/apache_ensemble.hpp"

namespace zkr::testing {
namespace {

using clock = std::chrono::steady_clock;

struct socket_closer {
  int fd;
  ~socket_closer() {
    if (fd >= 0) ::close(fd);
  }
};

/// Waits for a socket. @return 0, or the error.
int wait_for(int fd, short events, clock::time_point until) {
  pollfd one{fd, events, 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int connect_to(int fd, const addrinfo& where, clock::time_point until) {
  if (::connect(fd, where.ai_addr, where.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int failed = wait_for(fd, POLLOUT, until); failed != 0) return failed;
  int problem = 0;
  socklen_t size = sizeof problem;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno;
}

int exchange(const addrinfo& where, std::string_view word, std::string& answer, clock::time_point until) {
  const socket_closer link{
      ::socket(where.ai_family, where.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, where.ai_protocol)};
  if (link.fd < 0) return errno;
  if (const int failed = connect_to(link.fd, where, until); failed != 0) return failed;
  if (::send(link.fd, word.data(), word.size(), MSG_NOSIGNAL) < 0) return errno;
  std::array<char, 4096> part{};
  while (answer.size() < std::size_t{1} << 20U) {
    const ssize_t got = ::recv(link.fd, part.data(), part.size(), 0);
    if (got > 0) {
      answer.append(part.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      break;
    } else if (errno != EAGAIN && errno != EINTR) {
      return errno;
    } else if (const int failed = wait_for(link.fd, POLLIN, until); failed != 0) {
      return failed;
    }
  }
  return 0;
}

/// What stands behind `name` up to the end of its line.
std::string_view field(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find('\n'));
}

template <typename Number>
Number number(std::string_view text, int base = 10) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

member_role role_of(std::string_view mode) {
  if (mode == "leader") return member_role::leader;
  if (mode == "follower") return member_role::follower;
  if (mode == "observer") return member_role::observer;
  return mode == "standalone" ? member_role::standalone : member_role::unknown;
}

void read_answer(std::string_view text, member_status& into) {
  if (text.find("not currently serving requests") != std::string_view::npos) {
    into.role = member_role::not_serving;
    return;
  }
  into.role = role_of(field(text, "Mode: "));
  if (into.role == member_role::unknown) {
    into.problem = text.empty() ? "closed the connection" : std::string(text.substr(0, text.find('\n')));
    return;
  }
  const auto version = field(text, "Zookeeper version: ");
  into.version = version.substr(0, version.find_first_of("-, "));
  into.zxid = static_cast<std::int64_t>(number<std::uint64_t>(field(text, "Zxid: 0x"), 16));
  const auto connections = number<std::size_t>(field(text, "Connections: "));
  into.connections = connections > 0 ? connections - 1 : 0;  // one is ours
  into.nodes = number<std::size_t>(field(text, "Node count: "));
}

}  // namespace

const char* to_string(member_role role) noexcept {
  switch (role) {
    case member_role::unreachable: return "unreachable";
    case member_role::not_serving: return "not serving";
    case member_role::unknown: return "unknown";
    case member_role::standalone: return "standalone";
    case member_role::leader: return "leader";
    case member_role::follower: return "follower";
    case member_role::observer: return "observer";
  }
  return "unknown";
}

member_status ask_member(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  member_status status;
  const bool v6 = host.find(':') != std::string::npos;
  status.address = v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); failed != 0) {
    status.problem = ::gai_strerror(failed);
    return status;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  const auto until = clock::now() + timeout;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::string answer;
    const int failed = exchange(*one, "srvr", answer, until);
    if (failed == 0) {
      status.problem.clear();
      read_answer(answer, status);
      return status;
    }
    status.problem = std::strerror(failed);
  }
  return status;
}

quorum_status judge(const std::vector<member_status>& members) noexcept {
  quorum_status all;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const member_role role = members[i].role;
    const bool leads = role == member_role::leader || role == member_role::standalone;
    const bool serves = leads || role == member_role::follower || role == member_role::observer;
    if (serves) ++all.serving;
    if (!leads) continue;
    ++all.leaders;
    // Of two, the one of the later epoch is the ensemble's.
    if (!all.leader || members[i].zxid > members[*all.leader].zxid) all.leader = i;
  }
  return all;
}

}  // namespace zkr::testing
