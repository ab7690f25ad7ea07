#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "zkrecipes/unique_function.hpp"

namespace zkr::wire {

/// A connection's bytes, in both directions, without a word about sockets: below a server's listener and a native
/// transport, so that both can be run on simulated networks.
///
/// Reads and writes never wait; `when_readable` and `when_writable` say when to try again. That shape (not "read into
/// this buffer and call me") lets ten thousand idle connections share one buffer.
///
/// @par Threads  one; handlers run on the same one, and never inside the call that took them.
class stream {
 public:
  using handler = unique_function<void()>;

  /// What a read or write came to. No bytes and not `over`: it would have to wait.
  struct progress {
    std::size_t bytes = 0;
    bool over = false;  ///< The peer ended the connection, or it failed.
  };

  /// Closes. Handlers that wait are dropped, not called.
  virtual ~stream() = default;

  /// Calls back once, when `read` has something to say: bytes, or the end. One at a time.
  virtual void when_readable(handler then) = 0;
  virtual void when_writable(handler then) = 0;
  [[nodiscard]] virtual progress read(char* into, std::size_t size) = 0;
  [[nodiscard]] virtual progress write(std::string_view bytes) = 0;
  /// Ends the connection; what was written is still delivered where the network allows it. Handlers are dropped.
  virtual void close() = 0;

 protected:
  stream() = default;
  stream(const stream&) = default;
  stream& operator=(const stream&) = default;
};

/// Where a stream leads to.
struct endpoint {
  std::string address;  ///< Numeric.
  std::uint16_t port = 0;
};

/// Takes in connections.
class acceptor {
 public:
  /// An empty stream: the connection could not be taken in; try again later.
  using handler = unique_function<void(std::unique_ptr<stream>, endpoint)>;

  /// Ends listening; a handler that waits is dropped.
  virtual ~acceptor() = default;
  /// Calls back once, with the next connection. One at a time.
  virtual void accept(handler then) = 0;
  [[nodiscard]] virtual endpoint local() const = 0;

 protected:
  acceptor() = default;
  acceptor(const acceptor&) = default;
  acceptor& operator=(const acceptor&) = default;
};

}  // namespace zkr::wire
