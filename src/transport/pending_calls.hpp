#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "transport/c_library.hpp"
#include "zkrecipes/clock.hpp"

namespace zkr::transport {

/// A request that the C library has and has not answered: what a completion's `data` points to.
///
/// Guarded by the session's mutex, but for `session`, by which a completion finds that mutex.
struct pending_call {
  std::atomic<c_session*> session{nullptr};
  std::uint64_t ticket = 0;  ///< Grows by one a call; 0: not in use.
  enum class kind : std::uint8_t { request, auth, probe } what = kind::request;
  bool in_library = false;
  std::uint64_t id = 0;  ///< The submitter's.
  c_handle* handle = nullptr;
  time_point submitted;
  std::unique_ptr<multi_call> multi;  ///< What the library writes a transaction's results into.
  /// Set when all of `multi` is prepared, read before anything else of it. The library's own locks order the two as
  /// well, but the thread sanitizer is told to look past what the library does.
  std::atomic<bool> prepared{false};
  pending_call* next_free = nullptr;
};

/// All of a session's pending calls. Addresses stay valid for the table's life; the library forgets calls when it is
/// closed (ZOOKEEPER-3868), so they are never its to free. Not synchronised.
class pending_calls {
 public:
  explicit pending_calls(c_session& session) : session_(session) {}

  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

  pending_call& acquire() {
    auto* call = free_;
    if (call != nullptr) {
      free_ = call->next_free;
    } else {
      call = &all_.emplace_back();
      call->session.store(&session_, std::memory_order_release);
    }
    call->ticket = ++last_ticket_;
    call->what = pending_call::kind::request;
    call->in_library = false;
    ++in_use_;
    return *call;
  }

  void release(pending_call& call) noexcept {
    retire(call);
    call.next_free = free_;
    free_ = &call;
  }

  /// As release(), but the place is never used again: a completion may come for it nevertheless.
  void retire(pending_call& call) noexcept {
    call.multi.reset();
    call.ticket = 0;
    --in_use_;
  }

  /// The calls of one handle, in order of submission.
  [[nodiscard]] std::vector<pending_call*> of(const c_handle& handle) {
    std::vector<pending_call*> found;
    for (auto& call : all_) {
      if (call.ticket != 0 && call.handle == &handle) found.push_back(&call);
    }
    std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->ticket < b->ticket; });
    return found;
  }

 private:
  c_session& session_;
  std::deque<pending_call> all_;
  pending_call* free_ = nullptr;
  std::uint64_t last_ticket_ = 0;
  std::size_t in_use_ = 0;
};

}  // namespace zkr::transport
