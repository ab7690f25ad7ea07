#include "client/lease.hpp"

#include <algorithm>

namespace zkr::detail {

using std::chrono::milliseconds;

void lease::history::add(const link& one, duration least_step) noexcept {
  if (size_ > 0) {
    const link& last = links_[size_ - 1];
    if (one.touched <= last.touched) return;              // proves no more than what stands here
    if (one.touched - last.touched < least_step) return;  // too close to be worth a place
  }
  if (size_ == kept) {
    std::move(links_.begin() + 1, links_.end(), links_.begin());
    --size_;
  }
  links_[size_++] = one;
}

time_point lease::history::best(time_point limit) const noexcept {
  for (std::size_t i = size_; i > 0; --i) {
    if (links_[i - 1].acked <= limit) return links_[i - 1].touched;
  }
  return time_point::min();
}

void lease::adopt(const settings& rules) noexcept {
  const auto smallest = rules_.timeout == duration::zero() ? rules.timeout : std::min(rules_.timeout, rules.timeout);
  rules_ = rules;
  rules_.timeout = smallest;
  rules_.margin = std::max(rules_.margin, rules_.timeout / 10);
  requests_.clear();
  firsts_.clear();
}

void lease::extend(time_point touched) noexcept {
  if (touched == time_point::min()) return;
  valid_until_ = std::max(valid_until_, touched + rules_.timeout - rules_.margin);
}

void lease::session_created(const settings& rules, time_point handshake_submitted) noexcept {
  adopt(rules);
  reattach_submitted_ = time_point::min();
  extend(handshake_submitted);
}

void lease::reattached(const settings& rules, time_point handshake_submitted) noexcept {
  adopt(rules);
  reattach_submitted_ = handshake_submitted;
}

void lease::disconnected() noexcept {
  requests_.clear();
  firsts_.clear();
  reattach_submitted_ = time_point::min();
}

void lease::request_acked(time_point submitted, time_point received) noexcept {
  requests_.add({submitted, received}, rules_.timeout / 32);
}

void lease::transaction_acked(time_point submitted, time_point received) noexcept {
  if (reattach_submitted_ != time_point::min()) {
    extend(reattach_submitted_);
    reattach_submitted_ = time_point::min();
  }
  extend(firsts_.best(submitted));                                                                 // as k2
  if (const auto touched = requests_.best(submitted - spacing()); touched != time_point::min()) {  // as k1
    if (rules_.follower_drops_early) {
      extend(touched);
    } else {
      firsts_.add({touched, received}, duration(1));
    }
  }
  request_acked(submitted, received);  // as j
}

duration lease::spacing() const noexcept {
  return rules_.timeout / (rules_.tick_is_quarter ? 8 : 4) + milliseconds(20);
}

bool lease::transaction_extends(time_point now) const noexcept {
  const auto touched = std::max(reattach_submitted_, firsts_.best(now));
  return touched != time_point::min() && touched + rules_.timeout - rules_.margin > valid_until_;
}

bool lease::link_ready(time_point now, time_point beyond) const noexcept {
  const auto reaches = [&](time_point touched) {
    return touched != time_point::min() && touched + rules_.timeout - rules_.margin > beyond;
  };
  return reaches(reattach_submitted_) || reaches(firsts_.best(now)) || reaches(requests_.best(now - spacing()));
}

}  // namespace zkr::detail
