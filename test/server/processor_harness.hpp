#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/incoming.hpp"
#include "server/processor.hpp"

namespace zkr::testing {

/// A processor, a clock that the test moves, and clients that talk to it in frames.
class processor_harness {
 public:
  static backend::processor_options fast();
  explicit processor_harness(backend::processor_options options = fast());

  class client {
   public:
    client(processor_harness& server, backend::connection_id id) : server_(&server), id_(id) {}

    /// Sends without waiting; `receive` gives what came back, in order.
    std::int32_t send(const wire::request& request);
    void send_frame(std::string_view payload);
    /// Everything that has come since the last call.
    std::vector<incoming> receive();

    /// Sends, and gives the reply; events that came before it are kept for `events`.
    incoming call(const wire::request& request);
    /// The same for a payload made by hand.
    incoming call_frame(std::string_view payload);
    std::vector<seen_event> events();
    [[nodiscard]] bool closed() const { return server_->core.is_closing(id_); }
    void disconnect() { server_->core.disconnect(id_); }

    // Short forms of what tests do all the time.
    incoming create(std::string_view path, std::string_view data = "",
                    wire::create_flags flags = wire::create_flags::persistent);
    errc remove(std::string_view path, std::int32_t version = any_version);
    incoming set(std::string_view path, std::string_view data, std::int32_t version = any_version);
    incoming get(std::string_view path, bool watch = false);
    incoming exists(std::string_view path, bool watch = false);
    std::vector<std::string> children(std::string_view path, bool watch = false);
    stat_t stat(std::string_view path);
    [[nodiscard]] bool has(std::string_view path) { return exists(path).code() == errc::ok; }
    errc auth(std::string_view scheme, std::string_view credentials);

    [[nodiscard]] backend::connection_id id() const { return id_; }
    [[nodiscard]] std::int64_t session() const { return session_id; }

    std::int64_t session_id = 0;
    std::string password;
    std::int32_t timeout_ms = 0;

   private:
    incoming wait_for_reply();

    processor_harness* server_;
    backend::connection_id id_;
    std::int32_t xid_ = 0;
    std::vector<seen_event> events_;
  };

  /// A client with a new session.
  client connect(std::int32_t timeout_ms = 10'000);
  /// A client with this handshake; see its session_id and timeout_ms for the answer.
  client connect(const wire::connect_request& handshake, backend::peer from = {});
  /// A connection that has not sent anything.
  client dial(backend::peer from = {});

  /// All that a client has sent so far is answered, and its replies have left.
  void answered(backend::connection_id which);
  void advance(duration by);
  [[nodiscard]] std::int64_t zxid() const { return core.state().last_zxid(); }

  backend::instant now{time_point(std::chrono::hours(1)), 1'700'000'000'000};
  backend::processor core;
};

}  // namespace zkr::testing
