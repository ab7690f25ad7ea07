#include "ensemble/lease_run.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "support/eventually.hpp"
#include "wire/codec.hpp"

namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t holders_a_member = 5;
constexpr duration longest_timeout = 60s;  // more than any server gives

std::string shown(duration of) {
  return fmt::format("{:.3f} s", std::chrono::duration_cast<std::chrono::duration<double>>(of).count());
}

}  // namespace

// ---- witnesses ------------------------------------------------------------------------------------------------------

lease_court::lease_court(const apache_ensemble& servers) {
  // Threads of their own, so that nothing that holders do delays what is seen.
  const auto threads = runtime::create();
  const auto connect = [&](const std::string& hosts) {
    return client::connect(
               {.hosts = hosts, .session_timeout = longest_timeout, .close_timeout = 100ms, .runtime = threads},
               {.timeout = 30s})
        .value();
  };
  for (std::size_t i = 0; i < servers.size(); ++i) at_members.push_back(connect(servers.connect_string(i)));
  rival = connect(servers.connect_string());
}

lease_witness::lease_witness(const std::string& node, const std::string& election, std::vector<client>& at_members,
                             client& rival)
    : members_(at_members.size()), election_(election), rival_(rival) {
  for (auto& one : at_members) {
    watches_.push_back(one.watch(node, [seen = seen_, shown = false](const node_change& now) mutable {
      const auto at = boot_clock::now();
      if (now.problem) return;
      const std::scoped_lock lock(seen->mutex);
      if (now.node && !std::exchange(shown, true)) ++seen->showing;
      if (!now.node && shown && (!seen->gone || at < *seen->gone)) seen->gone = at;
    }));
  }
  leader_election(rival, {.path = election, .id = "rival"})
      .async_campaign(
          [seen = seen_](result<leadership> got) {
            const auto at = boot_clock::now();
            if (!got) return;
            const std::scoped_lock lock(seen->mutex);
            seen->rival_led = at;
            seen->rival = *std::move(got);
          },
          {.stop = stop_.get_token()});
}

bool lease_witness::armed() const {
  {
    const std::scoped_lock lock(seen_->mutex);
    if (seen_->showing < members_) return false;
  }
  const auto all = rival_.children(election_);
  return all && all->names.size() == 2;
}

std::optional<time_point> lease_witness::gone() const {
  const std::scoped_lock lock(seen_->mutex);
  return seen_->gone;
}

std::optional<time_point> lease_witness::rival_led() const {
  const std::scoped_lock lock(seen_->mutex);
  return seen_->rival_led;
}

void lease_verdict::add(duration slack, bool amid_fault) {
  ++sessions;
  least = std::min(least, slack);
  if (!amid_fault) return;
  ++amid_faults;
  least_amid_faults = std::min(least_amid_faults, slack);
}

std::string to_text(const std::string& name, const lease_verdict& of, duration session_timeout) {
  const auto in_timeouts = [&](duration slack) {
    if (slack == duration::max()) return std::string("-");
    using seconds = std::chrono::duration<double>;
    return fmt::format("{:.2f} T", seconds(slack) / seconds(session_timeout));
  };
  return fmt::format("| {} | {} | {} | {} | {} | {} |", name, of.runs, of.sessions, in_timeouts(of.least),
                     of.amid_faults, in_timeouts(of.least_amid_faults));
}

// ---- holders --------------------------------------------------------------------------------------------------------

