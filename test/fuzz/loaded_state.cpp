#include "fuzz/loaded_state.hpp"

#include <cstdio>
#include <cstdlib>

#include "server/processor.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage/snapshots.hpp"
#include "server/storage_workload.hpp"

namespace zkr::testing {

using namespace backend;

void give_up(std::string_view why) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(why.size()), why.data());
  std::abort();
}

void expect_usable(database loaded) {
  disk_in_memory disk;
  if (!save_snapshot(disk.folder, loaded)) give_up("no snapshot could be made");
  database again;
  if (const auto failed = load(disk.folder, again); !failed)
    give_up("a snapshot of our own: " + failed.error().message());
  if (fingerprint(again) != fingerprint(loaded)) {
    give_up("came back as " + fingerprint(again) + "\ninstead of " + fingerprint(loaded));
  }
  const instant start{time_point(std::chrono::hours(1)), 1'700'000'000'000};
  processor server({}, start, std::move(loaded));
  server.remove_orphans(start);
  server.tick({start.now + std::chrono::hours(1000), start.wall_ms});
  if (!server.state().sessions().empty()) give_up("sessions are left");
  if (server.state().nodes().ephemerals() != 0) give_up("ephemeral nodes are left");
}

void damage(std::string& bytes, FuzzedDataProvider& input) {
  for (auto left = input.ConsumeIntegralInRange(0, 4); left > 0 && !bytes.empty(); --left) {
    bytes[input.ConsumeIntegralInRange<std::size_t>(0, bytes.size() - 1)] = input.ConsumeIntegral<char>();
  }
}

}  // namespace zkr::testing
