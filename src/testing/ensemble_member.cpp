#include "testing/ensemble_member.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "server/properties.hpp"

namespace zkr::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::array jars{"/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-api.jar",
                          "/usr/share/java/slf4j-simple.jar"};
constexpr const char* how_to_install = "install Debian's packages zookeeper and default-jre-headless";

error failed(const fs::path& file, std::string_view what) {
  return error(errc::io_error, "ensemble", file.string(), std::string(what));
}

std::optional<std::string> text_of(const fs::path& file) {
  std::ifstream from(file, std::ios::binary);
  if (!from) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(from), {});
}

bool write_file(const fs::path& file, std::string_view text) {
  std::ofstream to(file, std::ios::binary | std::ios::trunc);
  to << text;
  return static_cast<bool>(to.flush());
}

std::string in_brackets(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

std::string configuration(const ensemble_plan& plan, std::size_t which, const fs::path& folder) {
  const member_place& own = plan.members[which];
  std::string text = fmt::format(
      "# Member {} of {}. The members' files differ in dataDir and in the client's address and port.\n"
      "\n"
      "# The unit of time, in ms. Clients get session time-outs of 2 to 20 ticks.\n"
      "tickTime={}\n"
      "# Ticks that a follower has to connect to the leader and to take over its data.\n"
      "initLimit={}\n"
      "# Ticks that a follower may be silent or behind before the others go on without it.\n"
      "syncLimit={}\n"
      "# Transactions and snapshots; its file myid says which of the servers below this one is.\n",
      which + 1, plan.members.size(), plan.tick_time.count(), plan.init_limit, plan.sync_limit);
  text += backend::format_property("dataDir", (folder / "data").string()) + "\n";
  text += fmt::format(
      "# Where clients connect.\n"
      "clientPort={}\n"
      "clientPortAddress={}\n"
      "# The members: server.N=HOST:PORT for followers at the leader:PORT for elections. The same in all files.\n",
      own.client_port, own.listen.empty() ? own.address : own.listen);
  for (std::size_t i = 0; i < plan.members.size(); ++i) {
    const member_place& one = plan.members[i];
    text += fmt::format("server.{}={}:{}:{}\n", i + 1, in_brackets(one.address), one.quorum_port, one.election_port);
  }
  text +=
      "# What may be asked with four letters: `zkr status` needs srvr.\n"
      "4lw.commands.whitelist=srvr,stat,mntr,ruok,isro,conf\n"
      "# The HTTP server for administrators, which would want the same port for every member of one machine.\n"
      "admin.enableServer=false\n"
      "# Connections from one address; 0: any number.\n"
      "maxClientCnxns=0\n"
      "# Snapshots that are kept when older ones are removed, once an hour.\n"
      "autopurge.snapRetainCount=3\n"
      "autopurge.purgeInterval=1\n"
      "# TTL nodes.\n"
      "extendedTypesEnabled=true\n";
  return text;
}

/// Fields 3 and 22 of /proc/PID/stat: the state, and when it started. A pid alone may be another process's by now.
struct process_facts {
  char state = 'X';
  std::string started;
};

std::optional<process_facts> facts_of(pid_t pid) {
  const auto text = text_of(fs::path("/proc") / std::to_string(pid) / "stat");
  if (!text || text->rfind(')') == std::string::npos) return std::nullopt;
  std::istringstream fields(text->substr(text->rfind(')') + 1));
  process_facts facts;
  fields >> facts.state;
  for (int field = 4; field <= 22; ++field) fields >> facts.started;
  return fields ? std::optional(facts) : std::nullopt;
}

/// Waits until `holds`, looking again and again. @return whether it did in time.
template <typename Predicate>
bool wait_until(Predicate holds, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

// What a small server needs. Members that come back are noticed within a second, not after up to a minute.
std::vector<std::string> member_flags() {
  std::vector<std::string> flags{"-Dzookeeper.fastleader.maxNotificationInterval=1000"};
  // Apache's start script knows this variable too.
  if (const char* more = std::getenv("JVMFLAGS")) {
    std::istringstream words(more);
    flags.insert(flags.end(), std::istream_iterator<std::string>(words), {});
  }
  return flags;
}

}  // namespace

bool apache_installed() {
  const auto there = [](const char* file) { return fs::exists(file); };
  return std::all_of(jars.begin(), jars.end(), there) && there("/usr/bin/java");
}

result<pid_t> start_apache(const std::string& main_class, const fs::path& configuration,
                           const std::vector<std::string>& flags, const fs::path& log, const std::string& space) {
  if (!apache_installed()) return failed({}, fmt::format("Apache ZooKeeper is not there; {}", how_to_install));
  std::string class_path;
  for (const auto* jar : jars) class_path.append(class_path.empty() ? "" : ":").append(jar);
  std::vector<std::string> words{"java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"};
  words.insert(words.end(), flags.begin(), flags.end());
  if (!space.empty()) words.insert(words.begin(), {"ip", "netns", "exec", space});
  words.insert(words.end(), {"-cp", class_path, main_class, configuration.string()});
  std::vector<char*> raw;
  raw.reserve(words.size() + 1);
  for (auto& one : words) raw.push_back(one.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int problem = ::posix_spawnp(&pid, raw.front(), &files, &attributes, raw.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) return failed(log, fmt::format("java does not start: {}", std::strerror(problem)));
  return pid;
}

result<void> write_ensemble(const fs::path& folder, const ensemble_plan& plan) {
  std::error_code bad;
  const auto place = [&](std::size_t i) {
    return fs::absolute(folder).lexically_normal() / fmt::format("member-{}", i + 1);
  };
  for (std::size_t i = 0; i < plan.members.size(); ++i) {
    if (fs::exists(place(i), bad)) return failed(place(i), "is there already");
  }
  for (std::size_t i = 0; i < plan.members.size(); ++i) {
    fs::create_directories(place(i) / "data", bad);
    const bool written = !bad && write_file(place(i) / "zoo.cfg", configuration(plan, i, place(i))) &&
                         write_file(place(i) / "data" / "myid", fmt::format("{}\n", i + 1));
    if (written) continue;
    std::error_code ignored;
    for (std::size_t made = 0; made <= i; ++made) fs::remove_all(place(made), ignored);
    return failed(place(i), bad ? bad.message() : "its files cannot be written");
  }
  return {};
}

result<ensemble_member> ensemble_member::open(const fs::path& folder) {
  ensemble_member opened(fs::absolute(folder).lexically_normal());
  const auto file = opened.folder_ / "zoo.cfg";
  const auto text = text_of(file);
  if (!text) return failed(file, "cannot be read");
  const backend::properties found = backend::parse_properties(*text);
  if (found.bad) return failed(file, fmt::format("line {}: {}", found.bad->line, found.bad->what));
  for (const auto& [key, value, line] : found.list) {
    if (key == "clientPort") std::from_chars(value.data(), value.data() + value.size(), opened.port_);
    if (key == "clientPortAddress") opened.address_ = value;
  }
  if (opened.port_ == 0) return error(errc::invalid_argument, "ensemble", file.string(), "it names no clientPort");
  return opened;
}

std::optional<pid_t> ensemble_member::process() const {
  const auto text = text_of(folder_ / "pid");
  if (!text) return std::nullopt;
  std::istringstream fields(*text);
  pid_t pid = 0;
  std::string started;
  if (!(fields >> pid >> started) || pid <= 1) return std::nullopt;
  const auto facts = facts_of(pid);
  if (!facts || facts->started != started) return std::nullopt;
  if (facts->state != 'Z') return pid;
  ::waitpid(pid, nullptr, WNOHANG);  // where it is a child of ours
  return std::nullopt;
}

result<void> ensemble_member::start() const {
  if (process()) return {};
  const auto started = start_apache("org.apache.zookeeper.server.quorum.QuorumPeerMain", folder_ / "zoo.cfg",
                                    member_flags(), log(), space_);
  if (!started) return started.error();
  const pid_t pid = *started;
  const auto facts = facts_of(pid);
  if (facts && write_file(folder_ / "pid", fmt::format("{} {}\n", pid, facts->started))) return {};
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return failed(folder_ / "pid", "cannot be written");
}

void ensemble_member::signal(int number) const {
  if (const auto pid = process()) ::kill(*pid, number);
}

void ensemble_member::stop(std::chrono::milliseconds patience) const {
  const auto gone = [this] { return !process(); };
  signal(SIGTERM);
  signal(SIGCONT);
  if (!wait_until(gone, patience)) {
    signal(SIGKILL);
    wait_until(gone, 10s);
  }
  std::error_code ignored;
  fs::remove(folder_ / "pid", ignored);
}

result<std::vector<ensemble_member>> open_ensemble(const fs::path& folder) {
  std::vector<ensemble_member> members;
  for (std::size_t i = 1; fs::exists(folder / fmt::format("member-{}", i)); ++i) {
    auto one = ensemble_member::open(folder / fmt::format("member-{}", i));
    if (!one) return std::move(one).error();
    members.push_back(*std::move(one));
  }
  if (members.empty()) return failed(folder / "member-1", "is not there; zkr ensemble init makes it");
  return members;
}

}  // namespace zkr::testing
