#pragma once

#include <memory>
#include <vector>

#include "client/call.hpp"

namespace zkr::detail {

/// The requests that a transport holds, by the numbers under which it answers. Not synchronised.
class in_flight_table {
 public:
  std::uint64_t add(std::shared_ptr<call> one) {
    if (one->internal) {
      ++internal_;
    } else {
      ++users_;
    }
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    auto& place = slots_[index];
    place.internal = one->internal;
    place.used = true;
    place.what = std::move(one);
    return std::uint64_t{place.turn} << 32U | index;
  }

  /// Ends a number's use. @return the call, or nothing where the number is not in use.
  std::shared_ptr<call> take(std::uint64_t id) {
    const auto index = static_cast<std::uint32_t>(id);
    if (index >= slots_.size() || !slots_[index].used || slots_[index].turn != id >> 32U) return nullptr;
    auto& place = slots_[index];
    place.used = false;
    ++place.turn;
    free_.push_back(index);
    --(place.internal ? internal_ : users_);
    return std::move(place.what);
  }

  /// Ends the use of all numbers. @return the calls, in the order in which they were sent as far as that is known.
  std::vector<std::shared_ptr<call>> take_all() {
    std::vector<std::shared_ptr<call>> all;
    for (std::uint32_t index = 0; index < slots_.size(); ++index) {
      if (slots_[index].used) all.push_back(take(std::uint64_t{slots_[index].turn} << 32U | index));
    }
    return all;
  }

  template <typename Visitor>
  void for_each(Visitor&& visit) const {
    for (const auto& place : slots_) {
      if (place.used && place.what) visit(place.what);
    }
  }

  [[nodiscard]] std::size_t users() const noexcept { return users_; }
  [[nodiscard]] std::size_t internal() const noexcept { return internal_; }

 private:
  struct slot {
    std::shared_ptr<call> what;
    std::uint32_t turn = 1;
    bool used = false;
    bool internal = false;
  };
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t users_ = 0;
  std::size_t internal_ = 0;
};

}  // namespace zkr::detail
