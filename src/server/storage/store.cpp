#include "server/storage/store.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "core/thread.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "server/storage/snapshots.hpp"

namespace zkr::backend {
namespace {

// Of what the last snapshot took: under the heaviest load they cost a fifth of a processor, and a start reads back no
// more than five times what was written meanwhile.
constexpr int rest_after_snapshot = 4;

}  // namespace

result<std::unique_ptr<store>> store::open(std::unique_ptr<file_system> files, store_options options, database& into) {
  auto folder = data_folder::open(*files, options.data_dir, options.log_dir);
  if (!folder) return std::move(folder).error();
  std::unique_ptr<store> opened(new store(std::move(files), std::move(options), *std::move(folder)));
  auto locks = opened->folder_.lock();
  if (!locks) return std::move(locks).error();
  opened->locks_ = *std::move(locks);
  if (auto failed = opened->folder_.remove_leftovers(); !failed) return std::move(failed).error();
  load_options repair;
  repair.at_ends = load_options::ends::repair;
  auto report = load(opened->folder_, into, repair);
  if (!report) return std::move(report).error();
  opened->report_ = *std::move(report);
  // A log alone says nothing: what it is to be applied to comes first.
  if (opened->report_.fresh) {
    if (auto failed = save_snapshot(opened->folder_, into); !failed) return std::move(failed).error();
  }
  opened->since_snapshot_ = opened->report_.transactions;
  opened->figures_.snapshot_zxid = opened->report_.snapshot_zxid;
  opened->durable_ = into.last_zxid();
  return opened;
}

store::store(std::unique_ptr<file_system> files, store_options options, data_folder folder)
    : files_(std::move(files)), options_(std::move(options)), folder_(std::move(folder)), log_(folder_) {}

void store::start(unique_function<void()> durable, unique_function<void(error)> failed,
                  std::function<void(store_event)> happened) {
  on_durable_ = std::move(durable);
  on_failed_ = std::move(failed);
  on_event_ = std::move(happened);
  log_thread_ = detail::start_thread("zkr-log", [this] { write_log(); });
  snapshot_thread_ = detail::start_thread("zkr-snapshot", [this] {
    // Nobody waits for a snapshot: where there are few processors, the others come first.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
    make_snapshots();
  });
}

void store::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_log();
  snapshot_wanted_.notify_one();
  if (log_thread_.joinable()) log_thread_.join();
  if (snapshot_thread_.joinable()) snapshot_thread_.join();
}

void store::append(const transaction& what) {
  if (appended_.count++ == 0) appended_.first = what.header.zxid;
  appended_.last = what.header.zxid;
  const std::size_t start = appended_.entries.size();
  appended_.entries.append(entry_head_bytes, '\0');
  append_payload(appended_.entries, what);
  finish_entry(appended_.entries, start);
  waiting_bytes_ += appended_.entries.size() - start;
}

void store::batch::take(batch& more) {
  if (count == 0) {
    std::swap(*this, more);
  } else {
    entries += more.entries;
    last = more.last;
    count += more.count;
  }
  more.entries.clear();
  more.count = 0;
}

void store::submit() {
  if (appended_.count == 0) return;
  {
    const std::lock_guard lock(mutex_);
    submitted_.take(appended_);
  }
  wake_log();
}

void store::wake_log() noexcept {
  log_wanted_.fetch_add(1, std::memory_order_release);
  log_wanted_.notify_one();
}

journal_figures store::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void store::fail(error why) {
  unique_function<void(error)> tell;
  {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    std::swap(tell, on_failed_);
  }
  wake_log();
  snapshot_wanted_.notify_one();
  if (tell) tell(std::move(why));
}

void store::write_log() {
  batch now;
  while (true) {
    const std::uint32_t seen = log_wanted_.load(std::memory_order_acquire);
    {
      const std::lock_guard lock(mutex_);
      if (failed_ || (stopping_ && submitted_.count == 0)) return;
      if (submitted_.count > 0) now.take(submitted_);
    }
    if (now.count == 0) {
      // Not a condition variable: it would take the lock again and, to free it, call the kernel.
      log_wanted_.wait(seen, std::memory_order_acquire);
      continue;
    }
    if (auto failed = log_.append(now.entries, now.first); !failed) return fail(std::move(failed).error());
    waiting_bytes_ -= now.entries.size();
    {
      const std::lock_guard lock(mutex_);
      figures_.syncs.add(log_.last_sync());
      if (log_.last_sync() > options_.slow_sync) ++figures_.slow_syncs;
    }
    if (log_.last_sync() > options_.slow_sync && on_event_)
      on_event_({store_event::what::disk_was_slow, log_.last_sync()});
    durable_.store(now.last, std::memory_order_release);
    on_durable_();

    since_snapshot_ += now.count;
    if (since_snapshot_ >= options_.snap_count) {
      const std::lock_guard lock(mutex_);
      if (!making_ && boot_clock::now() >= next_snapshot_) {
        making_ = true;
        snapshot_zxid_ = now.last;
        since_snapshot_ = 0;
        // What the snapshot is made of is complete, and not written to any more.
        log_.roll();
        snapshot_wanted_.notify_one();
      }
    }
    now = {};
  }
}

void store::make_snapshots() {
  std::unique_lock lock(mutex_);
  while (true) {
    snapshot_wanted_.wait(lock, [this] { return making_ || stopping_ || failed_; });
    if (stopping_ || failed_) return;
    const std::int64_t zxid = snapshot_zxid_;
    lock.unlock();
    const time_point before = boot_clock::now();
    auto done = snapshot_from_files(folder_, zxid);
    const duration took = boot_clock::now() - before;
    if (done) done = remove_old_files(folder_, options_.snapshots_kept);
    if (!done) return fail(std::move(done).error());
    if (on_event_) on_event_({store_event::what::snapshot_made, took, zxid});
    lock.lock();
    figures_.snapshots.add(took);
    figures_.snapshot_zxid = zxid;
    next_snapshot_ = boot_clock::now() + rest_after_snapshot * took;
    making_ = false;
  }
}

}  // namespace zkr::backend
