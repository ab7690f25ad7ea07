#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/journal.hpp"
#include "server/storage/log_writer.hpp"
#include "server/storage/recovery.hpp"
#include "zkrecipes/unique_function.hpp"

namespace zkr::backend {

struct store_options {
  std::string data_dir;
  std::string log_dir;                           ///< Empty: the same.
  std::uint64_t snap_count = 100'000;            ///< A snapshot after so many transactions, or a little later. > 0.
  std::size_t snapshots_kept = 3;                ///< > 0.
  duration slow_sync = std::chrono::seconds(1);  ///< Of a sync that takes longer, an operator is told.
};

/// What an operator should know of.
struct store_event {
  enum class what { disk_was_slow, snapshot_made } kind;
  duration took;
  std::int64_t zxid = 0;  ///< Of the snapshot.
};

/// A data folder in use: a journal that writes on a thread of its own, and makes snapshots on another.
///
/// Transactions that are submitted while others are being written wait, and go to the disk together. The first error
/// ends it: nothing is durable any more, nothing is tried again.
///
/// @par Threads  `append`, `submit`: one. The others: any.
class store final : public journal {
 public:
  /// Locks the folder and loads what it holds into `into`, which must be new. A folder without data gets its first
  /// snapshot.
  /// @par Errors  io_error: names the file and, for damage, the place.
  static result<std::unique_ptr<store>> open(std::unique_ptr<file_system> files, store_options options, database& into);
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  ~store() override { stop(); }

  [[nodiscard]] const recovered& report() const noexcept { return report_; }
  [[nodiscard]] const data_folder& folder() const noexcept { return folder_; }

  /// Starts the threads, which call these: `durable` whenever it has moved, `failed` once, after which there is silence.
  /// `happened` is called on any of them.
  void start(unique_function<void()> durable, unique_function<void(error)> failed,
             std::function<void(store_event)> happened = {});
  /// Writes what was submitted, waits for a snapshot that is being made, ends the threads.
  void stop() noexcept;

  void append(const transaction& what) override;
  void submit() override;
  [[nodiscard]] std::int64_t durable() const noexcept override { return durable_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_behind() const noexcept override { return waiting_bytes_ > most_waiting_bytes; }
  /// @par Threads  any.
  [[nodiscard]] journal_figures figures() const override;

 private:
  static constexpr std::size_t most_waiting_bytes = std::size_t{16} << 20U;

  /// Entries one behind the other, and which they are.
  struct batch {
    std::string entries;
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::uint64_t count = 0;
    void take(batch& more);
  };

  store(std::unique_ptr<file_system> files, store_options options, data_folder folder);
  void wake_log() noexcept;
  void write_log();
  void make_snapshots();
  void fail(error why);

  std::unique_ptr<file_system> files_;
  const store_options options_;
  const data_folder folder_;
  std::vector<std::unique_ptr<folder_lock>> locks_;
  recovered report_;
  unique_function<void()> on_durable_;
  std::function<void(store_event)> on_event_;
  unique_function<void(error)> on_failed_;  // guarded by mutex_: called once
  batch appended_;                          // of the thread that appends
  std::atomic<std::int64_t> durable_{0};
  std::atomic<std::size_t> waiting_bytes_{0};

  std::atomic<std::uint32_t> log_wanted_{0};  // moves when the log's thread has to look; not the other's affair

  mutable std::mutex mutex_;
  std::condition_variable snapshot_wanted_;
  batch submitted_;                   // guarded by mutex_
  bool stopping_ = false;             // guarded by mutex_
  bool failed_ = false;               // guarded by mutex_
  bool making_ = false;               // guarded by mutex_: a snapshot is wanted or being made
  std::int64_t snapshot_zxid_ = 0;    // guarded by mutex_
  time_point next_snapshot_{};        // guarded by mutex_: none before
  journal_figures figures_;           // guarded by mutex_
  std::uint64_t since_snapshot_ = 0;  // of the log's thread
  log_writer log_;                    // of the log's thread
  std::thread log_thread_;
  std::thread snapshot_thread_;
};

}  // namespace zkr::backend
