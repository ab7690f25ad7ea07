#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "zkrecipes/clock.hpp"

namespace zkr::backend {

using session_id = std::int64_t;

/// One client's session, as far as time and connections are concerned.
struct session {
  session_id id = 0;
  duration timeout{};
  time_point deadline;           ///< When it is over unless something is heard before.
  std::uint64_t connection = 0;  ///< Where its client is now; 0: nowhere.

 private:
  friend class session_tracker;
  std::int64_t bucket_ = 0;
};

/// Which sessions live, and which are over. Deadlines are looked at in buckets one tick wide, so that a session ends at
/// its deadline or at most one tick later, and that neither hearing from a session nor a tick costs anything for the
/// others. Pure: no clock.
class session_tracker {
 public:
  explicit session_tracker(duration tick) : tick_(tick) {}

  session& add(session_id id, duration timeout, time_point now);
  /// The session while it lives; the address holds until then.
  [[nodiscard]] session* find(session_id id) noexcept;
  [[nodiscard]] const session* find(session_id id) const noexcept;
  void remove(session_id id);

  /// Something was heard: the deadline is one time-out away.
  void touch(session& which, time_point now) noexcept { which.deadline = now + which.timeout; }
  /// A client came back and negotiated anew.
  void set_timeout(session& which, duration timeout, time_point now);

  /// Sessions whose time is over, oldest deadline first, and not more than `most`: the others can still be heard from.
  /// They stay until `remove`; each is reported once.
  [[nodiscard]] std::vector<session_id> take_expired(time_point now, std::size_t most = static_cast<std::size_t>(-1));
  /// When to ask next.
  [[nodiscard]] std::optional<time_point> next_check() const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }
  [[nodiscard]] const std::unordered_map<session_id, session>& all() const noexcept { return sessions_; }

 private:
  [[nodiscard]] std::int64_t bucket_of(time_point deadline) const noexcept;
  void schedule(session& which);

  duration tick_;
  std::unordered_map<session_id, session> sessions_;
  std::map<std::int64_t, std::vector<session_id>> buckets_;
};

using session_password = std::array<char, 16>;

/// Apache's derivation: a data folder that moves keeps its clients' passwords valid. Not a secret for anyone who has
/// read Apache's source; it keeps honest clients apart.
[[nodiscard]] session_password password_of(session_id id) noexcept;
[[nodiscard]] inline std::string_view view(const session_password& password) noexcept {
  return {password.data(), password.size()};
}

/// The first id that a server hands out, as Apache makes it: its number in the top byte, then bits of the clock.
[[nodiscard]] session_id first_session_id(std::int64_t server_number, std::int64_t wall_ms) noexcept;

}  // namespace zkr::backend
