#pragma once

// The asynchronous operations with asio's completion tokens (standalone asio 1.22 or later). The one public header that
// needs asio; nothing else of zkrecipes includes it. docs/asio.md is its guide.

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

// Behind the standard library: asio 1.22 chooses between aligned_alloc and operator new by a macro of libstdc++, which has
// to be there in every file of a program.
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/system_executor.hpp>

#include "zkrecipes/operations.hpp"
#include "zkrecipes/recipes/leadership.hpp"
#include "zkrecipes/watch_stream.hpp"

namespace zkr {

/// Which of asio's cancellation types end an operation. All of them end it by its stop token (`cancelled`).
///
/// `total` promises that nothing was done: a write that may have left cannot promise that.
inline constexpr auto cancels_write = asio::cancellation_type::terminal | asio::cancellation_type::partial;
inline constexpr auto cancels_read = cancels_write | asio::cancellation_type::total;

namespace detail {

/// A handler that waits for its operation in the name of one of asio's execution contexts.
class asio_waiter : public std::enable_shared_from_this<asio_waiter> {
 public:
  asio_waiter() noexcept = default;
  asio_waiter(const asio_waiter&) = delete;
  asio_waiter& operator=(const asio_waiter&) = delete;
  virtual ~asio_waiter() = default;
  /// Destroys the handler, uncalled, and all else that refers to the context; cancels the operation.
  virtual void abandon() noexcept = 0;

 private:
  friend class asio_waiters;
  asio_waiter** link_ = nullptr;  ///< What points to this one; nullptr: it is in no list.
  asio_waiter* next_ = nullptr;
};

/// The handlers that wait in the name of one execution context. It may end before they are called: then they go with it,
/// and the coroutines that they are. Whoever is in the list is kept by its operation.
class asio_waiters {
 public:
  /// @return false where the context has ended.
  [[nodiscard]] bool add(asio_waiter& one) {
    const std::scoped_lock lock(mutex_);
    if (over_) return false;
    one.next_ = first_;
    one.link_ = &first_;
    if (first_ != nullptr) first_->link_ = &one.next_;
    first_ = &one;
    return true;
  }
  /// Takes one out and, while the context is certain to live, calls `then`. @return false where it was not there.
  template <typename F>
  bool take(asio_waiter& one, F then) {
    const std::scoped_lock lock(mutex_);
    if (one.link_ == nullptr) return false;
    remove(one);
    then();
    return true;
  }
  void shut_down() {
    std::vector<std::shared_ptr<asio_waiter>> left;
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
      while (first_ != nullptr) {
        left.push_back(first_->shared_from_this());
        remove(*first_);
      }
    }
    for (const auto& one : left) one->abandon();
  }

 private:
  static void remove(asio_waiter& one) noexcept {
    *one.link_ = one.next_;
    if (one.next_ != nullptr) one.next_->link_ = one.link_;
    one.link_ = nullptr;
  }

  std::mutex mutex_;
  asio_waiter* first_ = nullptr;
  bool over_ = false;
};

/// What tells us of a context's end: contexts shut their services down first.
class asio_service : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit asio_service(asio::execution_context& of) : service(of) {}
  [[nodiscard]] const std::shared_ptr<asio_waiters>& waiters() const noexcept { return waiters_; }

 private:
  void shutdown() override { waiters_->shut_down(); }

  const std::shared_ptr<asio_waiters> waiters_ = std::make_shared<asio_waiters>();
};

/// Joins a cancellation slot with the caller's own stop token: either ends the operation.
class asio_stop {
 public:
  template <typename Slot>
  void join(Slot slot, asio::cancellation_type allowed, call_options& wait) {
    if (wait.stop.stop_possible()) from_caller_.emplace(wait.stop, relay{source_});
    wait.stop = source_.get_token();
    // It stays in the slot when the operation has ended, and does nothing then: to empty the slot would be a race with
    // the signal where there is no executor for both.
    if (slot.is_connected()) {
      slot.assign([source = source_, allowed](asio::cancellation_type type) mutable {
        if ((type & allowed) != asio::cancellation_type::none) source.request_stop();
      });
    }
  }
  void request() noexcept { source_.request_stop(); }

 private:
  struct relay {
    std::stop_source to;
    void operator()() { to.request_stop(); }
  };
  std::stop_source source_;
  std::optional<std::stop_callback<relay>> from_caller_;
};

