#include "testing/ensemble_network.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace zkr::testing {
namespace {

constexpr int networks = 512;  // of 256 addresses, in 198.18.0.0/15
constexpr std::size_t router = 253;

/// Runs a script of sh up to its first failure. @return whether all of it went well.
bool run(std::string script) {
  std::array<char*, 4> words{const_cast<char*>("sh"), const_cast<char*>("-ec"), script.data(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  pid_t pid = -1;
  const int problem = ::posix_spawn(&pid, "/bin/sh", &files, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  int status = -1;
  return problem == 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

std::string forget_space(const std::string& name) { return fmt::format("ip netns del {} || true\n", name); }

std::string unused_name() {
  static std::atomic<int> made = 0;
  return fmt::format("zkr{}-{}", ::getpid(), ++made);
}

}  // namespace

bool ensemble_network::possible() {
  static const bool can = [] {
    const auto name = unused_name();
    const bool all =
        run(fmt::format("ip netns add {0}\n"
                        "ip netns exec {0} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'\n"
                        "ip -n {0} rule add from 198.18.0.1 to 198.18.0.2 blackhole\n"
                        "ip -n {0} link add name one type veth peer name other\n",
                        name));
    run(forget_space(name));
    return all;
  }();
  return can;
}

std::string ensemble_network::host(std::size_t last) const {
  return fmt::format("198.{}.{}.{}", 18 + number_ / 256, number_ % 256, last);
}

std::string ensemble_network::space(std::size_t member) const { return fmt::format("{}-{}", name_, member + 1); }

std::string ensemble_network::set_up() const {
  const auto hub = name_ + "-hub";
  // The routes are refused where another ensemble has the same network.
  std::string script = fmt::format(
      "ip netns add {0}\n"
      "ip link add {4} type veth peer name out netns {0}\n"
      "ip addr add {1}/32 dev {4}\n"
      "ip link set {4} up\n"
      "ip route add {2}/32 dev {4} src {1}\n"
      "ip route add {3}/24 via {2} src {1}\n"
      "ip netns exec {0} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'\n"
      "ip -n {0} link set lo up\n"
      "ip -n {0} addr add {2}/32 dev out\n"
      "ip -n {0} link set out up\n"
      "ip -n {0} route add {1}/32 dev out\n",
      hub, outside(), host(router), host(0), name_);
  for (std::size_t i = 0; i < members_; ++i) {
    script += fmt::format(
        "ip netns add {1}\n"
        "ip -n {0} link add m{2} type veth peer name eth0 netns {1}\n"
        "ip -n {0} addr add {3}/32 dev m{2}\n"
        "ip -n {0} link set m{2} up\n"
        "ip -n {1} link set lo up\n"
        "ip -n {1} addr add {4}/32 dev eth0\n"
        "ip -n {1} addr add {5}/32 dev eth0\n"
        "ip -n {1} link set eth0 up\n"
        "ip -n {1} route add {3}/32 dev eth0 src {4}\n"
        "ip -n {1} route add default via {3} src {4}\n"
        "ip -n {0} route add {4}/32 dev m{2}\n"
        "ip -n {0} route add {5}/32 dev m{2}\n",
        hub, space(i), i, host(router), address(i), gate(i));
  }
  return script;
}

result<ensemble_network> ensemble_network::make(std::size_t members) {
  // Other processes' networks stand somewhere in the range: one that fails is given up for another.
  for (int tries = 0; tries < 8; ++tries) {
    const auto name = unused_name();
    ensemble_network made(name, static_cast<int>(std::hash<std::string>{}(name) % networks), members);
    if (run(made.set_up())) return made;
  }
  return error(errc::io_error, "ensemble", {}, "no network could be made for the members");
}

ensemble_network::ensemble_network(ensemble_network&& other) noexcept
    : name_(std::exchange(other.name_, {})),
      number_(other.number_),
      members_(other.members_),
      cuts_(std::move(other.cuts_)) {}

ensemble_network::~ensemble_network() {
  if (name_.empty()) return;
  std::string script = fmt::format("ip link del {} || true\n", name_) + forget_space(name_ + "-hub");
  for (std::size_t i = 0; i < members_; ++i) script += forget_space(space(i));
  run(script);
}

result<void> ensemble_network::cut(const std::string& from, const std::string& to) {
  if (cuts_.contains({from, to})) return {};
  if (!run(fmt::format("ip -n {}-hub rule add from {} to {} blackhole", name_, from, to))) {
    return error(errc::io_error, "ensemble", {}, fmt::format("{} could not be cut off from {}", from, to));
  }
  cuts_.emplace(from, to);
  return {};
}

result<void> ensemble_network::heal() {
  std::string script;
  for (const auto& [from, to] : cuts_) {
    script += fmt::format("ip -n {}-hub rule del from {} to {} blackhole\n", name_, from, to);
  }
  cuts_.clear();
  if (!run(script)) return error(errc::io_error, "ensemble", {}, "the network could not be healed");
  return {};
}

}  // namespace zkr::testing