lease_run::lease_run(apache_ensemble& servers, const std::string& name, duration session_timeout, duration tick_time)
    : servers_(servers), timeout_(session_timeout), court_(servers) {
  const auto threads = runtime::create();
  for (std::size_t i = 0; i < servers.size() * holders_a_member; ++i) {
    auto one = std::make_unique<holder>();
    one->member = i % servers.size();
    one->election = fmt::format("/{}-{}", name, i);
    client_options options{.hosts = servers.gate_string(one->member),
                           .session_timeout = session_timeout,
                           .on_session_loss = session_loss::stay_closed,
                           .close_timeout = 100ms,
                           .runtime = threads};
    // Both spacings of heartbeats.
    if (i % 2 == 1) options.tick_time = tick_time;
    one->zk = client::connect(std::move(options), {.timeout = 30s}).value();
    one->lead = leader_election(one->zk, {.path = one->election, .id = "holder"}).campaign({.timeout = 30s}).value();
    one->witness = std::make_unique<lease_witness>(one->lead.path(), one->election, court_.at_members, court_.rival);
    holders_.push_back(std::move(one));
  }
  looks_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const auto& one : holders_) {
        const auto at = boot_clock::now();
        if (!one->lead.held()) continue;
        one->last_held = at;
        one->claimed_until = std::max(one->claimed_until.load(), one->lead.valid_until());
      }
      std::this_thread::sleep_for(1ms);
    }
  });
}

lease_run::~lease_run() {
  looks_ = {};
  (void)servers_.heal();
}

bool lease_run::ready() {
  return std::all_of(holders_.begin(), holders_.end(), [](const auto& one) {
    return eventually([&] { return one->witness->armed(); }) && one->lead.held();
  });
}

bool lease_run::all_gone(std::size_t member) const {
  return std::all_of(holders_.begin(), holders_.end(),
                     [&](const auto& one) { return one->member != member || one->witness->gone(); });
}

void lease_run::silence(std::size_t member, bool cut) {
  for (const auto& one : holders_) {
    if (one->member != member || one->silent) continue;
    one->silent = true;
    one->gave_up = !one->lead.held();
  }
  if (cut) (void)servers_.cut_gate(member);
}

std::vector<std::string> lease_run::judge(lease_verdict& into, duration time) {
  std::vector<std::string> wrong;
  const auto complain = [&](const holder& one, const std::string& what) {
    wrong.push_back(fmt::format("{} at member {}: {}", one.election, one.member, what));
  };
  std::vector<bool> amid_fault;
  for (const auto& one : holders_) amid_fault.push_back(one->silent);
  (void)servers_.heal();
  for (const auto& one : holders_) {
    if (one->silent) (void)servers_.cut_gate(one->member);
  }
  std::this_thread::sleep_for(time);
  for (const auto& one : holders_) {
    if (!one->silent) one->gave_up = !one->lead.held() && one->zk.session().state == session_state::connected;
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) (void)servers_.cut_gate(i);
  ++into.runs;
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    const auto& one = *holders_[i];
    if (!eventually([&] { return one.witness->gone() && one.witness->rival_led(); }, 40s)) {
      complain(one, "its node is still there");
      continue;
    }
    const auto slack = *one.witness->gone() - one.claimed_until.load();
    // Here all clocks are one, and what a margin is for does not happen: it must be left.
    const auto least = one.gave_up ? duration::zero() : timeout_ / 10;
    if (slack < least)
      complain(one, fmt::format("gone {} behind what was claimed, not {}", shown(slack), shown(least)));
    if (*one.witness->rival_led() < one.last_held.load()) {
      complain(one, "another led " + shown(one.last_held.load() - *one.witness->rival_led()) + " before it stopped");
    }
    if (!one.gave_up) into.add(slack, amid_fault[i]);
  }
  (void)servers_.heal();
  return wrong;
}

// ---- idle sessions --------------------------------------------------------------------------------------------------

idle_sessions::idle_sessions(const std::string& host_and_port, std::size_t count, duration session_timeout) {
  const auto colon = host_and_port.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(host_and_port.substr(colon + 1))));
  ::inet_pton(AF_INET, host_and_port.substr(0, colon).c_str(), &to.sin_addr);
  const auto ms =
      static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(session_timeout).count());
  std::string hello;
  wire::append_connect_request_frame(hello, {0, 0, ms, 0, {}, false});
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockets_.push_back(fd);
    const timeval limit{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) continue;
    (void)::send(fd, hello.data(), hello.size(), MSG_NOSIGNAL);
  }
  for (const int fd : sockets_) {
    char answer = 0;
    if (::recv(fd, &answer, 1, 0) == 1) ++begun_;
  }
}

idle_sessions::~idle_sessions() {
  for (const int fd : sockets_) ::close(fd);
}

}  // namespace zkr::testing