/// A handler with its answer, as an executor takes it; keeps the handler's allocator.
template <typename T, typename Handler>
struct asio_completion {
  using allocator_type = asio::associated_allocator_t<Handler>;

  [[nodiscard]] allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler); }
  void operator()() { std::move(handler)(std::move(answer)); }

  Handler handler;
  result<T> answer;
};

/// An operation whose handler has an executor of asio.
template <typename T, typename Handler>
class asio_operation final : public asio_waiter {
 public:
  using executor_type = asio::associated_executor_t<Handler>;

  explicit asio_operation(Handler&& of) : own_(std::in_place, std::move(of)) {
    const auto executor = own_->work.get_executor();
    waiters_ = asio::use_service<asio_service>(asio::query(executor, asio::execution::context)).waiters();
  }

  /// Ends the operation of `wait` when the handler's cancellation slot says so. @return false: the context has ended.
  [[nodiscard]] bool begin(asio::cancellation_type allowed, call_options& wait) {
    stop_.join(asio::get_associated_cancellation_slot(own_->handler), allowed, wait);
    return waiters_->add(*this);
  }
  void complete(result<T> answer) {
    waiters_->take(*this, [&] {
      auto own = *std::move(own_);
      own_.reset();
      const auto executor = own.work.get_executor();
      asio::post(executor, asio_completion<T, Handler>{std::move(own.handler), std::move(answer)});
    });
  }
  /// The operation ended without an answer: an executor dropped it.
  void drop() noexcept {
    if (waiters_->take(*this, [] {})) abandon();
  }
  void abandon() noexcept override {
    own_.reset();
    stop_.request();
  }

 private:
  struct owned {
    explicit owned(Handler&& of) : handler(std::move(of)), work(asio::get_associated_executor(handler)) {}
    Handler handler;
    asio::executor_work_guard<executor_type> work;  ///< The context runs on for as long as we wait.
  };
  std::optional<owned> own_;
  std::shared_ptr<asio_waiters> waiters_;
  asio_stop stop_;
};

/// What the operation itself gets for a handler.
template <typename T, typename Handler>
class asio_ticket {
 public:
  explicit asio_ticket(std::shared_ptr<asio_operation<T, Handler>> of) noexcept : of_(std::move(of)) {}
  asio_ticket(asio_ticket&&) noexcept = default;
  asio_ticket& operator=(asio_ticket&&) = delete;
  ~asio_ticket() {
    if (of_) of_->drop();
  }
  void operator()(result<T> answer) { std::exchange(of_, nullptr)->complete(std::move(answer)); }

 private:
  std::shared_ptr<asio_operation<T, Handler>> of_;
};

/// Marks this thread as one inside an initiating function, where asio calls no handler.
class asio_initiating {
 public:
  asio_initiating() noexcept { ++depth(); }
  ~asio_initiating() { --depth(); }
  asio_initiating(const asio_initiating&) = delete;
  asio_initiating& operator=(const asio_initiating&) = delete;

  [[nodiscard]] static bool here() noexcept { return depth() > 0; }

 private:
  static int& depth() noexcept {
    thread_local int depth = 0;
    return depth;
  }
};

/// Whether there is no context that could end before the operation does. True of handlers without an executor of their
/// own, which run where the client's handlers run, and of futures.
template <typename Executor>
constexpr bool is_without_context =
    std::is_same_v<Executor, asio::system_executor> || !asio::can_query<Executor, asio::execution::context_t>::value;

template <typename T, typename Handler>
struct asio_plain_handler {
  void operator()(result<T> answer) {
    const auto executor = asio::get_associated_executor(handler);
    asio_completion<T, Handler> whole{std::move(handler), std::move(answer)};
    if (asio_initiating::here()) {
      asio::post(executor, std::move(whole));
    } else {
      asio::dispatch(executor, std::move(whole));
    }
  }
  Handler handler;
  std::shared_ptr<asio_stop> stop;
};

template <typename T, typename Start>
struct asio_initiation {
  template <typename Handler>
  void operator()(Handler&& completion) {
    using kept = std::decay_t<Handler>;
    const asio_initiating here;
    kept own(std::forward<Handler>(completion));
    if constexpr (is_without_context<asio::associated_executor_t<kept>>) {
      std::shared_ptr<asio_stop> stop;
      if (const auto slot = asio::get_associated_cancellation_slot(own); slot.is_connected()) {
        stop = std::make_shared<asio_stop>();
        stop->join(slot, allowed, wait);
      }
      start(handler<T>(asio_plain_handler<T, kept>{std::move(own), std::move(stop)}), std::move(wait));
    } else {
      const auto one = std::make_shared<asio_operation<T, kept>>(std::move(own));
      if (!one->begin(allowed, wait)) return;
      start(handler<T>(asio_ticket<T, kept>(one)), std::move(wait));
    }
  }

