#pragma once

#include <cstddef>
#include <cstdint>

#include "server/timing.hpp"
#include "server/transaction.hpp"

namespace zkr::backend {

/// What a journal has done since it was opened.
struct journal_figures {
  timing syncs;
  std::uint64_t slow_syncs = 0;    ///< Longer than an operator was promised.
  timing snapshots;                ///< Those made while it ran.
  std::int64_t snapshot_zxid = 0;  ///< Of the newest one.
};

/// Where transactions go so that they outlive the process. What reflects one of them must not be shown to anybody before
/// `durable` has reached it.
class journal {
 public:
  virtual ~journal() = default;

  /// Takes the next transaction. Its views need not stay.
  virtual void append(const transaction& what) = 0;
  /// What was appended so far may be written now.
  virtual void submit() = 0;
  /// All transactions up to this one are on the disk.
  [[nodiscard]] virtual std::int64_t durable() const noexcept = 0;
  /// So much waits to be written that nothing more should be asked for.
  [[nodiscard]] virtual bool is_behind() const noexcept { return false; }
  [[nodiscard]] virtual journal_figures figures() const { return {}; }

 protected:
  journal() = default;
  journal(const journal&) = default;
  journal& operator=(const journal&) = default;
};

/// Largest record, in bytes, that goes into a journal: what Apache's readers take, less room for headers.
inline constexpr std::size_t largest_record_bytes = 2'000'000;

}  // namespace zkr::backend
