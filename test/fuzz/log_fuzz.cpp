#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/loaded_state.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage/snapshots.hpp"
#include "server/storage_workload.hpp"
#include "wire/big_endian.hpp"

// A transaction log that nobody should find on a disk. It is loaded or refused; what was loaded is good for a server, and
// comes back the same.
namespace {

using namespace zkr;
using namespace zkr::backend;
using namespace zkr::testing;

constexpr std::size_t zxid_at = 12;  // in a payload

/// Payloads out of the input's bytes, numbered as the reader wants them.
std::vector<std::string> raw_payloads(FuzzedDataProvider& input) {
  std::vector<std::string> payloads;
  while (input.remaining_bytes() > 0) {
    std::string one = input.ConsumeRandomLengthString();
    if (one.size() >= zxid_at + 8) wire::store_big_endian(one.data() + zxid_at, std::uint64_t{payloads.size() + 1});
    payloads.push_back(std::move(one));
  }
  return payloads;
}

/// What a server would have written, with a few bytes changed.
std::vector<std::string> damaged_payloads(FuzzedDataProvider& input) {
  const auto requests = input.ConsumeIntegralInRange<std::size_t>(1, 40);
  auto payloads = random_history(
      requests, [&](std::size_t bound) { return input.ConsumeIntegralInRange<std::size_t>(0, bound - 1); });
  for (std::string& one : payloads) damage(one, input);
  return payloads;
}

std::string log_of(FuzzedDataProvider& input) {
  enum class form { bytes, raw, damaged, damaged_entries, kMaxValue = damaged_entries };
  const auto how = input.ConsumeEnum<form>();
  std::string log(log_header());
  switch (how) {
    case form::bytes: return input.ConsumeRemainingBytesAsString();
    case form::raw: return log + entries_of(raw_payloads(input));
    case form::damaged: return log + entries_of(damaged_payloads(input));
    case form::damaged_entries: break;
  }
  log += entries_of(damaged_payloads(input));
  damage(log, input);
  log.resize(input.ConsumeIntegralInRange<std::size_t>(0, log.size() + 40));
  return log;
}

result<recovered> load_with(const data_folder& folder, load_options::ends ends, database& into) {
  load_options options;
  options.at_ends = ends;
  return load(folder, into, options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  disk_in_memory disk;
  save_snapshot(disk.folder, database()).value();
  const std::string path = disk.folder.log_path(1);
  disk.write(path, log_of(input));
  const std::string before = disk.read(path);

  database untouched;
  const bool sound = load_with(disk.folder, load_options::ends::keep, untouched).has_value();
  if (disk.read(path) != before) give_up("a file was changed that was only to be read");
  database repaired;
  const auto report = load_with(disk.folder, load_options::ends::repair, repaired);
  if (!report) {
    if (sound) give_up("what can be read needs no repair: " + report.error().message());
    return 0;
  }
  if (sound && (!report->notes.empty() || fingerprint(untouched) != fingerprint(repaired))) {
    give_up("a repair of what was sound");
  }
  database again;
  const auto second = load_with(disk.folder, load_options::ends::keep, again);
  if (!second) give_up("after the repair: " + second.error().message());
  if (fingerprint(again) != fingerprint(repaired)) give_up("another state at the second time");
  expect_usable(std::move(repaired));
  return 0;
}
