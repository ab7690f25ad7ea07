#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zkrecipes/client.hpp"
#include "zkrecipes/recipes/held_lock.hpp"

namespace zkr {

struct shared_mutex_options {
  /// The lock's directory; missing parents are created as containers. Curator's InterProcessReadWriteLock path.
  std::string path;
  /// Who we are, for `contenders`: the data of our nodes; any text, readable by whom the ACL lets read.
  std::string id = {};
  /// Of the contenders' nodes. Empty: everybody everything.
  acl_list acl = {};
  /// Of directories that have to be created. Empty: everybody everything.
  acl_list parent_acl = {};
};

/// A lock that one process has exclusively, or several share (writers and readers).
///
/// Layout: Curator's InterProcessReadWriteLock, byte for byte (`_c_<uuid>-__WRIT__NNNNNNNNNN`, `__READ__`). All line up in
/// the order of arrival: a reader waits for the writers before it, a writer for everybody before it, so neither starves.
/// Not re-entrant, and a shared lock cannot become exclusive: every acquisition is a contender of its own. The object may
/// be destroyed while a lock is held.
class shared_mutex {
 public:
  shared_mutex(operations client, shared_mutex_options options);

  /// Acquires the lock exclusively. Its fencing token is larger than those of all earlier holders.
  ///
  /// @param wait    `timeout`: longest wait, unset = no limit; `stop`: ends the wait early.
  /// @return        the held lock; destroying it releases the lock.
  /// @par Errors    timed_out, cancelled: the contender's node is removed in the background. closed. no_auth and the
  ///                like: the ACL forbids it, nothing is left. invalid_path. would_deadlock: called from a callback.
  /// @par Blocking  yes, at most `timeout` + 100 ms.
  /// @par Threads   safe on one object from several threads.
  /// @par Cancellation  safe at any moment, also when the create's reply was lost.
  [[nodiscard]] result<held_lock> acquire(call_options wait = {});
  /// The same without blocking; `done` runs on the client's executor.
  void async_acquire(handler<held_lock> done, call_options wait = {});

  /// Acquires the lock together with others who share it. The fencing token is larger than those of all earlier
  /// *exclusive* holders; it does not order those who share.
  ///
  /// @par Errors, Blocking, Threads, Cancellation  as acquire.
  [[nodiscard]] result<held_lock> acquire_shared(call_options wait = {});
  void async_acquire_shared(handler<held_lock> done, call_options wait = {});

  /// Acquires the lock if nobody stands in the way: waits for the server, not for other contenders.
  ///
  /// @param wait    `timeout`: longest wait for the server; unset: 15 s.
  /// @return        the held lock; unset where another contender has it or waits for it. The node that was made to find
  ///                that out is removed in the background.
  /// @par Errors, Blocking, Threads, Cancellation  as acquire.
  [[nodiscard]] result<std::optional<held_lock>> try_acquire(call_options wait = {});
  void async_try_acquire(handler<std::optional<held_lock>> done, call_options wait = {});
  [[nodiscard]] result<std::optional<held_lock>> try_acquire_shared(call_options wait = {});
  void async_try_acquire_shared(handler<std::optional<held_lock>> done, call_options wait = {});

  /// Who holds the lock and who waits for it, in the order of arrival. A view of this client's server, maybe already
  /// history.
  ///
  /// @param wait    `timeout` unset: 15 s.
  /// @par Errors    timed_out, cancelled, closed, no_auth, invalid_path, would_deadlock.
  /// @par Blocking  yes, at most `timeout` + 100 ms.
  [[nodiscard]] result<std::vector<lock_contender>> contenders(call_options wait = {});

 private:
  operations client_;
  shared_mutex_options options_;
};

}  // namespace zkr
