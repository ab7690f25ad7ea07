#include "zkrecipes/testing/apache_ensemble.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <thread>

#include "testing/ensemble_member.hpp"
#include "testing/ensemble_network.hpp"

namespace zkr::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

error bad(std::string what) { return error(errc::invalid_argument, "apache_ensemble", {}, std::move(what)); }

error no_links() { return error(errc::unsupported, "apache_ensemble", {}, "its members have no separate links"); }

/// Ports of an address that were free a moment ago: Apache cannot be asked for port 0. Unset: there are none.
std::optional<member_place> free_place(const std::string& address) {
  std::vector<int> sockets;
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 3; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) break;
    sockets.push_back(fd);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    ::inet_pton(AF_INET, address.c_str(), &at.sin_addr);
    socklen_t size = sizeof at;
    auto* const raw = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd, raw, size) != 0 || ::getsockname(fd, raw, &size) != 0) break;
    ports.push_back(ntohs(at.sin_port));
  }
  for (const int fd : sockets) ::close(fd);
  if (ports.size() < 3) return std::nullopt;
  return member_place{address, ports[0], ports[1], ports[2]};
}

}  // namespace

struct apache_ensemble::impl {
  fs::path folder;
  bool temporary = false;
  std::vector<ensemble_member> members;
  std::set<std::size_t> paused;
  std::optional<ensemble_network> network;

  result<void> cut(const std::string& one, const std::string& other, cut_way lost) {
    if (lost != cut_way::back) {
      if (auto there = network->cut(one, other); !there) return there;
    }
    return lost == cut_way::there ? result<void>() : network->cut(other, one);
  }

  impl() = default;
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() {
    for (const auto& one : members) one.signal(SIGKILL);
    for (const auto& one : members) one.stop(10s);
    std::error_code ignored;
    if (temporary) fs::remove_all(folder, ignored);
  }
};

bool apache_ensemble::installed() { return apache_installed(); }
bool apache_ensemble::can_partition() { return ensemble_network::possible(); }

result<apache_ensemble> apache_ensemble::start(const ensemble_options& options) {
  if (options.members < 1 || options.members > 9) return bad("members: must be 1 to 9");
  if (options.tick_time < 1ms) return bad("tick_time: must be greater than 0");
  if (options.init_limit < 1 || options.sync_limit < 1) return bad("init_limit, sync_limit: must be greater than 0");
  auto state = std::make_unique<impl>();
  state->folder = options.folder;
  if (options.folder.empty()) {
    auto pattern = (fs::temp_directory_path() / "zkr-ensemble-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      return error(errc::io_error, "apache_ensemble", pattern, "no temporary folder");
    state->folder = pattern;
    state->temporary = true;
  }
  ensemble_plan plan{{}, options.tick_time, options.init_limit, options.sync_limit};
  if (options.links == ensemble_links::separate) {
    auto network = ensemble_network::make(options.members);
    if (!network) return std::move(network).error();
    state->network.emplace(*std::move(network));
  }
  for (std::size_t i = 1; i <= options.members; ++i) {
    if (state->network) {
      plan.members.push_back({state->network->address(i - 1), 2181, 2888, 3888, "0.0.0.0"});
      continue;
    }
    const auto place = free_place(fmt::format("127.0.1.{}", i));
    if (!place) return error(errc::io_error, "apache_ensemble", {}, "no free ports");
    plan.members.push_back(*place);
  }
  if (const auto written = write_ensemble(state->folder, plan); !written) return written.error();
  auto members = open_ensemble(state->folder);
  if (!members) return std::move(members).error();
  state->members = *std::move(members);
  if (state->network) {
    for (std::size_t i = 0; i < options.members; ++i) {
      state->members[i].move_into(state->network->space(i), state->network->address(i));
    }
  }
  for (const auto& one : state->members) {
    if (const auto started = one.start(); !started) return started.error();
  }
  apache_ensemble ensemble(std::move(state));
  if (ensemble.wait_until_serving()) return ensemble;
  ensemble.impl_->temporary = false;
  return error(errc::timed_out, "apache_ensemble", ensemble.impl_->folder.string(),
               "it does not serve; the files log in there may say why");
}

apache_ensemble::apache_ensemble(std::unique_ptr<impl> state) noexcept : impl_(std::move(state)) {}
apache_ensemble::apache_ensemble(apache_ensemble&& other) noexcept = default;
apache_ensemble& apache_ensemble::operator=(apache_ensemble&& other) noexcept = default;
apache_ensemble::~apache_ensemble() = default;

std::size_t apache_ensemble::size() const noexcept { return impl_->members.size(); }

std::string apache_ensemble::connect_string() const {
  std::string all;
  for (std::size_t i = 0; i < size(); ++i) all.append(i == 0 ? "" : ",").append(connect_string(i));
  return all;
}

std::string apache_ensemble::connect_string(std::size_t member) const {
  const auto& one = impl_->members.at(member);
  return fmt::format("{}:{}", one.address(), one.port());
}

std::vector<member_status> apache_ensemble::status() const {
  std::vector<member_status> all;
  for (const auto& one : impl_->members) all.push_back(one.status());
  return all;
}

bool apache_ensemble::wait_until_serving(std::chrono::milliseconds within) const {
  const auto until = std::chrono::steady_clock::now() + within;
  while (true) {
    std::vector<member_status> awake;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto& one = impl_->members[i];
      if (one.process() && !impl_->paused.contains(i)) awake.push_back(one.status());
    }
    if (!awake.empty() && judge(awake).complete(awake.size())) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(50ms);
  }
}

std::optional<std::size_t> apache_ensemble::leader() const {
  std::vector<member_status> all;
  for (std::size_t i = 0; i < size(); ++i) {
    all.push_back(impl_->paused.contains(i) ? member_status() : impl_->members[i].status());
  }
  return judge(all).leader;
}

void apache_ensemble::kill(std::size_t member) {
  impl_->members.at(member).signal(SIGKILL);
  impl_->members[member].stop(10s);
  impl_->paused.erase(member);
}

void apache_ensemble::pause(std::size_t member) {
  impl_->members.at(member).signal(SIGSTOP);
  impl_->paused.insert(member);
}

void apache_ensemble::resume(std::size_t member) {
  impl_->members.at(member).signal(SIGCONT);
  impl_->paused.erase(member);
}

result<void> apache_ensemble::restart(std::size_t member) { return impl_->members.at(member).start(); }
result<void> apache_ensemble::cut(std::size_t one, std::size_t other, cut_way lost) {
  if (!impl_->network) return no_links();
  return impl_->cut(impl_->network->address(one), impl_->network->address(other), lost);
}

result<void> apache_ensemble::isolate(std::size_t member) {
  if (!impl_->network) return no_links();
  for (std::size_t other = 0; other < size(); ++other) {
    if (other == member) continue;
    if (auto done = cut(member, other); !done) return done;
  }
  return {};
}

std::string apache_ensemble::gate_string(std::size_t member) const {
  if (!impl_->network) return connect_string(member);
  return fmt::format("{}:{}", impl_->network->gate(member), impl_->members.at(member).port());
}

result<void> apache_ensemble::cut_gate(std::size_t member, cut_way lost) {
  if (!impl_->network) return no_links();
  return impl_->cut(impl_->network->outside(), impl_->network->gate(member), lost);
}

result<void> apache_ensemble::heal() {
  if (!impl_->network) return no_links();
  return impl_->network->heal();
}

}  // namespace zkr::testing
