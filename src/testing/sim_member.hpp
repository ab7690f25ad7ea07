#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "testing/sim_messages.hpp"
#include "testing/sim_server.hpp"
#include "testing/sim_world.hpp"

namespace zkr::testing {

class sim_ensemble;
class sim_leader;

/// A member of an ensemble: its log, what it has applied of it, and its clients. Answers reads by itself; what has to be
/// decided goes to the leader, which may be itself.
class sim_member final : public sim_server {
 public:
  enum class role : std::uint8_t { looking, following, leading };

  sim_member(sim_ensemble& of, sim_world& world, std::size_t id);
  sim_member(const sim_member&) = delete;
  sim_member& operator=(const sim_member&) = delete;
  ~sim_member() override;

  // ---- for the network
  [[nodiscard]] bool running() const noexcept override { return running_; }
  [[nodiscard]] bool paused() const noexcept override { return paused_; }
  [[nodiscard]] const backend::processor& serving() const noexcept override { return serving_; }
  [[nodiscard]] backend::processor& serving() noexcept override { return serving_; }
  void receive(backend::connection_id from, const std::string& frame) override;
  void forget(backend::connection_id which) override;
  void expire(backend::session_id which) override;

  // ---- for the ensemble
  [[nodiscard]] std::size_t id() const noexcept { return id_; }
  [[nodiscard]] role doing() const noexcept { return role_; }
  [[nodiscard]] bool takes_messages() const noexcept { return !running_ || !paused_; }  // a dead one: into the void
  [[nodiscard]] bool serves() const noexcept { return serves_; }
  [[nodiscard]] sim_leader* leadership() noexcept { return leader_.get(); }
  [[nodiscard]] const sim_log& log() const noexcept { return log_; }
  [[nodiscard]] std::int64_t last_zxid() const noexcept { return log_.empty() ? 0 : log_.back()->zxid(); }
  /// Of the last leader whose history it has.
  [[nodiscard]] std::int64_t epoch() const noexcept { return epoch_; }
  void on_message(std::size_t from, sim_message& what);
  void lead(std::int64_t epoch);
  void follow(std::size_t leader);
  /// Leaves its quorum: all client connections close.
  void leave();
  void kill();
  void start();
  void pause() { paused_ = running_; }
  void resume();
  void lag(duration by) { lag_ = by; }

  // ---- for its leadership
  void append(std::shared_ptr<const sim_entry> entry) { log_.push_back(std::move(entry)); }
  /// Runs `work` later, while the member runs and keeps its role; not before it goes on where it is paused.
  void later(time_point at, unique_function<void()> work);
  void commit(std::int64_t zxid);
  void begin_serving(std::int64_t epoch);
  void answer(backend::connection_id to, std::string frame);
  void admit(backend::connection_id which, backend::session_id session);
  void reject(backend::connection_id which);

 private:
  /// A request of a connection, in its turn.
  struct waiting {
    std::string frame;
    std::int32_t xid;
    bool decided_elsewhere;
  };

  void greet(backend::connection_id from, const std::string& frame);
  [[nodiscard]] bool heard_of(const backend::connection& from);
  void to_leader(sim_message what);
  void serve_turn(backend::connection_id of);
  void in_order(unique_function<void()> work);
  void work_off();
  void apply(const sim_entry& one);
  [[nodiscard]] backend::connection_id who_waits_for(const sim_entry& one);
  void close_all();
  void enter(role next);
  void watch_leader();
  void on_leaders_message(sim_message& what);

  sim_ensemble& of_;
  sim_world& world_;
  const std::size_t id_;
  backend::processor serving_;
  bool running_ = true;
  bool paused_ = false;
  role role_ = role::looking;
  std::uint64_t era_ = 0;  ///< Counts roles: what belongs to an earlier one is void.
  std::vector<unique_function<void()>> held_;
  duration lag_{};

  sim_log log_;
  std::size_t applied_ = 0;
  std::int64_t epoch_ = 0;

  bool serves_ = false;
  std::map<backend::connection_id, std::string> handshakes_;
  std::map<backend::connection_id, std::deque<waiting>> pending_;
  struct delayed {
    time_point due;
    unique_function<void()> work;
  };
  std::deque<delayed> todo_;  ///< What is to be applied, and answers that come behind it.

  std::size_t followed_ = 0;
  std::uint64_t stream_ = 0;
  time_point last_heard_;
  std::map<backend::session_id, duration> touches_;
  std::unique_ptr<sim_leader> leader_;
};

}  // namespace zkr::testing
