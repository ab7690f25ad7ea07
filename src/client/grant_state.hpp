#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "zkrecipes/operations.hpp"
#include "zkrecipes/scheduler.hpp"

namespace zkr::detail {

/// Until when one session is certain to live. Shared by its grants, which read it without a lock.
struct lease_cell {
  std::atomic<time_point> valid_until{time_point::min()};
};

/// What a grant is: shared by its handle, the lease keeper and the recipe's driver.
class grant_state {
 public:
  struct origin {
    std::string path;
    std::int64_t fencing_token = 0;
    std::string check_path;
    std::int32_t check_version = any_version;
  };
  /// Called by the handle: gives the node back; `done` may be empty.
  using releaser = std::function<void(handler<void> done)>;

  grant_state(origin from, operations client, scheduler& clock, std::shared_ptr<lease_cell> lease,
              std::uint64_t generation, releaser give_back)
      : from_(std::move(from)),
        client_(std::move(client)),
        clock_(clock),
        lease_(std::move(lease)),
        generation_(generation),
        give_back_(std::move(give_back)) {}

  [[nodiscard]] bool held() const noexcept {
    if (ended_.load()) return false;
    if (clock_.now() < lease_->valid_until.load()) return !ended_.load();
    ended_.store(true);  // a renewal that is being written down at this moment comes too late
    return false;
  }
  [[nodiscard]] duration remaining() const noexcept;
  [[nodiscard]] time_point valid_until() const noexcept {
    return ended_.load() ? clock_.now() : lease_->valid_until.load();
  }
  /// For good. @return true for the first to say so.
  bool end() noexcept { return !ended_.exchange(true); }
  [[nodiscard]] bool ended() const noexcept { return ended_.load(); }

  /// Gives it back once; later calls give ownership_lost.
  result<void> release(handler<void> done) noexcept;
  [[nodiscard]] bool released() const noexcept { return released_.load(); }

  // Fired on the loss thread.
  void warn() noexcept { at_risk_.request_stop(); }
  void lose() noexcept {
    at_risk_.request_stop();
    lost_.request_stop();
  }

  [[nodiscard]] const origin& from() const noexcept { return from_; }
  [[nodiscard]] const operations& client() const noexcept { return client_; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] std::stop_token at_risk() const noexcept { return at_risk_.get_token(); }
  [[nodiscard]] std::stop_token lost() const noexcept { return lost_.get_token(); }

 private:
  const origin from_;
  const operations client_;
  scheduler& clock_;
  const std::shared_ptr<lease_cell> lease_;
  const std::uint64_t generation_;
  const releaser give_back_;
  mutable std::atomic<bool> ended_{false};
  std::atomic<bool> released_{false};
  std::stop_source at_risk_;
  std::stop_source lost_;
};

}  // namespace zkr::detail