  Start start;
  call_options wait;
  asio::cancellation_type allowed;
};

}  // namespace detail

/// Starts whatever ends with a `handler<T>`, and ends it as the completion token says: the signature is `void(result<T>)`.
/// For operations that have no form of their own below, of users' recipes for example.
///
/// @param start    called once, `start(handler<T>, call_options)`; takes the options as its own.
/// @param cancels  the cancellation types that fire the stop token among those options.
/// @par Threads      the handler is posted to its associated executor; one without runs where `start` calls its handler.
/// @par Cancellation  by the token's slot, or `wait.stop`. A handler that is destroyed with its execution context (a
///                   suspended coroutine) cancels the operation and is not called.
template <typename T, typename Start, typename Token>
auto async_start(Start start, Token&& token, call_options wait = {}, asio::cancellation_type cancels = cancels_write) {
  return asio::async_initiate<Token, void(result<T>)>(
      detail::asio_initiation<T, Start>{std::move(start), std::move(wait), cancels}, token);
}

/// A watch_stream with completion tokens.
///
/// ```
/// auto states = zkr::async(client).watch("/config");
/// while (const auto now = co_await states.next(asio::use_awaitable)) …
/// ```
template <typename Change>
class [[nodiscard]] async_stream {
 public:
  explicit async_stream(const operations& client, std::string path = "/") : of_(client, std::move(path)) {}

  /// The next state: `void(result<Change>)`. The stream must live, and not be moved, until this has begun (with `deferred`
  /// and `use_awaitable`: until it is awaited); destroyed later, it ends the call with `closed`.
  ///
  /// A time limit and a stop token in `wait` lose no state. A cancellation from outside may: where the state was taken
  /// already and the token's handler is on its way, as `||` with a timer has it, the state goes with the handler.
  ///
  /// @par Cancellation  by all types.
  template <typename Token>
  auto next(Token&& token, call_options wait = {}) {
    auto start = [this](handler<Change> done, call_options how) { of_.async_next(std::move(done), std::move(how)); };
    return async_start<Change>(std::move(start), std::forward<Token>(token), std::move(wait), cancels_read);
  }
  /// Ends it, and a call that waits, with `closed`.
  void cancel() noexcept { of_.cancel(); }

 private:
  watch_stream<Change> of_;
};

/// ZooKeeper's operations on one client with completion tokens: parameters, deadlines and errors are those of `operations`,
/// the token stands where the handler does. Copies share the client; they do not keep it open.
class async_operations {
 public:
  explicit async_operations(operations of) noexcept : of_(std::move(of)) {}

