#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/held_lock.hpp"

namespace zkr {

struct mutex_options {
  /// The lock's directory; missing parents are created as containers. Curator's InterProcessMutex path.
  std::string path;
  /// Who we are, for `contenders`: the data of our nodes; any text, readable by whom the ACL lets read.
  std::string id = {};
  /// Of the contenders' nodes. Empty: everybody everything.
  acl_list acl = {};
  /// Of directories that have to be created. Empty: everybody everything.
  acl_list parent_acl = {};
  /// What stands before the number in the names of others whom we line up with, beside Curator's and Go's "lock-".
  /// kazoo: "__lock__" (and kazoo's own extra_lock_patterns names "-lock-", or it will not wait for us).
  std::vector<std::string> extra_lock_patterns = {};
};

/// A lock that one process of many holds at a time, in the order of arrival.
///
/// Layout: Curator's InterProcessMutex, byte for byte (`_c_<uuid>-lock-NNNNNNNNNN`), shared with go-zookeeper. Each
/// contender watches its predecessor only. Not re-entrant: every acquisition is a contender of its own, so one that is
/// made while this process holds the lock waits for itself. The object may be destroyed while a lock is held.
class mutex {
 public:
  mutex(operations client, mutex_options options);

  /// Acquires the lock, waiting for earlier contenders, over lost sessions too (which cost the place in the queue).
  ///
  /// @param wait    `timeout`: longest wait, unset = no limit; `stop`: ends the wait early.
  /// @return        the held lock; destroying it releases the lock.
  /// @par Errors    timed_out, cancelled: the contender's node is removed in the background. closed. no_auth and the
  ///                like: the ACL forbids it, nothing is left. invalid_path, invalid_argument (an empty pattern).
  ///                would_deadlock: called from a callback.
  /// @par Blocking  yes, at most `timeout` + 100 ms.
  /// @par Threads   safe on one object from several threads.
  /// @par Cancellation  safe at any moment, also when the create's reply was lost.
  [[nodiscard]] result<held_lock> acquire(call_options wait = {});
  /// The same without blocking; `done` runs on the client's executor.
  void async_acquire(handler<held_lock> done, call_options wait = {});

  /// Acquires the lock if nobody stands before us: waits for the server, not for other contenders.
  ///
  /// @param wait    `timeout`: longest wait for the server; unset: 15 s.
  /// @return        the held lock; unset where another contender has it or waits for it. The node that was made to find
  ///                that out is removed in the background.
  /// @par Errors, Blocking, Threads, Cancellation  as acquire.
  [[nodiscard]] result<std::optional<held_lock>> try_acquire(call_options wait = {});
  void async_try_acquire(handler<std::optional<held_lock>> done, call_options wait = {});

  /// Who holds the lock and who waits for it, in the order of their turn. A view of this client's server, maybe already
  /// history.
  ///
  /// @param wait    `timeout` unset: 15 s.
  /// @par Errors    timed_out, cancelled, closed, no_auth, invalid_path, would_deadlock.
  /// @par Blocking  yes, at most `timeout` + 100 ms.
  [[nodiscard]] result<std::vector<lock_contender>> contenders(call_options wait = {});

 private:
  operations client_;
  mutex_options options_;
};

}  // namespace zkr
