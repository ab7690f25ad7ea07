#include "cli/http_server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>

#include "cli/text.hpp"

namespace zkr::cli {

namespace {

constexpr std::size_t workers = 8;
constexpr std::size_t largest_body = std::size_t{64} << 10U;
constexpr std::size_t largest_request = largest_body + (std::size_t{16} << 10U);
constexpr duration patience = std::chrono::seconds(5);

/// So many threads, and no queue: who gives them more work than they can do waits.
class few_workers final : public httplib::TaskQueue {
 public:
  few_workers() : pool_(workers) {}

  void enqueue(std::function<void()> work) override {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return busy_ < workers; });
    ++busy_;
    pool_.enqueue([this, work = std::move(work)] {
      work();
      const std::lock_guard done(mutex_);
      --busy_;
      free_.notify_one();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  std::size_t busy_ = 0;  // guarded by mutex_
  httplib::ThreadPool pool_;
};

bool wait_for(socket_t on, short what, time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - boot_clock::now()).count();
  pollfd one{on, what, 0};
  return left > 0 && ::poll(&one, 1, static_cast<int>(left)) == 1;
}

}  // namespace

/// One request and its answer.
class http_server::connection final : public httplib::Stream {
 public:
  explicit connection(socket_t on) : socket_(on) {}

  bool is_readable() const override { return at_ < got_ || wait_for(socket_, POLLIN, read_until_); }
  bool is_writable() const override { return wait_for(socket_, POLLOUT, write_until()); }

  ssize_t read(char* into, std::size_t size) override {
    if (at_ == got_) {
      if (total_ >= largest_request || !wait_for(socket_, POLLIN, read_until_)) return -1;
      const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
      if (got <= 0) return got;
      at_ = 0;
      got_ = static_cast<std::size_t>(got);
      total_ += got_;
    }
    size = std::min(size, got_ - at_);
    std::copy_n(buffer_.data() + at_, size, into);
    at_ += size;
    return static_cast<ssize_t>(size);
  }

  ssize_t write(const char* from, std::size_t size) override {
    if (!is_writable()) return -1;
    return ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // Nobody asks where it leads to.
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  // The time for the answer begins with the answer.
  time_point write_until() const {
    if (write_until_ == time_point()) write_until_ = boot_clock::now() + patience;
    return write_until_;
  }

  socket_t socket_;
  time_point read_until_ = boot_clock::now() + patience;
  mutable time_point write_until_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0;
  std::size_t got_ = 0;
  std::size_t total_ = 0;
};

http_server::http_server() {
  new_task_queue = [] { return new few_workers; };
  set_payload_max_length(largest_body);
  set_socket_options([](socket_t listening) {
    const int on = 1;
    ::setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
}

result<int> http_server::open(const std::string& address, int port) {
  const int bound = port != 0 ? (bind_to_port(address, port) ? port : -1) : bind_to_any_port(address);
  if (bound < 0) {
    return error(errc::io_error, "listen", {},
                 address + " port " + std::to_string(port) + " cannot be listened on: it is in use, or not to be had");
  }
  thread_ = std::thread([this] { listen_after_bind(); });
  // Until it runs, a stop would be forgotten.
  while (!is_running()) std::this_thread::yield();
  return bound;
}

void http_server::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const socket_t one : sockets_) ::shutdown(one, SHUT_RDWR);
  }
  if (!thread_.joinable()) return;
  stop();
  thread_.join();
}

bool http_server::process_and_close_socket(socket_t socket) {
  bool serve = false;
  {
    const std::lock_guard lock(mutex_);
    serve = !closing_;
    if (serve) sockets_.insert(socket);
  }
  bool done = false;
  if (serve) {
    connection bytes(socket);
    bool closed = false;
    // Ranges are not for answers that are made anew each time, and a list of them would multiply what they are made of.
    done = process_request(bytes, true, closed, [](httplib::Request& asked) { asked.ranges.clear(); });
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
  }
  ::shutdown(socket, SHUT_RDWR);
  ::close(socket);
  return done;
}

void say(httplib::Response& to, const nlohmann::json& what) {
  to.set_content(what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", "application/json");
}

void refuse(httplib::Response& to, int status, const std::string& why) {
  to.status = status;
  say(to, {{"error", printable(why)}});
}

}  // namespace zkr::cli
