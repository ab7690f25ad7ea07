#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "zkrecipes/operations.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr {

namespace detail {

/// What a subscription reports and nobody has asked for yet: the latest only.
template <typename Change>
class stream_state : public std::enable_shared_from_this<stream_state<Change>> {
 public:
  stream_state(operations client, std::string path) : client_(std::move(client)), path_(std::move(path)) {}

  void arrive(const Change& change) {
    handler<void> wake;
    {
      const std::scoped_lock lock(mutex_);
      over_ = over_ || is_last(change);
      if (!over_ || std::is_same_v<Change, session_info>) latest_ = change;
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake({});
  }
  void end() {
    handler<void> wake;
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
      latest_.reset();
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake({});
  }

  void next(handler<Change> done, const call_options& wait) {
    bool busy = false;
    std::uint64_t turn = 0;
    {
      const std::scoped_lock lock(mutex_);
      busy = std::exchange(asked_, true);
      if (!busy) turn = ++turn_;
    }
    if (busy) return give(std::move(done), error(errc::invalid_state, "next", path_, "another call waits"));
    recipes::limit(
        client_, "next",
        [self = this->shared_from_this(), done = std::move(done)](const result<void>& how) mutable {
          auto taken = self->take(how);
          self->give(std::move(done), std::move(taken));
        },
        wait,
        [self = this->shared_from_this(), turn](handler<void> wake) { self->wait_for_one(turn, std::move(wake)); });
  }
  [[nodiscard]] const operations& client() const noexcept { return client_; }

 private:
  static bool is_last(const Change& change) {
    if constexpr (std::is_same_v<Change, session_info>) {
      return change.state == session_state::closed;
    } else {
      return change.problem && change.problem->code() == errc::closed;
    }
  }

  void wait_for_one(std::uint64_t turn, handler<void> wake) {
    {
      const std::scoped_lock lock(mutex_);
      if (!asked_ || turn != turn_) return;  // its time was over before it could begin
      if (!latest_ && !over_) {
        wake_ = std::move(wake);
        return;
      }
    }
    wake({});
  }
  result<Change> take(const result<void>& how) {
    const std::scoped_lock lock(mutex_);
    asked_ = false;
    if (!how) return how.error();  // what has come meanwhile is for the next call
    if (!latest_) return error(errc::closed, "next", path_);
    result<Change> taken = *std::move(latest_);
    latest_.reset();
    return taken;
  }
  void give(handler<Change> done, result<Change> what) {
    if (!done) return;
    recipes::run_handler(client_,
                         [done = std::move(done), what = std::move(what)]() mutable { done(std::move(what)); });
  }

  const operations client_;
  const std::string path_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::optional<Change> latest_;
  handler<void> wake_;
  bool asked_ = false;
  std::uint64_t turn_ = 0;  ///< Calls so far, by which they are told apart.
  bool over_ = false;
};

}  // namespace detail

/// A subscription that is asked instead of telling: each `next` gives the latest state that was not given yet, at once or
/// as soon as there is one. `Change` is node_change, children_change or session_info.
///
/// The first state is the present one. States that follow each other faster than they are asked for are passed over, the
/// last one never is, over reconnects and new sessions, as with `operations::watch`. A state whose `problem` is set
/// (no_auth, overloaded) may be followed by better ones; `closed` ends the stream. `<zkrecipes/asio.hpp>` has it with
/// completion tokens.
///
/// @par Threads  safe from several threads; one call waits at a time.
template <typename Change>
class [[nodiscard]] watch_stream {
 public:
  /// Begins to watch.
  explicit watch_stream(const operations& client, std::string path = "/")
      : state_(std::make_shared<detail::stream_state<Change>>(client, path)) {
    auto arrive = [state = state_](const Change& change) { state->arrive(change); };
    auto of = client;
    if constexpr (std::is_same_v<Change, node_change>) {
      watching_ = of.watch(std::move(path), std::move(arrive));
    } else if constexpr (std::is_same_v<Change, children_change>) {
      watching_ = of.watch_children(std::move(path), std::move(arrive));
    } else {
      static_assert(std::is_same_v<Change, session_info>);
      watching_ = of.watch_session(std::move(arrive));
    }
  }
  watch_stream(watch_stream&&) noexcept = default;
  watch_stream& operator=(watch_stream&& other) noexcept {
    if (this != &other) {
      cancel();
      state_ = std::move(other.state_);
      watching_ = std::move(other.watching_);
    }
    return *this;
  }
  /// A call that waits ends with `closed`.
  ~watch_stream() { cancel(); }

  /// @param done  gets the next state, where the handlers of the client run, never inside this call.
  /// @param wait  `timeout`: unset = no limit. A call that ends so takes no state: the next one gets it.
  /// @par Errors  timed_out, cancelled. closed: the client was closed, or the stream ended. invalid_state: another call
  ///              waits.
  void async_next(handler<Change> done, call_options wait = {}) {
    if (state_) {
      state_->next(std::move(done), wait);
    } else if (done) {
      done(error(errc::closed, "next"));
    }
  }
  /// @par Errors    also would_deadlock: called from a callback.
  /// @par Blocking  yes, at most `timeout`.
  [[nodiscard]] result<Change> next(call_options wait = {}) {
    if (!state_) return error(errc::closed, "next");
    return recipes::block_on<Change>(state_->client(), "next",
                                     [&](handler<Change> done) { async_next(std::move(done), std::move(wait)); });
  }
  /// Ends it, and a call that waits, with `closed`. Waits for nothing.
  void cancel() noexcept {
    watching_.cancel();
    if (state_) state_->end();
  }

 private:
  std::shared_ptr<detail::stream_state<Change>> state_;
  subscription watching_;
};

}  // namespace zkr
