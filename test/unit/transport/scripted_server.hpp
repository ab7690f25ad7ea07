#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "wire/codec.hpp"

namespace zkr::transport {

/// A TCP port of the loopback interface, bound and not listening: who connects is refused.
class reserved_port {
 public:
  reserved_port();
  ~reserved_port();
  reserved_port(const reserved_port&) = delete;
  reserved_port& operator=(const reserved_port&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// From now on the kernel accepts connections, and nobody answers on them.
  void listen() const;
  /// How many connections stand in the queue is not told; whether one does is.
  [[nodiscard]] bool somebody_waits() const;
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

/// A server that does what a test says, with real sockets. Its functions run on the connection's thread.
class scripted_server {
 public:
  /// One accepted connection, numbered from 1.
  class connection {
   public:
    connection(int fd, int number) : fd_(fd), number_(number) {}
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    [[nodiscard]] int number() const noexcept { return number_; }
    void send(const std::string& bytes) const;
    void cut() const;
    [[nodiscard]] bool receive_frame(std::string& frame);

   private:
    int fd_;
    int number_;
    std::string buffered_;
  };

  struct script {
    /// The answer to a handshake; nothing: the connection is cut. Default: whatever session was asked for, or a new
    /// one.
    std::function<std::optional<wire::connect_reply>(connection&, const wire::connect_request&)> handshake;
    /// Answers a request through the connection. Default: `ok` without a body.
    std::function<void(connection&, const wire::decoded_request&)> request;
    /// Of the sockets, in bytes; 0: the system's choice.
    int receive_buffer = 0;
  };

  scripted_server();
  explicit scripted_server(script plays);
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  [[nodiscard]] std::string address() const { return port_.address(); }
  [[nodiscard]] int connections() const noexcept { return accepted_; }
  /// Requests received, pings and handshakes not counted.
  [[nodiscard]] int requests() const noexcept { return requests_; }
  /// Cuts all connections.
  void cut();
  /// Sends to the newest connection.
  void send(const std::string& bytes);

  static constexpr std::int64_t session_id = 0x1234'5678'9abc;
  static inline const std::string password = std::string("sixteen letters!");

 private:
  void accept_all();
  void serve(connection& with);

  script script_;
  reserved_port port_;
  std::atomic<int> accepted_{0};
  std::atomic<int> requests_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<connection>> connections_;  // guarded by mutex_
  std::vector<std::thread> threads_;                      // used by the accepting thread, then by the destructor
  std::thread accepting_;
};

/// A reply's frame, length included.
[[nodiscard]] std::string reply_frame(std::int32_t xid, const wire::reply& body, std::int64_t zxid = 1,
                                      errc code = errc::ok);
[[nodiscard]] std::string event_frame(wire::event_type type, std::string_view path);

}  // namespace zkr::transport
