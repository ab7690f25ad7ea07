#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "differential/random_requests.hpp"
#include "server/processor.hpp"
#include "wire/codec.hpp"

// The bundled server's processor under frames that nobody should send. Whatever comes in, whole frames come out.
namespace {

using namespace zkr;

class hostile_clients {
 public:
  hostile_clients(const std::uint8_t* data, std::size_t size)
      : data_(data), left_(size), requests_(number()), server_({}, at()) {
    requests_.begin_round("/f");
  }

  void run() {
    for (std::size_t& id : clients_) id = connect();
    while (left_ > 0) {
      auto& who = clients_[byte() % clients_.size()];
      const auto what = byte();
      if (what < 8) {
        server_.disconnect(who);
        who = connect();
      } else if (what < 16) {
        now_ += std::chrono::milliseconds(what * 100);
        server_.tick(at());
      } else if (what < 96) {
        send(who, raw());
      } else {
        send(who, damaged());
      }
      collect();
    }
  }

 private:
  [[nodiscard]] backend::instant at() const { return {now_, 1'700'000'000'000}; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::uint64_t number() { return std::uint64_t{byte()} << 8U | byte(); }

  std::size_t connect() {
    const auto id = server_.open({}, at());
    std::string frame;
    wire::append_connect_request_frame(frame, {0, 0, 10'000, 0, {}, false});
    send(id, frame.substr(wire::frame_length_bytes));
    return id;
  }
  /// The input's own bytes as a frame.
  std::string raw() {
    std::string frame;
    for (auto left = byte(); left > 0; --left) frame += static_cast<char>(byte());
    return frame;
  }
  /// A request as it should be, with a few bytes changed, or cut.
  std::string damaged() {
    std::string frame;
    wire::append_request_frame(frame, ++xid_, requests_.next().what);
    frame.erase(0, wire::frame_length_bytes);
    for (auto left = byte() % 4; left > 0 && !frame.empty(); --left) {
      frame[number() % frame.size()] = static_cast<char>(byte());
    }
    if (byte() < 16) frame.resize(number() % (frame.size() + 1));
    return frame;
  }

  void send(std::size_t who, const std::string& frame) { server_.receive(who, frame, at()); }

  void collect() {
    server_.take_ready(ready_);
    for (const auto id : ready_) {
      // As the listener does: whom we have left may still be named.
      if (std::find(clients_.begin(), clients_.end(), id) == clients_.end()) continue;
      auto& output = server_.output(id);
      std::string_view rest = output;
      while (!rest.empty()) {
        const auto split = wire::split_frame(rest, std::size_t{64} << 20U);
        if (split.status != wire::frame_status::complete) std::abort();
        rest.remove_prefix(split.consumed);
      }
      output.clear();
      if (!server_.is_closing(id)) continue;
      server_.disconnect(id);
      for (auto& one : clients_) {
        if (one == id) one = connect();
      }
    }
  }

  const std::uint8_t* data_;
  std::size_t left_;
  time_point now_{std::chrono::hours(1)};
  testing::random_requests requests_;
  backend::processor server_;
  std::array<std::size_t, 2> clients_{};
  std::vector<backend::connection_id> ready_;
  std::int32_t xid_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hostile_clients(data, size).run();
  return 0;
}
