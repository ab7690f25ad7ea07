#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

namespace zkr::recipes {

/// Which claims of one client's sessions have found their campaign.
///
/// A campaign whose transaction lost its reply recognises its work by session, data and epoch. Two campaigns of one
/// client that read the same epoch would both recognise it, and both lead: whoever takes the claim here first has it.
///
/// @par Threads  safe from several threads.
class claim_register {
 public:
  /// @return false where another campaign has it.
  [[nodiscard]] bool take(std::int64_t session_id, std::int64_t czxid) {
    const std::lock_guard guard(mutex_);
    return taken_.emplace(session_id, czxid).second;
  }
  /// The node is gone, or its session.
  void drop(std::int64_t session_id, std::int64_t czxid) {
    const std::lock_guard guard(mutex_);
    taken_.erase({session_id, czxid});
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<std::int64_t, std::int64_t>> taken_;
};

}  // namespace zkr::recipes
