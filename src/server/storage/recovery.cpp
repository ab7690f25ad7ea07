#include "server/storage/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "server/storage/snapshot.hpp"

namespace zkr::backend {

namespace {

class no_watchers final : public change_sink {
  void created(std::string_view, acl_id, std::string_view, acl_id) override {}
  void removed(std::string_view, acl_id, std::string_view, acl_id) override {}
  void data_changed(std::string_view, acl_id) override {}
};

std::int64_t epoch_of(std::int64_t zxid) noexcept { return zxid >> 32U; }

class loader {
 public:
  loader(const data_folder& from, database& into, load_options options) : from_(from), into_(into), options_(options) {}

  result<recovered> run() {
    const auto snapshots = from_.list_snapshots();
    if (!snapshots) return snapshots.error();
    auto logs = from_.list_logs();
    if (!logs) return std::move(logs).error();
    if (snapshots->empty() && logs->empty()) {
      report_.fresh = true;
      return report_;
    }
    if (snapshots->empty()) {
      return error(errc::io_error, "open", from_.snapshots(),
                   "there are logs, but no snapshot: what they are to be applied to is missing");
    }
    if (auto failed = load_snapshot(*snapshots); !failed) return std::move(failed).error();
    if (auto failed = replay(*std::move(logs)); !failed) return std::move(failed).error();
    return report_;
  }

 private:
  result<void> load_snapshot(const std::vector<data_file>& all) {
    std::optional<error> last;
    for (auto one = all.rbegin(); one != all.rend(); ++one) {
      if (one->zxid > options_.up_to) continue;
      database attempt;
      auto loaded = load_one(*one, attempt);
      if (loaded) {
        into_ = std::move(attempt);
        report_.snapshot = one->path;
        report_.snapshot_zxid = one->zxid;
        return {};
      }
      report_.notes.push_back("skipped a snapshot: " + loaded.error().message());
      last = std::move(loaded).error();
    }
    if (last) return *last;
    return error(errc::io_error, "open", from_.snapshots(), "no snapshot is old enough");
  }

  result<void> load_one(const data_file& which, database& into) {
    const auto opened = from_.files().open(which.path, open_mode::read);
    if (!opened) return opened.error();
    const auto complete = looks_complete(**opened, which.path);
    if (!complete) return complete.error();
    if (!*complete) return error(errc::io_error, "read", which.path, "the snapshot is not complete");
    return read_snapshot(**opened, which.path, which.zxid, into);
  }

  // All that begin behind the snapshot, and the one before them, in which the first of those may stand.
  result<void> replay(std::vector<data_file> logs) {
    const auto behind = std::find_if(logs.begin(), logs.end(),
                                     [this](const data_file& one) { return one.zxid > report_.snapshot_zxid; });
    if (behind != logs.begin()) logs.erase(logs.begin(), std::prev(behind));
    while (!logs.empty() && logs.back().zxid > options_.up_to) logs.pop_back();
    if (auto failed = remove_headless(logs); !failed) return failed;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      if (auto failed = replay(logs[i], i + 1 == logs.size()); !failed) return failed;
    }
    return {};
  }

  bool repairs() const noexcept { return options_.at_ends == load_options::ends::repair; }
  bool reads_over(bool last) const noexcept { return last && options_.at_ends != load_options::ends::keep; }

  result<void> replay(const data_file& log, bool last) {
    const auto opened = from_.files().open(log.path, last && repairs() ? open_mode::write : open_mode::read);
    if (!opened) return opened.error();
    log_reader entries(**opened, log.path);
    if (auto failed = entries.start(); !failed) return failed;
    while (true) {
      const auto payload = entries.next();
      if (!payload) return payload.error();
      if (!*payload) break;
      if (auto failed = apply(log, entries.offset(), **payload); !failed) return failed;
    }
    return check_end(log, **opened, entries, last);
  }

  result<void> apply(const data_file& log, std::uint64_t offset, std::string_view payload) {
    const auto decoded = decode_payload(payload);
    if (!decoded) return damage(log.path, offset, "the entry is none that can be understood");
    const std::int64_t zxid = decoded->what.header.zxid;
    if (zxid <= report_.snapshot_zxid) return {};
    const std::int64_t before = into_.last_zxid();
    if (zxid <= before) {
      return damage(log.path, offset, fmt::format("transaction {:#x} comes after {:#x}", zxid, before));
    }
    // Only a new epoch of an ensemble begins elsewhere than behind the transaction before.
    if (zxid != before + 1 && epoch_of(zxid) == epoch_of(before)) {
      return damage(log.path, offset, fmt::format("transactions {:#x} to {:#x} are missing", before + 1, zxid - 1));
    }
    no_watchers nobody;
    into_.apply(decoded->what, nobody);
    ++report_.transactions;
    return {};
  }

  result<void> check_end(const data_file& log, file& opened, log_reader& entries, bool last) {
    const auto behind = entries.entry_behind();
    if (!behind) return behind.error();
    const std::string what(describe(entries.end()));
    if (*behind) return damage(log.path, entries.offset(), what + ", but there are more behind it");
    if (entries.end() == log_end::clean) return {};
    // Apache leaves a cut entry at the end of a file and goes on in the next: nothing is missing if that one fits on.
    if (!last && entries.end() == log_end::cut) return {};
    if (!reads_over(last)) return damage(log.path, entries.offset(), what);
    const auto size = opened.size();
    if (!size) return size.error();
    if (repairs()) {
      if (auto failed = opened.truncate(entries.offset()); !failed) return failed;
      if (auto failed = opened.sync(); !failed) return failed;
    }
    report_.notes.push_back(fmt::format("cut off {} bytes at byte {} of {}: {}", *size - entries.offset(),
                                        entries.offset(), log.path, what));
    return {};
  }

  // At the end of the list: a server lost its power while it made these files, and nothing was ever in them.
  result<void> remove_headless(std::vector<data_file>& logs) {
    while (!logs.empty() && reads_over(true)) {
      const auto opened = from_.files().open(logs.back().path, open_mode::read);
      if (!opened) return opened.error();
      const auto size = (*opened)->size();
      if (!size) return size.error();
      if (*size >= log_header_bytes) break;
      if (repairs()) {
        if (auto failed = from_.files().remove(logs.back().path); !failed) return failed;
        if (auto failed = from_.files().sync_directory(from_.logs()); !failed) return failed;
      }
      report_.notes.push_back(fmt::format("removed {}: its {} bytes hold nothing", logs.back().path, *size));
      logs.pop_back();
    }
    return {};
  }

  const data_folder& from_;
  database& into_;
  load_options options_;
  recovered report_;
};

}  // namespace

result<recovered> load(const data_folder& from, database& into, load_options options) {
  return loader(from, into, options).run();
}

}  // namespace zkr::backend
