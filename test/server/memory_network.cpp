#include "server/memory_network.hpp"

#include <algorithm>

namespace zkr::testing {

class memory_network::memory_stream final : public wire::stream {
 public:
  memory_stream(detail::virtual_scheduler& time, std::shared_ptr<memory_wire> on) : time_(time), on_(std::move(on)) {}
  ~memory_stream() override { memory_stream::close(); }
  memory_stream(const memory_stream&) = delete;
  memory_stream& operator=(const memory_stream&) = delete;

  void when_readable(handler then) override {
    on_->on_readable = std::move(then);
    if (!on_->to_server.empty() || on_->client_gone) wake(time_, on_, &memory_wire::on_readable);
  }
  void when_writable(handler then) override {
    on_->on_writable = std::move(then);
    if (on_->room > 0) wake(time_, on_, &memory_wire::on_writable);
  }
  progress read(char* into, std::size_t size) override {
    const std::size_t bytes = std::min(size, on_->to_server.size());
    std::copy_n(on_->to_server.begin(), bytes, into);
    on_->to_server.erase(0, bytes);
    return {bytes, bytes == 0 && on_->client_gone};
  }
  progress write(std::string_view bytes) override {
    if (on_->client_gone) return {0, true};
    const std::size_t taken = std::min(bytes.size(), on_->room);
    on_->from_server.append(bytes.substr(0, taken));
    if (on_->room != static_cast<std::size_t>(-1)) on_->room -= taken;
    return {taken, false};
  }
  void close() override {
    on_->server_gone = true;
    on_->on_readable = nullptr;
    on_->on_writable = nullptr;
  }

  static void wake(detail::virtual_scheduler& time, const std::shared_ptr<memory_wire>& on,
                   handler memory_wire::*which) {
    time.post([on, which] {
      handler then = std::exchange((*on).*which, nullptr);
      if (then) then();
    });
  }

 private:
  detail::virtual_scheduler& time_;
  std::shared_ptr<memory_wire> on_;
};

class memory_network::memory_acceptor final : public wire::acceptor {
 public:
  explicit memory_acceptor(memory_network& on) : on_(on) {}
  void accept(handler then) override { on_.waiting_ = std::move(then); }
  wire::endpoint local() const override { return {"127.0.0.1", 2181}; }

 private:
  memory_network& on_;
};

std::unique_ptr<wire::acceptor> memory_network::make_acceptor() { return std::make_unique<memory_acceptor>(*this); }

std::shared_ptr<memory_wire> memory_network::connect(std::string address) {
  auto on = std::make_shared<memory_wire>();
  wire::acceptor::handler then = std::exchange(waiting_, nullptr);
  then(std::make_unique<memory_stream>(time_, on), {std::move(address), 40'000});
  return on;
}

void memory_network::send(const std::shared_ptr<memory_wire>& over, std::string_view bytes) {
  over->to_server.append(bytes);
  if (over->on_readable) memory_stream::wake(time_, over, &memory_wire::on_readable);
  settle();
}

void memory_network::hang_up(const std::shared_ptr<memory_wire>& over) {
  over->client_gone = true;
  if (over->on_readable) memory_stream::wake(time_, over, &memory_wire::on_readable);
  settle();
}

void memory_network::grant(const std::shared_ptr<memory_wire>& over, std::size_t room) {
  over->room = room;
  if (over->on_writable) memory_stream::wake(time_, over, &memory_wire::on_writable);
  settle();
}

void memory_network::settle() {
  while (time_.run_one(time_.now())) {
  }
}

}  // namespace zkr::testing
