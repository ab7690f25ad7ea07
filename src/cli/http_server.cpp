// The module zkr_http.so: the one file that knows cpp-httplib, and nothing of the project but the header of its seam.

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "cli/http.hpp"

namespace zkr::cli {

namespace {

using std::chrono::steady_clock;
using time_point = steady_clock::time_point;

constexpr std::size_t workers = 8;
constexpr std::size_t largest_body = std::size_t{64} << 10U;
// The library matches them with regular expressions, whose need of stack grows with the length.
constexpr std::size_t longest_path_of_post = 1024;
constexpr std::size_t largest_request = largest_body + (std::size_t{16} << 10U);
constexpr steady_clock::duration patience = std::chrono::seconds(5);

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
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  pollfd one{on, what, 0};
  return left > 0 && ::poll(&one, 1, static_cast<int>(left)) == 1;
}

/// One request and its answer.
class connection final : public httplib::Stream {
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
    if (write_until_ == time_point()) write_until_ = steady_clock::now() + patience;
    return write_until_;
  }

  socket_t socket_;
  time_point read_until_ = steady_clock::now() + patience;
  mutable time_point write_until_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0;
  std::size_t got_ = 0;
  std::size_t total_ = 0;
};

http_request read(const httplib::Request& from) {
  http_request made{from.method, from.path, {}, from.get_header_value("Authorization"), from.body};
  for (const auto& [name, value] : from.params) made.parameters.emplace(name, value);
  return made;
}

class bounded_server final : public httplib::Server, public http_server {
 public:
  explicit bounded_server(const http_handler& answer) {
    new_task_queue = [] { return new few_workers; };
    set_payload_max_length(largest_body);
    set_socket_options([](socket_t listening) {
      const int on = 1;
      ::setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    const auto serve = [answer](const httplib::Request& from, httplib::Response& to) {
      const http_answer made = answer(read(from));
      to.status = made.status;
      to.set_content(made.body, made.type);
    };
    // All but a POST, which has a body, before the library's own routes.
    set_pre_routing_handler([serve](const httplib::Request& from, httplib::Response& to) {
      if (from.method == "POST" && from.path.size() <= longest_path_of_post) return HandlerResponse::Unhandled;
      if (from.method == "POST") {
        to.status = 414;
      } else {
        serve(from, to);
      }
      return HandlerResponse::Handled;
    });
    Post(R"([\s\S]*)", serve);
    set_error_handler([](const httplib::Request&, httplib::Response& to) {
      if (to.body.empty())
        to.set_content("{\"error\":\"this is no request that can be answered\"}\n", "application/json");
    });
  }
  bounded_server(const bounded_server&) = delete;
  bounded_server& operator=(const bounded_server&) = delete;
  ~bounded_server() override { close(); }

  bool open(const std::string& address, int port) {
    port_ = port != 0 ? (bind_to_port(address, port) ? port : -1) : bind_to_any_port(address);
    if (port_ < 0) return false;
    thread_ = std::thread([this] { listen_after_bind(); });
    // Until it runs, a stop would be forgotten.
    while (!is_running()) std::this_thread::yield();
    return true;
  }

  int port() const noexcept override { return port_; }

 private:
  void close() noexcept {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      for (const socket_t one : sockets_) ::shutdown(one, SHUT_RDWR);
    }
    if (!thread_.joinable()) return;
    stop();
    thread_.join();
  }

  bool process_and_close_socket(socket_t socket) override {
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
      // Ranges are not for answers that are made anew each time, and a list of them would multiply what they are made
      // of.
      done = process_request(bytes, true, closed, [](httplib::Request& asked) { asked.ranges.clear(); });
      const std::lock_guard lock(mutex_);
      sockets_.erase(socket);
    }
    ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return done;
  }

  int port_ = -1;
  std::thread thread_;
  std::mutex mutex_;
  bool closing_ = false;        // guarded by mutex_
  std::set<socket_t> sockets_;  // guarded by mutex_
};

}  // namespace
}  // namespace zkr::cli

zkr::cli::http_server* zkr_open_http(const std::string& address, int port, const zkr::cli::http_handler& answer) {
  auto made = std::make_unique<zkr::cli::bounded_server>(answer);
  return made->open(address, port) ? made.release() : nullptr;
}
