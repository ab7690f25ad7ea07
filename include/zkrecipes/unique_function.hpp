#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace zkr {

template <typename Signature>
class unique_function;

/// A callable that is moved, not copied. Up to `inline_bytes` stand in the object itself; larger ones on the heap.
template <typename R, typename... Args>
class unique_function<R(Args...)> {
 public:
  static constexpr std::size_t inline_bytes = 64;

  unique_function() noexcept = default;
  unique_function(std::nullptr_t) noexcept {}

  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, unique_function> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) unique_function(F&& f) {
    using target = std::decay_t<F>;
    if constexpr (fits_inline<target>) {
      ::new (static_cast<void*>(storage_)) target(std::forward<F>(f));
      table_ = &inline_table<target>;
    } else {
      ::new (static_cast<void*>(storage_)) target*(new target(std::forward<F>(f)));
      table_ = &heap_table<target>;
    }
  }

  unique_function(unique_function&& other) noexcept : table_(other.table_) {
    if (table_ != nullptr) table_->move(other.storage_, storage_);
    other.table_ = nullptr;
  }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this != &other) {
      reset();
      table_ = other.table_;
      if (table_ != nullptr) table_->move(other.storage_, storage_);
      other.table_ = nullptr;
    }
    return *this;
  }
  unique_function(const unique_function&) = delete;
  unique_function& operator=(const unique_function&) = delete;
  ~unique_function() { reset(); }

  explicit operator bool() const noexcept { return table_ != nullptr; }

  /// Calls the target; undefined where there is none.
  R operator()(Args... args) { return table_->call(storage_, std::forward<Args>(args)...); }

 private:
  struct operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };

  template <typename F>
  static constexpr bool fits_inline =
      sizeof(F) <= inline_bytes && alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

  template <typename F>
  static constexpr operations inline_table{
      [](void* at, Args&&... args) -> R { return (*static_cast<F*>(at))(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept {
        ::new (to) F(std::move(*static_cast<F*>(from)));
        static_cast<F*>(from)->~F();
      },
      [](void* at) noexcept { static_cast<F*>(at)->~F(); }};

  template <typename F>
  static constexpr operations heap_table{
      [](void* at, Args&&... args) -> R { return (**static_cast<F**>(at))(std::forward<Args>(args)...); },
      [](void* from, void* to) noexcept { ::new (to) F*(*static_cast<F**>(from)); },
      [](void* at) noexcept { delete *static_cast<F**>(at); }};

  void reset() noexcept {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(storage_);
  }

  const operations* table_ = nullptr;
  alignas(std::max_align_t) std::byte storage_[inline_bytes];
};

}  // namespace zkr
