#include "testing/sim_transport.hpp"

#include <algorithm>
#include <vector>

#include "wire/codec.hpp"

namespace zkr::testing {
namespace {

using std::chrono::milliseconds;
using transport::session_event;

class sim_session final : public sim_peer, public std::enable_shared_from_this<sim_session> {
 public:
  sim_session(transport::transport_options options, transport::sink& sink, scheduler& clock, sim_network& network,
              std::shared_ptr<sim_host> host, std::vector<std::size_t> servers)
      : options_(std::move(options)),
        sink_(sink),
        clock_(clock),
        network_(network),
        host_(std::move(host)),
        servers_(std::move(servers)) {
    timeout_ = options_.session_timeout;
    session_id_ = options_.session_id;
    password_ = options_.password;
  }

  void connect() {
    if (ended_) return;
    last_heard_ = clock_.now();
    attempt_at_ = clock_.now();
    link_ = network_.open(host_, servers_[attempts_++ % servers_.size()], weak_from_this());
    arm(link_);
  }

  errc submit(std::uint64_t id, const wire::request& of) {
    if (ended_ || !connected_) return errc::invalid_state;
    const auto type = wire::type_of(of);
    auto xid = ++last_xid_;
    if (type == wire::opcode::auth) xid = wire::xid_auth;
    if (type == wire::opcode::set_watches) xid = wire::xid_set_watches;
    if (type == wire::opcode::ping) xid = wire::xid_ping;
    const auto frame = encode(xid, of);
    if (frame.size() > wire::max_frame_bytes) return errc::too_large;
    asked_.push_back({xid, type, id, clock_.now()});
    send(frame);
    return errc::ok;
  }

  /// Drops the connection; the next attempt is at another server.
  void leave() {
    if (!ended_ && link_ != 0) lose_connection();
  }

  void close(unique_function<void()> done) {
    ended_ = true;
    const auto kept = std::make_shared<unique_function<void()>>(std::move(done));
    done_ = kept;
    fail_all(errc::closing);
    if (connected_ && !host_->dead) {
      asked_.push_back({++last_xid_, wire::opcode::close_session, 0, clock_.now()});
      send(encode(last_xid_, wire::close_session_request{}));
      // A server that does not answer is not waited for longer than libzookeeper does.
      given_up_ = clock_.schedule(clock_.now() + milliseconds(1500),
                                  [self = shared_from_this(), kept] { self->finish_closing(); });
    } else {
      finish_closing();
    }
  }

  // ---- the network's reports ----

  void on_open() override {
    std::string frame;
    wire::append_connect_request_frame(
        frame, {.last_zxid_seen = last_zxid_,
                .timeout_ms = static_cast<std::int32_t>(std::chrono::duration_cast<milliseconds>(timeout_).count()),
                .session_id = session_id_,
                .password = {password_.data(), password_.size()},
                .read_only = false});
    attempt_at_ = clock_.now();
    send(frame.substr(wire::frame_length_bytes));
  }

  void on_frame(std::string_view frame) override {
    last_heard_ = clock_.now();
    if (!connected_) return on_handshake(frame);
    const auto header = wire::decode_reply_header(frame);
    if (!header) return lose_connection();
    if (header->zxid > 0) last_zxid_ = std::max(last_zxid_, header->zxid);
    if (header->xid == wire::xid_notification) {
      const auto event = wire::decode_event(frame);
      if (event && !ended_) sink_.on_watch_event({event->type, event->path, connection_, clock_.now()});
      return;
    }
    if (asked_.empty() || asked_.front().xid != header->xid) return lose_connection();
    const auto one = asked_.front();
    asked_.pop_front();
    if (one.type == wire::opcode::close_session) return finish_closing();
    if (one.type == wire::opcode::ping || ended_) return;
    answer(one, *header, frame);
  }

  void on_close() override {
    if (!ended_) return lose_connection();
    finish_closing();
  }

 private:
  struct request {
    std::int32_t xid;
    wire::opcode type;
    std::uint64_t id;
    time_point submitted;
  };

  static std::string encode(std::int32_t xid, const wire::request& of) {
    std::string frame;
    wire::append_request_frame(frame, xid, of);
    return frame.substr(wire::frame_length_bytes);
  }

  void send(std::string frame) {
    last_sent_ = clock_.now();
    network_.send(link_, std::move(frame));
  }

  void answer(const request& one, const wire::reply_header& header, std::string_view body) {
    const transport::reply_info info{connection_, one.submitted, clock_.now(), header.zxid};
    if (header.code != errc::ok) {
      sink_.on_reply(one.id, header.code, wire::empty_reply{}, info);
      if (header.code == errc::auth_failed) end(session_event::kind::auth_failed);
      return;
    }
    const auto decoded = wire::decode_reply(body, one.type);
    auto code = decoded.code;
    if (const auto* multi = std::get_if<wire::multi_reply>(&decoded.body)) {
      for (const auto& result : multi->results) {
        const auto* failed = std::get_if<wire::error_result>(&result);
        if (failed != nullptr && failed->code != errc::ok && failed->code != errc::runtime_inconsistency) {
          code = failed->code;
          break;
        }
      }
    }
    sink_.on_reply(one.id, code, decoded.body, info);
  }

