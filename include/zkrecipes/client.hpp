#pragma once

#include "zkrecipes/client_options.hpp"
#include "zkrecipes/operations.hpp"

namespace zkr {

/// A ZooKeeper client: one session at a time, opened again when it is lost.
///
/// Destroying it closes it. It may be moved; its operations may be called from any thread until it is destroyed.
class client : public operations {
 public:
  /// Opens a client.
  ///
  /// @param wait    `timeout`: longest wait for the first session, unset = `options.operation_timeout`. Not used with
  ///                `start_mode::background`.
  /// @par Errors    invalid_argument (names the option), resolve_failed, timed_out, cancelled, no_chroot, auth_failed.
  /// @par Blocking  yes, unless `start_mode::background`.
  [[nodiscard]] static result<client> connect(client_options options, call_options wait = {});

  client() noexcept = default;
  client(client&&) noexcept = default;
  client& operator=(client&& other) noexcept;
  ~client();

  /// Goes to other servers from now on: of the same ensemble, for the session stays, with its ephemeral nodes, watches
  /// and grants. Where the connection's server is in the new list the connection stays too; else it is left as soon as
  /// no request is outstanding on it, and nothing is lost: requests wait for the next one.
  ///
  /// Names need no such call: what they mean is looked up again whenever the connection is lost, until there is another.
  ///
  /// @param hosts   as in `client_options::hosts`, without a chroot, which cannot change.
  /// @par Errors    invalid_argument, resolve_failed (no host has an address), closed, would_deadlock: the old list stays.
  /// @par Blocking  as lookups of names do.
  result<void> set_servers(const std::string& hosts);

  /// What another process needs to go on with this session when this one is gone (`client_options::resume`). close() and
  /// the destructor end the session; what ends without them, killed or by `_exit`, leaves it to its time-out.
  ///
  /// @par Errors  session_lost: there is no session at this moment. closed.
  [[nodiscard]] result<session_ticket> ticket() const;

  /// Lets recipes use a resumed session. It may hold ephemeral nodes of the earlier process: contenders and
  /// registrations that nobody looks after any more, behind which others wait for as long as the session lives. So
  /// recipes refuse it (`invalid_state`) until this is called, after such nodes were removed, or are known to be wanted.
  /// Without a resumed session: does nothing.
  void adopt_session() noexcept;

  /// Ends the session and every operation (`closed`). Returns within `close_timeout`, from any thread, a callback too;
  /// connected, the session's ephemeral nodes are gone by then. Again: does nothing.
  void close() noexcept;

 private:
  explicit client(operations all) noexcept : operations(std::move(all)) {}
  friend class client_access;
};

}  // namespace zkr
