#include "server/io_loop.hpp"

#include <sys/socket.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <unordered_map>

namespace zkr::backend {

namespace {

using asio::ip::tcp;

class tcp_stream final : public wire::stream {
 public:
  explicit tcp_stream(tcp::socket socket) : shared_(std::make_shared<state>(std::move(socket))) {}
  ~tcp_stream() override { shut(); }
  tcp_stream(const tcp_stream&) = delete;
  tcp_stream& operator=(const tcp_stream&) = delete;

  void when_readable(handler then) override { wait(tcp::socket::wait_read, std::move(then)); }
  void when_writable(handler then) override { wait(tcp::socket::wait_write, std::move(then)); }

  progress read(char* into, std::size_t size) override {
    std::error_code failed;
    const std::size_t bytes = shared_->socket.read_some(asio::buffer(into, size), failed);
    return {bytes, failed && failed != asio::error::would_block};
  }
  progress write(std::string_view bytes) override {
    std::error_code failed;
    const std::size_t sent = shared_->socket.write_some(asio::buffer(bytes.data(), bytes.size()), failed);
    return {sent, failed && failed != asio::error::would_block};
  }
  void close() override { shut(); }

 private:
  // Outlives the stream as long as a handler of asio's holds it.
  struct state {
    explicit state(tcp::socket from) : socket(std::move(from)) {}
    tcp::socket socket;
    bool open = true;
  };

  void wait(tcp::socket::wait_type what, handler then) {
    shared_->socket.async_wait(what, [shared = shared_, then = std::move(then)](const std::error_code&) mutable {
      // An error is for the next read or write to find.
      if (shared->open) then();
    });
  }

  void shut() {
    if (!shared_->open) return;
    shared_->open = false;
    std::error_code ignored;
    shared_->socket.shutdown(tcp::socket::shutdown_send, ignored);
    // Bytes that were not read would make the kernel answer with a reset, which can overtake the last reply. They are
    // thrown away without a copy (tcp(7), MSG_TRUNC): whoever sends garbage must not cost others more than that.
    constexpr std::size_t most_unread = std::size_t{256} << 10U;
    (void)::recv(shared_->socket.native_handle(), nullptr, most_unread, MSG_TRUNC | MSG_DONTWAIT);
    shared_->socket.close(ignored);
  }

  std::shared_ptr<state> shared_;
};

wire::endpoint to_endpoint(const tcp::endpoint& from) {
  // An IPv4 client on a socket for both families is the same client as on an IPv4 socket.
  const auto address = from.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return {asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string(), from.port()};
  }
  return {address.to_string(), from.port()};
}

class tcp_acceptor final : public wire::acceptor {
 public:
  explicit tcp_acceptor(tcp::acceptor from) : shared_(std::make_shared<state>(std::move(from))) {}
  ~tcp_acceptor() override {
    shared_->open = false;
    std::error_code ignored;
    shared_->socket.close(ignored);
  }
  tcp_acceptor(const tcp_acceptor&) = delete;
  tcp_acceptor& operator=(const tcp_acceptor&) = delete;

  void accept(handler then) override { accept_on(shared_, std::move(then)); }
  wire::endpoint local() const override { return to_endpoint(shared_->socket.local_endpoint()); }

 private:
  struct state {
    explicit state(tcp::acceptor from) : socket(std::move(from)) {}
    tcp::acceptor socket;
    bool open = true;
  };

  static void accept_on(const std::shared_ptr<state>& on, handler then) {
    on->socket.async_accept(
        [shared = on, then = std::move(then)](const std::error_code& failed, tcp::socket socket) mutable {
          if (!shared->open) return;
          if (failed) return then(nullptr, {});
          std::error_code gone;
          const tcp::endpoint peer = socket.remote_endpoint(gone);
          if (!gone) socket.non_blocking(true, gone);
          if (!gone) socket.set_option(tcp::no_delay(true), gone);
          // A peer that has left already is no reason to pause.
          if (gone) return accept_on(shared, std::move(then));
          then(std::make_unique<tcp_stream>(std::move(socket)), to_endpoint(peer));
        });
  }

  std::shared_ptr<state> shared_;
};

}  // namespace

struct io_loop::impl {
  asio::io_context context{1};
  std::unordered_map<timer, std::unique_ptr<asio::steady_timer>> timers;
  timer last_timer = 0;
};

io_loop::io_loop() : impl_(std::make_unique<impl>()) {}

io_loop::~io_loop() = default;

void io_loop::run() {
  const auto work = asio::make_work_guard(impl_->context);
  impl_->context.run();
}

void io_loop::stop() noexcept { impl_->context.stop(); }

scheduler::timer io_loop::schedule(time_point at, unique_function<void()> work) {
  const timer id = ++impl_->last_timer;
  auto& waiting = *impl_->timers.emplace(id, std::make_unique<asio::steady_timer>(impl_->context)).first->second;
  // asio waits on CLOCK_MONOTONIC: over a suspend of the machine it is late by that time, never early.
  waiting.expires_after(at - now());
  waiting.async_wait([this, id, work = std::move(work)](const std::error_code& cancelled) mutable {
    if (cancelled || impl_->timers.erase(id) == 0) return;
    work();
  });
  return id;
}

bool io_loop::cancel(timer which) noexcept { return impl_->timers.erase(which) != 0; }

void io_loop::post(unique_function<void()> work) {
  asio::post(impl_->context, [work = std::move(work)]() mutable { work(); });
}

result<std::unique_ptr<wire::acceptor>> io_loop::listen(const std::string& address, std::uint16_t port) {
  const std::string where = address + ":" + std::to_string(port);
  std::error_code failed;
  const asio::ip::address ip = asio::ip::make_address(address, failed);
  if (failed) return error(errc::resolve_failed, "listen", where, "not a numeric address");
  const tcp::endpoint at(ip, port);
  tcp::acceptor listening(impl_->context);
  listening.open(at.protocol(), failed);
  if (!failed) listening.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) listening.bind(at, failed);
  if (!failed) listening.listen(tcp::acceptor::max_listen_connections, failed);
  if (failed) return error(errc::io_error, "listen", where, failed.message());
  return std::unique_ptr<wire::acceptor>(std::make_unique<tcp_acceptor>(std::move(listening)));
}

}  // namespace zkr::backend