  void on_handshake(std::string_view frame) {
    const auto reply = wire::decode_connect_reply(frame);
    if (!reply) return lose_connection();
    if (reply->session_id == 0 || reply->timeout_ms <= 0) return end(session_event::kind::expired);
    const bool resumed = session_id_ != 0;
    session_id_ = reply->session_id;
    std::copy_n(reply->password.begin(), std::min(reply->password.size(), password_.size()), password_.begin());
    timeout_ = milliseconds(reply->timeout_ms);
    connected_ = true;
    ++connection_;
    session_event event{.what = session_event::kind::connected, .connection = connection_, .at = clock_.now()};
    event.session_id = session_id_;
    event.password = password_;
    event.session_timeout = timeout_;
    event.resumed = resumed;
    event.handshake_submitted = attempt_at_;
    sink_.on_session_event(event);
  }

  void lose_connection() {
    network_.close(std::exchange(link_, 0));
    if (std::exchange(connected_, false)) {
      sink_.on_session_event(
          {.what = session_event::kind::disconnected, .connection = connection_, .at = clock_.now()});
    }
    fail_all(errc::connection_loss);
    clock_.schedule(clock_.now() + timeout_ / 60, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->connect();
    });
  }

  void end(session_event::kind why) {
    ended_ = true;
    network_.close(std::exchange(link_, 0));
    connected_ = false;
    sink_.on_session_event({.what = why, .connection = connection_, .at = clock_.now()});
    fail_all(errc::session_expired);
  }

  void fail_all(errc code) {
    for (const auto& one : std::exchange(asked_, {})) {
      if (one.type != wire::opcode::ping) {
        sink_.on_reply(one.id, code, wire::empty_reply{}, {0, one.submitted, clock_.now(), 0});
      }
    }
  }

  void finish_closing() {
    if (link_ != 0) network_.close(std::exchange(link_, 0));
    connected_ = false;
    asked_.clear();
    const auto done = std::exchange(done_, {}).lock();
    // With it goes the timer, which would keep the client for longer than it lives elsewhere.
    if (given_up_ != 0) clock_.cancel(std::exchange(given_up_, 0));
    if (done) (*done)();
  }

  /// Looks after the connection `on` until it is another's turn: pings, and gives up on a silent server.
  void arm(sim_network::link on) {
    clock_.schedule(clock_.now() + timeout_ / 12, [weak = weak_from_this(), on] {
      const auto self = weak.lock();
      if (!self || self->link_ != on || self->ended_) return;
      if (self->clock_.now() >= self->last_heard_ + self->timeout_ * 2 / 3) return self->lose_connection();
      if (self->connected_ && self->asked_.empty() &&
          self->clock_.now() >= std::max(self->last_sent_, self->last_heard_) + self->timeout_ / 3) {
        (void)self->submit(0, wire::ping_request{});
      }
      self->arm(on);
    });
  }

  const transport::transport_options options_;
  transport::sink& sink_;
  scheduler& clock_;
  sim_network& network_;
  const std::shared_ptr<sim_host> host_;
  const std::vector<std::size_t> servers_;  ///< In the order in which they are tried, over and over.
  std::size_t attempts_ = 0;

  sim_network::link link_ = 0;
  bool connected_ = false;
  bool ended_ = false;
  std::uint64_t connection_ = 0;
  std::int64_t session_id_ = 0;
  transport::session_password password_{};
  duration timeout_{};
  std::int64_t last_zxid_ = 0;
  std::int32_t last_xid_ = 0;
  std::deque<request> asked_;
  time_point attempt_at_;
  time_point last_heard_;
  time_point last_sent_;
  std::weak_ptr<unique_function<void()>> done_;  ///< Kept by the timer that bounds the wait for it,
  scheduler::timer given_up_ = 0;                ///< which is this one.
};

class sim_transport final : public transport::transport {
 public:
  explicit sim_transport(std::shared_ptr<sim_session> session, bool chroot)
      : session_(std::move(session)), chroot_(chroot) {}

  [[nodiscard]] zkr::transport::capabilities what_it_can() const noexcept override {
    return {.multi_read = true, .exact_zxid = true, .times_handshake = true, .can_leave_server = true};
  }
  result<void> open() override {
    if (chroot_) return error(errc::unsupported, "connect", {}, "a simulated server has no chroot");
    session_->connect();
    return {};
  }
  errc submit(std::uint64_t id, const wire::request& of, zkr::transport::watch_mode) override {
    return session_->submit(id, of);
  }
  void leave_server() override { session_->leave(); }
  result<void> set_servers(const std::string&) override { return {}; }  // they are the simulation's
  void close(unique_function<void()> done) override { session_->close(std::move(done)); }

 private:
  const std::shared_ptr<sim_session> session_;
  const bool chroot_;
};

}  // namespace

std::unique_ptr<transport::transport> make_sim_transport(const transport::transport_options& options,
                                                         transport::sink& reports_to, scheduler& clock,
                                                         sim_network& network, std::shared_ptr<sim_host> host,
                                                         std::vector<std::size_t> servers) {
  const bool chroot = !options.chroot.empty();
  return std::make_unique<sim_transport>(
      std::make_shared<sim_session>(options, reports_to, clock, network, std::move(host), std::move(servers)), chroot);
}

}  // namespace zkr::testing
