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

  /// Ends the session and every operation (`closed`). Returns within `close_timeout`, from any thread, a callback too;
  /// connected, the session's ephemeral nodes are gone by then. Again: does nothing.
  void close() noexcept;

 private:
  explicit client(operations all) noexcept : operations(std::move(all)) {}
  friend class client_access;
};

}  // namespace zkr
