// What bench/server-load loads a server with.
//
//   attack sessions --port P --sessions N --timeout MS   each with an ephemeral node; prints "ready", waits for a line,
//                                                        lets all be heard once more, says "silent", never again
//   attack garbage --port P --connections N --bytes B    sends what no client would, until B bytes are sent; prints
//                                                        how often a connection was ended by the server
//   attack connect --port P --connections N              prints how many of them were given a session

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <random>

#include "client.hpp"

namespace {

using namespace zkr;
using bench::check;
using bench::client;

struct settings {
  std::uint16_t port = 0;
  std::size_t sessions = 1;
  std::int32_t timeout_ms = 6000;
  std::size_t connections = 100;
  std::size_t bytes = 0;
  std::uint32_t seed = 1;
};

int hold_sessions(const settings& asked) {
  std::vector<std::unique_ptr<client>> all;
  for (std::size_t i = 0; i < asked.sessions; ++i) {
    all.push_back(std::make_unique<client>(asked.port, asked.timeout_ms));
    all.back()->add(wire::create_request{wire::opcode::create, "/attack-", "", open_acl(), 3});
    all.back()->flush();
    all.back()->receive([](std::string_view reply) { check(reply); });
  }
  std::puts("ready");
  std::fflush(stdout);
  std::getchar();
  for (const auto& one : all) {
    one->add(wire::ping_request{});
    one->flush();
  }
  std::puts("silent");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

/// Bytes that go wrong in one way or another, a piece at a time.
class garbage {
 public:
  garbage(std::uint32_t seed, std::size_t bytes) : random_(seed), noise_(std::size_t{1} << 20U) {
    for (char& one : noise_) one = static_cast<char>(random_());
    left_ = bytes;
  }
  [[nodiscard]] bool is_over() const noexcept { return left_ == 0; }

  /// A stream for one connection. It ends (and its connection with it) or is cut off by the server.
  std::string stream() {
    std::string bytes;
    switch (random_() % 5) {
      case 0: break;                                      // noise from the first byte on
      case 1: return length(1'000'000) + noise(999'999);  // a frame that never ends, instead of a hello
      case 2: hello(bytes); return bytes + length(1'000'000) + noise(999'999);  // the same after it
      case 3:                                                                   // whole frames of noise
        hello(bytes);
        for (int i = 0; i < 32; ++i) {
          const std::uint32_t size = below(60'000);
          bytes += length(size) + noise(size);
        }
        return bytes;
      case 4:  // known operations, senseless bodies
        hello(bytes);
        for (int i = 0; i < 32; ++i) {
          const std::uint32_t size = below(60'000);
          bytes += length(size + 8) + length(1) + length(below(20)) + noise(size);
        }
        return bytes;
    }
    return bytes + noise(1'000'000);
  }
  void sent(std::size_t bytes) { left_ -= std::min(left_, bytes); }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  static void hello(std::string& to) { wire::append_connect_request_frame(to, {0, 0, 30'000, 0, {}, false}); }
  static std::string length(std::uint32_t value) {
    std::string bytes(4, '\0');
    wire::store_big_endian(bytes.data(), value);
    return bytes;
  }
  std::string noise(std::size_t size) {
    const std::size_t from = random_() % (noise_.size() - size + 1);
    return {noise_.data() + from, size};
  }

  std::mt19937 random_;
  std::vector<char> noise_;
  std::size_t left_ = 0;
};

/// A connection that spits out a stream; what comes back is read and forgotten.
class spitter {
 public:
  spitter(std::uint16_t port, garbage& from) : port_(port), from_(from) {}
  ~spitter() {
    if (socket_ >= 0) ::close(socket_);
  }
  spitter(const spitter&) = delete;
  spitter& operator=(const spitter&) = delete;

  [[nodiscard]] pollfd interest() {
    if (socket_ < 0) begin();
    const bool more = sent_ < bytes_.size();
    return {socket_, static_cast<short>(more ? POLLOUT | POLLIN : POLLIN), 0};
  }
  /// @return whether the server ended the connection.
  bool go_on() {
    char replies[65536];
    const ssize_t got = ::recv(socket_, replies, sizeof replies, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return end();
    if (sent_ == bytes_.size()) return false;
    const ssize_t sent = ::send(socket_, bytes_.data() + sent_, bytes_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0) return errno != EAGAIN && end();
    sent_ += static_cast<std::size_t>(sent);
    from_.sent(static_cast<std::size_t>(sent));
    // The server takes in all of it before it sees the end.
    if (sent_ == bytes_.size()) ::shutdown(socket_, SHUT_WR);
    return false;
  }

 private:
  void begin() {
    socket_ = bench::connect_to(port_);
    if (socket_ < 0) bench::fail("connect");
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
    bytes_ = from_.stream();
    sent_ = 0;
  }
  bool end() {
    ::close(socket_);
    socket_ = -1;
    return true;
  }

  std::uint16_t port_;
  garbage& from_;
  int socket_ = -1;
  std::string bytes_;
  std::size_t sent_ = 0;
};

int spit(const settings& asked) {
  garbage from(asked.seed, asked.bytes);
  std::vector<std::unique_ptr<spitter>> all;
  for (std::size_t i = 0; i < asked.connections; ++i) all.push_back(std::make_unique<spitter>(asked.port, from));
  std::vector<pollfd> interests(all.size());
  std::size_t ended = 0;
  while (!from.is_over()) {
    for (std::size_t i = 0; i < all.size(); ++i) interests[i] = all[i]->interest();
    ::poll(interests.data(), interests.size(), -1);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (interests[i].revents != 0) ended += all[i]->go_on() ? 1 : 0;
    }
  }
  fmt::print("{}\n", ended);
  return 0;
}

int connect(const settings& asked) {
  std::vector<int> sockets;
  std::size_t greeted = 0;
  std::string hello;
  wire::append_connect_request_frame(hello, {0, 0, asked.timeout_ms, 0, {}, false});
  for (std::size_t i = 0; i < asked.connections; ++i) {
    const int one = bench::connect_to(asked.port);
    sockets.push_back(one);
    char reply[64];
    if (one >= 0 && ::send(one, hello.data(), hello.size(), MSG_NOSIGNAL) > 0 && ::recv(one, reply, 41, 0) == 41)
      ++greeted;
  }
  for (const int one : sockets) ::close(one);
  fmt::print("{}\n", greeted);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("What a server is loaded with, to see what it does to others", "attack");
  app.require_subcommand(1);
  settings asked;
  const auto command = [&](const char* name, int (*does)(const settings&)) {
    CLI::App* made = app.add_subcommand(name);
    made->add_option("--port", asked.port);
    made->add_option("--sessions", asked.sessions);
    made->add_option("--timeout", asked.timeout_ms, "of a session, ms");
    made->add_option("--connections", asked.connections);
    made->add_option("--bytes", asked.bytes);
    made->add_option("--seed", asked.seed);
    made->callback([&asked, does] { std::exit(does(asked)); });
  };
  command("sessions", hold_sessions);
  command("garbage", spit);
  command("connect", connect);
  CLI11_PARSE(app, count, words);
}
