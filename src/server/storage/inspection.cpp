#include "server/storage/inspection.hpp"

#include <algorithm>

#include "server/storage/log_file.hpp"
#include "server/storage/record_codec.hpp"
#include "server/storage/snapshot.hpp"

namespace zkr::backend {

namespace {

using condition = file_report::condition;
using visitor = unique_function<void(const transaction&)>;

constexpr int most_attempts = 5;

void spoil(file_report& report, condition how, std::string problem) {
  report.state = how;
  report.problem = std::move(problem);
}

result<std::unique_ptr<file>> open(const data_folder& folder, file_report& report) {
  auto opened = folder.files().open(report.file.path, open_mode::read);
  if (!opened) return opened;
  const auto size = (*opened)->size();
  if (!size) return size.error();
  report.bytes = *size;
  return opened;
}

result<void> read(const data_folder& folder, file_report& snapshot) {
  const auto opened = open(folder, snapshot);
  if (!opened) return opened.error();
  const auto complete = looks_complete(**opened, snapshot.file.path);
  if (!complete) return complete.error();
  if (!*complete) return error(errc::io_error, "read", snapshot.file.path, "it is not complete");
  database held;
  if (auto failed = read_snapshot(**opened, snapshot.file.path, snapshot.file.zxid, held); !failed) return failed;
  snapshot.sessions = held.sessions().size();
  snapshot.nodes = held.nodes().size();
  return {};
}

enum class place { last, before_others };

result<void> read(const data_folder& folder, file_report& log, place where, visitor& visit) {
  const auto opened = open(folder, log);
  if (!opened) return opened.error();
  log_reader entries(**opened, log.file.path);
  if (auto failed = entries.start(); !failed) {
    if (where == place::before_others || log.bytes >= log_header_bytes) return failed;
    spoil(log, condition::torn, failed.error().detail());
    return {};
  }
  while (true) {
    const auto payload = entries.next();
    if (!payload) return payload.error();
    if (!*payload) break;
    const auto decoded = decode_payload(**payload);
    if (!decoded) return damage(log.file.path, entries.offset(), "the entry is none that can be understood");
    if (log.transactions++ == 0) log.first_zxid = decoded->what.header.zxid;
    log.last_zxid = decoded->what.header.zxid;
    visit(decoded->what);
  }
  const auto behind = entries.entry_behind();
  if (!behind) return behind.error();
  const std::string what(describe(entries.end()));
  if (*behind) return damage(log.file.path, entries.offset(), what + ", but there are more behind it");
  if (entries.end() == log_end::clean) return {};
  auto end = damage(log.file.path, entries.offset(), what);
  if (where == place::before_others && entries.end() != log_end::cut) return end;
  spoil(log, condition::torn, end.detail());
  return {};
}

}  // namespace

result<std::vector<file_report>> visit_log(const data_folder& folder, visitor visit) {
  const auto files = folder.list_logs();
  if (!files) return files.error();
  std::vector<file_report> logs;
  for (const data_file& one : *files) {
    logs.emplace_back().file = one;
    // What is wrong with the file itself comes up when it is read.
    static_cast<void>(open(folder, logs.back()));
  }
  // A start removes last logs without a header; the one before them is the last then.
  auto last = logs.size();
  while (last > 1 && logs[last - 1].bytes < log_header_bytes) --last;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const auto where = i + 1 >= last ? place::last : place::before_others;
    if (auto failed = read(folder, logs[i], where, visit); !failed) {
      spoil(logs[i], condition::damaged, failed.error().detail());
    }
  }
  return logs;
}

namespace {

result<folder_report> inspect_once(const data_folder& folder) {
  folder_report report;
  const auto snapshots = folder.list_snapshots();
  if (!snapshots) return snapshots.error();
  for (const data_file& one : *snapshots) {
    file_report& snapshot = report.snapshots.emplace_back();
    snapshot.file = one;
    if (auto failed = read(folder, snapshot); !failed) {
      spoil(snapshot, condition::damaged, failed.error().detail());
    }
  }
  auto logs = visit_log(folder, [](const transaction&) {});
  if (!logs) return std::move(logs).error();
  report.logs = *std::move(logs);
  load_options options;
  options.at_ends = load_options::ends::foresee;
  report.start = load(folder, report.state, options);
  return report;
}

}  // namespace

bool folder_report::is_sound() const {
  const auto damaged = [](const file_report& one) { return one.state == condition::damaged; };
  return start.has_value() && std::none_of(snapshots.begin(), snapshots.end(), damaged) &&
         std::none_of(logs.begin(), logs.end(), damaged);
}

result<folder_report> inspect(const data_folder& folder) {
  for (int attempt = 1;; ++attempt) {
    const auto before = folder.files().list(folder.snapshots());
    if (!before) return before.error();
    auto report = inspect_once(folder);
    if ((report && report->is_sound()) || attempt == most_attempts) return report;
    const auto after = folder.files().list(folder.snapshots());
    if (!after) return after.error();
    if (*before == *after) return report;
  }
}

}  // namespace zkr::backend
