#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "zkrecipes/errc.hpp"

namespace zkr {

/// What a failed write may have done.
enum class outcome {
  not_applied,  ///< The server's state is as if the call had never been made, and will stay so.
  unknown,      ///< It may have been applied, or may still be: read before you repeat it.
};

/// Why a call failed, and what it may have done nevertheless.
///
/// Never contains node data or credentials.
class error {
 public:
  /// @param operation  a name with static storage ("create"); it is kept as a view.
  explicit error(errc code, std::string_view operation = {}, std::string path = {}, std::string detail = {})
      : code_(code), operation_(operation), path_(std::move(path)), detail_(std::move(detail)) {}

  [[nodiscard]] errc code() const noexcept { return code_; }
  [[nodiscard]] std::string_view operation() const noexcept { return operation_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  /// True once the request may have left this process.
  [[nodiscard]] bool sent() const noexcept { return sent_; }
  [[nodiscard]] zkr::outcome outcome() const noexcept { return outcome_; }
  /// Position of the operation that failed a transaction; unset for everything else.
  [[nodiscard]] std::optional<std::size_t> failed_operation() const noexcept { return failed_operation_; }

  /// "create /a/b: node_exists (the node exists already)" and, where it applies, "; outcome unknown".
  [[nodiscard]] std::string message() const;

  error& set_sent(zkr::outcome what) noexcept {
    sent_ = true;
    outcome_ = what;
    return *this;
  }
  error& set_failed_operation(std::size_t index) noexcept {
    failed_operation_ = index;
    return *this;
  }

 private:
  errc code_;
  zkr::outcome outcome_ = zkr::outcome::not_applied;
  bool sent_ = false;
  std::optional<std::size_t> failed_operation_;
  std::string_view operation_;
  std::string path_;
  std::string detail_;
};

/// What `result::value()` throws. `std::exception::what()` is `error().message()`.
class exception : public std::runtime_error {
 public:
  explicit exception(zkr::error why) : std::runtime_error(why.message()), error_(std::move(why)) {}
  [[nodiscard]] const zkr::error& error() const noexcept { return error_; }

 private:
  zkr::error error_;
};

/// A write whose outcome is unknown, whatever the code (`error::outcome()`); takes precedence over the classes below.
class in_doubt_exception : public exception {
  using exception::exception;
};
/// no_node, node_exists, bad_version, not_empty, ...: the server refused it in view of its state.
class node_exception : public exception {
  using exception::exception;
};
/// connection_loss, session_lost, session_expired, closed, ...: there was nobody to ask.
class connection_exception : public exception {
  using exception::exception;
};
/// timed_out or cancelled: the caller ended the wait.
class interrupted_exception : public exception {
  using exception::exception;
};
/// invalid_path, invalid_argument, too_large, unsupported, ...: it was never sent.
class usage_exception : public exception {
  using exception::exception;
};

namespace detail {
/// Throws the exception class that stands for `why`. The one function of the library that throws.
[[noreturn]] void raise(const error& why);
}  // namespace detail

}  // namespace zkr
