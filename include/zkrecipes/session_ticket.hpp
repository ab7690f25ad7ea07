#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "zkrecipes/result.hpp"

namespace zkr {

/// What it takes to go on with a session in another process: its id, and the password that the server gave it. Whoever
/// has it can do with the session what its client can, so it is as secret as the session's credentials, and never printed.
///
/// Two clients with the same ticket take the session from each other without end, some times a second: see to it that
/// the process that had it is gone.
class session_ticket {
 public:
  using password = std::array<char, 16>;

  session_ticket(std::int64_t id, const password& secret) noexcept : id_(id), secret_(secret) {}

  /// As the server numbers the session. Not secret.
  [[nodiscard]] std::int64_t id() const noexcept { return id_; }

  /// Writes the ticket to a file that its owner alone can read (0600). A file of that name is replaced as a whole: no
  /// reader, and no crash, ever sees half of one.
  ///
  /// @par Errors  io_error; the message names the file, and what the system said.
  [[nodiscard]] result<void> save(const std::string& file) const;
  /// Reads such a file.
  ///
  /// @par Errors  io_error; invalid_argument: the file is no ticket, or others than its owner may read or write it. The
  ///              message names the file.
  [[nodiscard]] static result<session_ticket> load(const std::string& file);

 private:
  friend class client_access;
  std::int64_t id_;
  password secret_;
};

}  // namespace zkr
