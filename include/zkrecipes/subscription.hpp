#pragma once

#include <memory>

namespace zkr {

namespace detail {
class subscription_state;
}

/// Keeps a handler subscribed for as long as it lives.
///
/// Destroying it waits until the handler is not running, and never lets it run again; from inside the handler it only
/// does the latter. It may outlive its client.
class [[nodiscard]] subscription {
 public:
  subscription() noexcept = default;
  explicit subscription(std::shared_ptr<detail::subscription_state> state) noexcept;
  subscription(subscription&&) noexcept;
  subscription& operator=(subscription&&) noexcept;
  ~subscription();

  /// Ends it without waiting: the handler may still be running, but does not start again.
  void cancel() noexcept;
  [[nodiscard]] bool active() const noexcept;

 private:
  void end() noexcept;
  std::shared_ptr<detail::subscription_state> state_;
};

}  // namespace zkr
