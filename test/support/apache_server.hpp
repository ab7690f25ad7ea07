#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zkr::testing {

/// Apache ZooKeeper standalone from Debian's `zookeeper` package, as a process of its own on a free port of 127.0.0.1 with
/// a folder of its own; it and the folder go with this object.
class apache_server {
 public:
  /// Waits until it serves. Throws std::runtime_error where it does not come up.
  /// @param properties  more of Java's system properties: "zookeeper.enforceQuota=true".
  /// @param settings    more lines of zoo.cfg; they win over what stands there.
  explicit apache_server(std::chrono::milliseconds tick_time = std::chrono::milliseconds(500),
                         const std::vector<std::string>& properties = {},
                         const std::vector<std::string>& settings = {});
  apache_server(const apache_server&) = delete;
  apache_server& operator=(const apache_server&) = delete;
  ~apache_server();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string connect_string() const { return "127.0.0.1:" + std::to_string(port_); }

  /// Whether java and the package are there.
  [[nodiscard]] static bool installed();

 private:
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace zkr::testing
