#include "zkrecipes/grant.hpp"

#include <algorithm>

#include "client/grant_state.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr {
namespace detail {

duration grant_state::remaining() const noexcept {
  if (!held()) return duration::zero();
  return std::max(lease_->valid_until.load() - clock_.now(), duration::zero());
}

result<void> grant_state::release(handler<void> done) noexcept {
  const bool was_held = held();
  const bool first = !released_.exchange(true);
  ended_.store(true);
  const error ended(errc::ownership_lost, "release", from_.path);
  if (first && was_held) {
    give_back_(std::move(done));
    return {};
  }
  // Also of a grant that has ended: whatever is left of it on the server goes now.
  if (first) give_back_({});
  if (done) {
    recipes::run_handler(client_, [done = std::move(done), ended]() mutable { done(ended); });
  }
  return ended;
}

}  // namespace detail

grant::grant(std::shared_ptr<detail::grant_state> state) noexcept : state_(std::move(state)) {}
grant::grant(grant&&) noexcept = default;

grant& grant::operator=(grant&& other) noexcept {
  if (this != &other) {
    if (state_) (void)release();
    state_ = std::move(other.state_);
  }
  return *this;
}

grant::~grant() {
  if (state_) (void)release();
}

bool grant::held() const noexcept { return state_ && state_->held(); }
duration grant::remaining() const noexcept { return state_ ? state_->remaining() : duration::zero(); }
time_point grant::valid_until() const noexcept { return state_ ? state_->valid_until() : time_point::min(); }
std::stop_token grant::at_risk() const noexcept { return state_ ? state_->at_risk() : std::stop_token(); }
std::stop_token grant::lost() const noexcept { return state_ ? state_->lost() : std::stop_token(); }
std::int64_t grant::fencing_token() const noexcept { return state_ ? state_->from().fencing_token : 0; }

const std::string& grant::path() const noexcept {
  static const std::string none;
  return state_ ? state_->from().path : none;
}

result<void> grant::release() noexcept {
  if (!state_) return error(errc::ownership_lost, "release");
  return state_->release({});
}

result<void> grant::release(call_options wait) {
  if (!state_) return error(errc::ownership_lost, "release");
  return recipes::block_on<void>(state_->client(), "release", [&](handler<void> done) {
    recipes::limit(state_->client(), "release", std::move(done), wait,
                   [&](handler<void> limited) { (void)state_->release(std::move(limited)); });
  });
}

void grant::async_release(unique_function<void(result<void>)> done) {
  if (!state_) return;
  (void)state_->release([client = state_->client(), done = std::move(done)](result<void> verdict) mutable {
    recipes::run_handler(client, [done = std::move(done), verdict = std::move(verdict)]() mutable { done(verdict); });
  });
}

}  // namespace zkr
