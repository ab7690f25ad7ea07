#pragma once

#include <gtest/gtest.h>

#include "testing/sim_ensemble.hpp"
#include "testing/sim_network.hpp"
#include "wire/codec.hpp"

namespace zkr::testing {

/// An ensemble without the SDK's client: for clients that do what ours never does.
struct raw_world {
  sim_world base;
  sim_network network{base};
  sim_ensemble ensemble;

  explicit raw_world(std::uint64_t seed, duration tick = std::chrono::milliseconds(500), std::size_t sync_limit = 5)
      : base{.random = std::mt19937_64(seed),
             .rules = {tick, std::chrono::microseconds(200), std::chrono::milliseconds(2)}},
        ensemble(base, {3, sync_limit}, [this](std::size_t of) { network.collect(of); }) {
    for (std::size_t i = 0; i < 3; ++i) network.add(ensemble.member(i));
    EXPECT_TRUE(run_until([&] { return serves(0) && serves(1) && serves(2); }));
  }
  raw_world(const raw_world&) = delete;
  raw_world& operator=(const raw_world&) = delete;
  ~raw_world() { base.clock.drop_all(); }

  [[nodiscard]] bool serves(std::size_t server) { return ensemble.member(server).serves(); }
  [[nodiscard]] std::size_t leader() const { return ensemble.leader().value(); }
  [[nodiscard]] std::size_t follower(std::size_t n = 0) const { return n < leader() ? n : n + 1; }
  [[nodiscard]] time_point now() const { return base.clock.now(); }
  void run_for(duration span) { base.clock.run_for(span); }
  bool run_until(const std::function<bool()>& condition, duration limit = std::chrono::seconds(30)) {
    const auto end = now() + limit;
    while (!condition()) {
      if (!base.clock.run_one(end)) return false;
    }
    return true;
  }
  /// As the server that has applied most knows it.
  [[nodiscard]] bool is_there(std::string_view path) const {
    return ensemble.foremost().serving().state().nodes().find(path) != nullptr;
  }
};

/// A connection that speaks the protocol, never gives up, and remembers all answers.
class raw_client final : public sim_peer {
 public:
  struct answer {
    std::int32_t xid;
    errc code;
    time_point received;
    std::string body;  ///< Behind the header.
  };

  /// Connects, and says hello: with a new session, or with that of another.
  raw_client(raw_world& in, std::size_t server, duration timeout, const raw_client* session_of = nullptr)
      : in_(in), host_(std::make_shared<sim_host>()), timeout_(timeout) {
    host_->cuts.resize(3);
    if (session_of != nullptr) session_ = session_of->session_;
    self_ = std::shared_ptr<sim_peer>(this, [](sim_peer*) {});
    link_ = in.network.open(host_, server, self_);
  }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;
  ~raw_client() override { host_->dead = true; }

  [[nodiscard]] bool greeted() const { return greeted_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::int64_t session() const { return session_; }  ///< 0: refused.
  [[nodiscard]] const std::vector<answer>& answers() const { return answers_; }
  [[nodiscard]] sim_host& host() { return *host_; }
  void heal() {
    host_->cut = false;
    in_.network.healed(*host_);
  }

  void send(std::int32_t xid, const wire::request& what) {
    std::string frame;
    wire::append_request_frame(frame, xid, what);
    in_.network.send(link_, frame.substr(wire::frame_length_bytes));
  }
  [[nodiscard]] const answer* find(std::int32_t xid) const {
    for (const auto& one : answers_) {
      if (one.xid == xid) return &one;
    }
    return nullptr;
  }
  /// The code of an answer, waited for; nothing where the connection closes instead, or 2 s pass.
  std::optional<errc> ask(std::int32_t xid, const wire::request& what) {
    send(xid, what);
    (void)in_.run_until([&] { return closed_ || find(xid) != nullptr; }, std::chrono::seconds(2));
    const auto* found = find(xid);
    return found == nullptr ? std::nullopt : std::optional(found->code);
  }

  void on_open() override {
    std::string frame;
    const auto password = backend::password_of(session_);
    wire::append_connect_request_frame(
        frame, {.timeout_ms = static_cast<std::int32_t>(timeout_ / std::chrono::milliseconds(1)),
                .session_id = session_,
                .password = backend::view(password),
                .read_only = false});
    in_.network.send(link_, frame.substr(wire::frame_length_bytes));
  }
  void on_frame(std::string_view frame) override {
    if (!std::exchange(greeted_, true)) {
      session_ = wire::decode_connect_reply(frame).value().session_id;
      return;
    }
    const auto header = wire::decode_reply_header(frame).value();  // leaves the body
    answers_.push_back({header.xid, header.code, in_.now(), std::string(frame)});
  }
  void on_close() override { closed_ = true; }

 private:
  raw_world& in_;
  const std::shared_ptr<sim_host> host_;
  std::shared_ptr<sim_peer> self_;
  const duration timeout_;
  sim_network::link link_ = 0;
  std::int64_t session_ = 0;
  bool greeted_ = false;
  bool closed_ = false;
  std::vector<answer> answers_;
};

[[nodiscard]] inline wire::create_request raw_create(std::string_view path, wire::create_flags flags) {
  wire::create_request made;
  made.type = wire::opcode::create;
  made.path = path;
  made.acl = open_acl();
  made.flags = static_cast<std::int32_t>(flags);
  return made;
}

}  // namespace zkr::testing
