#include "zkrecipes/subscription.hpp"

#include <utility>

#include "client/subscription_state.hpp"

namespace zkr {
namespace detail {

bool subscription_state::active() const noexcept {
  const std::scoped_lock lock(mutex_);
  return !cancelled_;
}

bool subscription_state::enter() {
  const std::scoped_lock lock(mutex_);
  if (cancelled_) return false;
  running_on_ = std::this_thread::get_id();
  return true;
}

void subscription_state::leave() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    running_on_ = {};
  }
  idle_.notify_all();
}

void subscription_state::cancel() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(cancelled_, true)) return;
  }
  on_cancel();
}

void subscription_state::cancel_and_wait() noexcept {
  cancel();
  std::unique_lock lock(mutex_);
  if (running_on_ == std::this_thread::get_id()) return;
  idle_.wait(lock, [this] { return running_on_ == std::thread::id(); });
}

}  // namespace detail

subscription::subscription(std::shared_ptr<detail::subscription_state> state) noexcept : state_(std::move(state)) {}
subscription::subscription(subscription&&) noexcept = default;

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}

subscription::~subscription() { end(); }

void subscription::end() noexcept {
  if (const auto state = std::exchange(state_, nullptr)) state->cancel_and_wait();
}

void subscription::cancel() noexcept {
  if (state_) state_->cancel();
}

bool subscription::active() const noexcept { return state_ && state_->active(); }

}  // namespace zkr
