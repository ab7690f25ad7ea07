#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "zkrecipes/error.hpp"

namespace zkr {

/// A value, or the reason why there is none. `std::expected<T, zkr::error>` in all but name.
template <typename T>
class [[nodiscard]] result {
 public:
  using value_type = T;
  using error_type = zkr::error;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(zkr::error why) : state_(std::in_place_index<1>, std::move(why)) {}
  template <typename U>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
           !std::is_same_v<std::remove_cvref_t<U>, T> && !std::is_same_v<std::remove_cvref_t<U>, zkr::error>)
      result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws the exception that stands for the error where there is none.
  T& value() & { return check(), *std::get_if<0>(&state_); }
  const T& value() const& { return check(), *std::get_if<0>(&state_); }
  T&& value() && { return check(), std::move(*std::get_if<0>(&state_)); }

  /// The value; undefined where there is none.
  [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
  [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The error; undefined where there is a value.
  [[nodiscard]] const zkr::error& error() const& noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] zkr::error& error() & noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] zkr::error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  template <typename U>
  [[nodiscard]] T value_or(U&& fallback) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
  }
  /// `f(value)` as a result, or this error.
  template <typename F>
  [[nodiscard]] auto transform(F&& f) && -> result<std::invoke_result_t<F, T>> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(f)(std::move(**this));
  }
  /// `f(value)`, which is a result itself, or this error.
  template <typename F>
  [[nodiscard]] auto and_then(F&& f) && -> std::invoke_result_t<F, T> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(f)(std::move(**this));
  }

 private:
  void check() const {
    if (!has_value()) detail::raise(error());
  }
  std::variant<T, zkr::error> state_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;
  using error_type = zkr::error;

  result() = default;
  result(zkr::error why) : error_(std::move(why)) {}

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) detail::raise(*error_);
  }
  [[nodiscard]] const zkr::error& error() const& noexcept { return *error_; }
  [[nodiscard]] zkr::error& error() & noexcept { return *error_; }
  [[nodiscard]] zkr::error&& error() && noexcept { return *std::move(error_); }

 private:
  std::optional<zkr::error> error_;
};

}  // namespace zkr
