#include "server/session_tracker.hpp"

#include <algorithm>

#include "server/owner.hpp"

namespace zkr::backend {

namespace {
constexpr std::int64_t reported = -1;
}

std::int64_t session_tracker::bucket_of(time_point deadline) const noexcept {
  const std::int64_t at = deadline.time_since_epoch().count();
  return at / tick_.count() + (at % tick_.count() > 0 ? 1 : 0);
}

void session_tracker::schedule(session& which) {
  which.bucket_ = bucket_of(which.deadline);
  buckets_[which.bucket_].push_back(which.id);
}

session& session_tracker::add(session_id id, duration timeout, time_point now) {
  session& added = sessions_[id];
  added.id = id;
  added.timeout = timeout;
  touch(added, now);
  schedule(added);
  return added;
}

session* session_tracker::find(session_id id) noexcept {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

const session* session_tracker::find(session_id id) const noexcept {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

void session_tracker::remove(session_id id) { sessions_.erase(id); }

void session_tracker::set_timeout(session& which, duration timeout, time_point now) {
  which.timeout = timeout;
  touch(which, now);
  // A later deadline is found when the bucket comes up; an earlier one needs a bucket of its own.
  if (bucket_of(which.deadline) < which.bucket_) schedule(which);
}

std::vector<session_id> session_tracker::take_expired(time_point now, std::size_t most) {
  std::vector<session_id> expired;
  while (!buckets_.empty() && time_point(tick_ * buckets_.begin()->first) <= now) {
    auto& [bucket, due] = *buckets_.begin();
    auto next = due.begin();
    for (; next != due.end() && expired.size() < most; ++next) {
      session* found = find(*next);
      // Closed meanwhile, or moved to an earlier bucket.
      if (found == nullptr || found->bucket_ != bucket) continue;
      if (bucket_of(found->deadline) > bucket) {
        schedule(*found);
      } else {
        found->bucket_ = reported;
        expired.push_back(*next);
      }
    }
    if (next != due.end()) {
      due.erase(due.begin(), next);
      break;
    }
    buckets_.erase(buckets_.begin());
  }
  return expired;
}

std::optional<time_point> session_tracker::next_check() const noexcept {
  if (buckets_.empty()) return std::nullopt;
  return time_point(tick_ * buckets_.begin()->first);
}

// java.util.Random, seeded with the id and Apache's constant: 16 bytes, low byte of each int first.
session_password password_of(session_id id) noexcept {
  constexpr std::uint64_t super_secret = 0xB3415C00;
  constexpr std::uint64_t multiplier = 0x5DEECE66D;
  constexpr std::uint64_t mask = (std::uint64_t{1} << 48U) - 1;
  std::uint64_t seed = ((static_cast<std::uint64_t>(id) ^ super_secret) ^ multiplier) & mask;
  session_password password{};
  std::size_t at = 0;
  while (at < password.size()) {
    seed = (seed * multiplier + 0xB) & mask;
    auto bits = static_cast<std::uint32_t>(seed >> 16U);
    for (int i = 0; i < 4; ++i, bits >>= 8U) password[at++] = static_cast<char>(bits & 0xffU);
  }
  return password;
}

session_id first_session_id(std::int64_t server_number, std::int64_t wall_ms) noexcept {
  const auto clock_bits = static_cast<std::uint64_t>(wall_ms) << 24U >> 8U;
  const auto id = static_cast<session_id>(static_cast<std::uint64_t>(server_number) << 56U | clock_bits);
  return id == container_owner ? id + 1 : id;
}

}  // namespace zkr::backend
