#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/acl.hpp"
#include "zkrecipes/call_options.hpp"
#include "zkrecipes/capabilities.hpp"
#include "zkrecipes/create_options.hpp"
#include "zkrecipes/executor.hpp"
#include "zkrecipes/node.hpp"
#include "zkrecipes/result.hpp"
#include "zkrecipes/session.hpp"
#include "zkrecipes/subscription.hpp"
#include "zkrecipes/transaction.hpp"

namespace zkr {

namespace detail {
class client_core;
}

template <typename T>
using handler = unique_function<void(result<T>)>;

/// Options of a read: a one-shot watch that it leaves behind where it succeeds.
struct read_options {
  watch_handler watch = {};
  /// Where set, the watch is of use only while this object lives: once it is gone, the handler may not be called any
  /// more, and is destroyed by the time that many later watches have been set (or at the end of the session).
  std::optional<std::weak_ptr<const void>> watch_owner = {};
};

/// ZooKeeper's operations on one client, blocking and asynchronous. Copies share the client; they do not keep it open.
///
/// Every operation ends exactly once: with its reply, at its deadline (`operation_timeout` by default), at its stop
/// token, with its session, or with the client. Reads are repeated over reconnects inside their deadline; a write that
/// was sent is not, and its failure then says `outcome::unknown`.
///
/// @par Threads   safe from several threads. A blocking form called from a callback or a thread of the library gives
///                `would_deadlock` at once. Handlers run on the client's executor, one at a time, in the order of the
///                wire. A blocking result does not wait for handlers: it may show data newer than an event whose handler
///                has not run yet.
/// @par Errors    of all: invalid_path, too_large, timed_out, cancelled, connection_loss, session_lost, closed,
///                overloaded (asynchronous forms; the blocking ones wait), and what ZooKeeper answers (no_node, no_auth, ...).
class operations {
 public:
  operations() noexcept = default;
  operations(std::shared_ptr<detail::client_core> core, executor* handlers, std::uint64_t generation) noexcept;

  /// Creates a node. The path of a sequential one is a stem and may end in '/'.
  result<created> create(std::string path, std::string data = {}, create_options options = {}, call_options wait = {});
  void async_create(std::string path, std::string data, create_options options, handler<created> done,
                    call_options wait = {});

  /// Reads a node's data and metadata.
  result<node> get(std::string path, read_options options = {}, call_options wait = {});
  void async_get(std::string path, handler<node> done, read_options options = {}, call_options wait = {});

  /// Reads a node's metadata; `no_node` where there is none (a watch then waits for its creation).
  result<stat_t> exists(std::string path, read_options options = {}, call_options wait = {});
  void async_exists(std::string path, handler<stat_t> done, read_options options = {}, call_options wait = {});

  /// Lists a node's children.
  result<child_list> children(std::string path, read_options options = {}, call_options wait = {});
  void async_children(std::string path, handler<child_list> done, read_options options = {}, call_options wait = {});

  /// Replaces a node's data, if it still has `version`.
  result<stat_t> set(std::string path, std::string data, std::int32_t version = any_version, call_options wait = {});
  void async_set(std::string path, std::string data, std::int32_t version, handler<stat_t> done,
                 call_options wait = {});

  /// Removes a node without children, if it still has `version`.
  result<void> remove(std::string path, std::int32_t version = any_version, call_options wait = {});
  void async_remove(std::string path, std::int32_t version, handler<void> done, call_options wait = {});

  /// Waits until the server that this client is connected to has seen what the leader had committed. A later read on this
  /// client is then at least as new. Not a proof that the leader still leads.
  result<void> sync(std::string path = "/", call_options wait = {});
  void async_sync(std::string path, handler<void> done, call_options wait = {});

  result<acl_list> get_acl(std::string path, call_options wait = {});
  void async_get_acl(std::string path, handler<acl_list> done, call_options wait = {});

  /// Replaces a node's ACL, if its `aversion` is still `version`.
  result<void> set_acl(std::string path, acl_list acl, std::int32_t version = any_version, call_options wait = {});
  void async_set_acl(std::string path, acl_list acl, std::int32_t version, handler<void> done, call_options wait = {});

  /// Applies all writes of a transaction or none. On failure `error::failed_operation` says which.
  result<std::vector<transaction_result>> commit(transaction writes, call_options wait = {});
  void async_commit(transaction writes, handler<std::vector<transaction_result>> done, call_options wait = {});

  /// Adds an identity to this and every later session of the client.
  /// @par Errors  auth_failed: the server refused it and has ended the session.
  result<void> add_auth(std::string scheme, std::string credentials, call_options wait = {});
  void async_add_auth(std::string scheme, std::string credentials, handler<void> done, call_options wait = {});

  /// Watches a node for ever: reports the current state at once, then the latest state after every change, over
  /// reconnects and new sessions. At most one report waits; later ones merge into it.
  subscription watch(std::string path, unique_function<void(const node_change&)> handler);
  /// The same for the list of a node's children.
  subscription watch_children(std::string path, unique_function<void(const children_change&)> handler);
  /// Reports every change of the session's state, beginning with the current one.
  subscription watch_session(unique_function<void(const session_info&)> handler);

  [[nodiscard]] session_info session() const;
  /// What the transport below can do; connected or not.
  [[nodiscard]] zkr::capabilities capabilities() const;

  /// The same operations with handlers on another executor (which must outlive the client), still one at a time.
  [[nodiscard]] operations on(executor& handlers) const;
  /// The same operations, bound to the current session: once it is over they give `session_lost` and do nothing.
  [[nodiscard]] operations pinned() const;

 protected:
  friend class recipe_access;
  std::shared_ptr<detail::client_core> core_;
  executor* handlers_ = nullptr;
  std::uint64_t generation_ = 0;  ///< 0: whatever session there is.
};

}  // namespace zkr
