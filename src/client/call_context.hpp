#pragma once

namespace zkr::detail {

/// Marks this thread as one that must not wait for a client: it runs a callback, or is a thread of the library.
class no_blocking {
 public:
  no_blocking() noexcept { ++depth(); }
  ~no_blocking() { --depth(); }
  no_blocking(const no_blocking&) = delete;
  no_blocking& operator=(const no_blocking&) = delete;

  [[nodiscard]] static bool here() noexcept { return depth() > 0; }

 private:
  static int& depth() noexcept;
};

}  // namespace zkr::detail