  template <typename Token>
  auto create(std::string path, std::string data, create_options options, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, path = std::move(path), data = std::move(data), options = std::move(options)](
                     handler<created> done, call_options how) mutable {
      of.async_create(std::move(path), std::move(data), std::move(options), std::move(done), std::move(how));
    };
    return async_start<created>(std::move(start), std::forward<Token>(token), std::move(wait));
  }
  template <typename Token>
  auto get(std::string path, Token&& token, read_options options = {}, call_options wait = {}) const {
    return read<node>(&operations::async_get, std::move(path), std::forward<Token>(token), std::move(options),
                      std::move(wait));
  }
  template <typename Token>
  auto exists(std::string path, Token&& token, read_options options = {}, call_options wait = {}) const {
    return read<stat_t>(&operations::async_exists, std::move(path), std::forward<Token>(token), std::move(options),
                        std::move(wait));
  }
  template <typename Token>
  auto children(std::string path, Token&& token, read_options options = {}, call_options wait = {}) const {
    return read<child_list>(&operations::async_children, std::move(path), std::forward<Token>(token),
                            std::move(options), std::move(wait));
  }
  template <typename Token>
  auto set(std::string path, std::string data, std::int32_t version, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, path = std::move(path), data = std::move(data), version](handler<stat_t> done,
                                                                                     call_options how) mutable {
      of.async_set(std::move(path), std::move(data), version, std::move(done), std::move(how));
    };
    return async_start<stat_t>(std::move(start), std::forward<Token>(token), std::move(wait));
  }
  template <typename Token>
  auto remove(std::string path, std::int32_t version, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, path = std::move(path), version](handler<void> done, call_options how) mutable {
      of.async_remove(std::move(path), version, std::move(done), std::move(how));
    };
    return async_start<void>(std::move(start), std::forward<Token>(token), std::move(wait));
  }
  template <typename Token>
  auto sync(std::string path, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, path = std::move(path)](handler<void> done, call_options how) mutable {
      of.async_sync(std::move(path), std::move(done), std::move(how));
    };
    return async_start<void>(std::move(start), std::forward<Token>(token), std::move(wait), cancels_read);
  }
  template <typename Token>
  auto get_acl(std::string path, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, path = std::move(path)](handler<acl_list> done, call_options how) mutable {
      of.async_get_acl(std::move(path), std::move(done), std::move(how));
    };
    return async_start<acl_list>(std::move(start), std::forward<Token>(token), std::move(wait), cancels_read);
  }
  template <typename Token>
  auto set_acl(std::string path, acl_list acl, std::int32_t version, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, path = std::move(path), acl = std::move(acl), version](handler<void> done,
                                                                                   call_options how) mutable {
      of.async_set_acl(std::move(path), std::move(acl), version, std::move(done), std::move(how));
    };
    return async_start<void>(std::move(start), std::forward<Token>(token), std::move(wait));
  }
  template <typename Token>
  auto commit(transaction writes, Token&& token, call_options wait = {}) const {
    using results = std::vector<transaction_result>;
    auto start = [of = of_, writes = std::move(writes)](handler<results> done, call_options how) mutable {
      of.async_commit(std::move(writes), std::move(done), std::move(how));
    };
    return async_start<results>(std::move(start), std::forward<Token>(token), std::move(wait));
  }
  template <typename Token>
  auto add_auth(std::string scheme, std::string credentials, Token&& token, call_options wait = {}) const {
    auto start = [of = of_, scheme = std::move(scheme), credentials = std::move(credentials)](
                     handler<void> done, call_options how) mutable {
      of.async_add_auth(std::move(scheme), std::move(credentials), std::move(done), std::move(how));
    };
    return async_start<void>(std::move(start), std::forward<Token>(token), std::move(wait));
  }

  /// The states of a node, of its children, of the session, one after the other.
  [[nodiscard]] async_stream<node_change> watch(std::string path) const {
    return async_stream<node_change>(of_, std::move(path));
  }
  [[nodiscard]] async_stream<children_change> watch_children(std::string path) const {
    return async_stream<children_change>(of_, std::move(path));
  }
  [[nodiscard]] async_stream<session_info> watch_session() const { return async_stream<session_info>(of_); }

 private:
  template <typename T, typename Token>
  auto read(void (operations::*which)(std::string, handler<T>, read_options, call_options), std::string path,
            Token&& token, read_options options, call_options wait) const {
    auto start = [of = of_, which, path = std::move(path), options = std::move(options)](handler<T> done,
                                                                                         call_options how) mutable {
      (of.*which)(std::move(path), std::move(done), std::move(options), std::move(how));
    };
    return async_start<T>(std::move(start), std::forward<Token>(token), std::move(wait), cancels_read);
  }

  operations of_;
};

/// @par Threads  as of `operations`; a handler runs on its associated executor, or where the client's handlers run.
[[nodiscard]] inline async_operations async(operations of) { return async_operations(std::move(of)); }

/// An election's campaign with a completion token, `void(result<leadership>)`. The election must live until the campaign
/// has begun (with `deferred` and `use_awaitable`: until it is awaited).
///
/// @par Cancellation  by all types: the candidate's node is removed in the background.
template <typename Election, typename Token>
auto async_campaign(Election& election, Token&& token, call_options wait = {}) {
  auto start = [&election](handler<leadership> done, call_options how) {
    election.async_campaign(std::move(done), std::move(how));
  };
  return async_start<leadership>(std::move(start), std::forward<Token>(token), std::move(wait), cancels_read);
}

/// An executor of asio as one for handlers and watches: `client_options::executor`, `operations::on`. It must outlive the
/// client, and so must asio's context.
template <typename Executor>
class asio_executor final : public executor {
 public:
  explicit asio_executor(Executor to) : to_(std::move(to)) {}
  void execute(unique_function<void()> work) override { asio::post(to_, std::move(work)); }

 private:
  const Executor to_;
};

}  // namespace zkr
