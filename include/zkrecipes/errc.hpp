#pragma once

#include <string_view>

namespace zkr {

/// Every way in which a call can fail: ZooKeeper's own numbers (negative, `KeeperException.Code`), and ours (positive).
enum class errc : int {
  ok = 0,

  // ZooKeeper's system errors.
  system_error = -1,
  runtime_inconsistency = -2,
  data_inconsistency = -3,
  connection_loss = -4,
  marshalling_error = -5,
  unimplemented = -6,
  operation_timeout = -7,
  bad_arguments = -8,
  invalid_state = -9,
  new_config_no_quorum = -13,
  reconfig_in_progress = -14,

  // ZooKeeper's API errors.
  api_error = -100,
  no_node = -101,
  no_auth = -102,
  bad_version = -103,
  no_children_for_ephemerals = -108,
  node_exists = -110,
  not_empty = -111,
  session_expired = -112,
  invalid_callback = -113,
  invalid_acl = -114,
  auth_failed = -115,
  closing = -116,
  nothing = -117,
  session_moved = -118,
  not_read_only = -119,
  ephemeral_on_local_session = -120,
  no_watcher = -121,
  request_timeout = -122,
  reconfig_disabled = -123,
  session_closed_require_auth = -124,
  quota_exceeded = -125,
  throttled = -127,

  // Ours.
  timed_out = 1,         ///< The caller's deadline passed.
  cancelled = 2,         ///< The caller's stop token was triggered.
  closed = 3,            ///< The client, server or recipe object is closed.
  session_lost = 4,      ///< The session to which the call belonged is over.
  overloaded = 5,        ///< `max_in_flight` operations are outstanding, or too many bytes of paths are watched.
  would_deadlock = 6,    ///< A blocking call from a thread that must not wait (a callback, a simulation).
  unsupported = 7,       ///< The transport or the server lacks it; the message says which and why.
  invalid_path = 8,      ///< The path breaks ZooKeeper's rules, or leaves the chroot.
  invalid_argument = 9,  ///< Any other input that was refused before it was sent.
  too_large = 10,        ///< The request would exceed the largest frame, or the result what the caller allowed.
  no_chroot = 11,        ///< The chroot of the connection string does not exist.
  ownership_lost = 12,   ///< The grant has ended: the lease ran out, or the node is gone or another's.
  resolve_failed = 13,   ///< No address of the host list could be resolved.
  io_error = 14,         ///< A system call failed (listen, open, write, ...).
};

/// The name of a code as it is written in this header ("no_node"), or "error" for a number without a name.
[[nodiscard]] std::string_view to_string(errc code) noexcept;

/// What a code means, in one short clause ("the node does not exist").
[[nodiscard]] std::string_view describe(errc code) noexcept;

}  // namespace zkr
