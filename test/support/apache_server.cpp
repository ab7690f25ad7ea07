#include "support/apache_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "support/eventually.hpp"
#include "testing/ensemble_member.hpp"

namespace zkr::testing {
namespace {

struct socket_closer {
  int fd;
  ~socket_closer() { ::close(fd); }
};

/// A port that was free a moment ago: Apache cannot be asked for port 0.
std::uint16_t free_port() {
  const socket_closer one{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(one.fd, raw, size) != 0 || ::getsockname(one.fd, raw, &size) != 0)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

bool apache_server::installed() { return apache_installed(); }

apache_server::apache_server(std::chrono::milliseconds tick_time, const std::vector<std::string>& properties,
                             const std::vector<std::string>& settings)
    : port_(free_port()) {
  auto pattern = (std::filesystem::temp_directory_path() / "zkr-apache-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  std::ofstream config(folder_ / "zoo.cfg");
  config << "tickTime=" << tick_time.count() << "\nclientPort=" << port_
         << "\nclientPortAddress=127.0.0.1\ndataDir=" << (folder_ / "data").string()
         << "\nadmin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=*\n"
            "forceSync=no\n";
  for (const auto& one : settings) config << one << "\n";
  config.close();
  std::vector<std::string> flags{"-Dzookeeper.extendedTypesEnabled=true", "-Dzookeeper.forceSync=no"};
  for (const auto& one : properties) flags.push_back("-D" + one);
  const auto log = folder_ / "log";
  pid_ = start_apache("org.apache.zookeeper.server.ZooKeeperServerMain", folder_ / "zoo.cfg", flags, log).value();
  const bool serves = eventually([this] { return ask_member("127.0.0.1", port_).role == member_role::standalone; },
                                 std::chrono::seconds(60));
  if (!serves) throw std::runtime_error("Apache ZooKeeper does not serve; its log: " + log.string());
}

apache_server::~apache_server() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace zkr::testing
