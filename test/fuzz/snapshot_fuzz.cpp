#include <zlib.h>

#include <cstdint>
#include <string>

#include "fuzz/loaded_state.hpp"
#include "server/storage/checksum.hpp"
#include "server/storage/recovery.hpp"
#include "server/storage/snapshots.hpp"
#include "server/storage_workload.hpp"
#include "wire/writer.hpp"

// A snapshot that nobody should find on a disk. It is loaded or refused; what was loaded is good for a server, and comes
// back the same.
namespace {

using namespace zkr;
using namespace zkr::backend;
using namespace zkr::testing;

constexpr std::size_t header_bytes = 16;
// zxid, version, digest; and each seal: a checksum and "/".
constexpr std::size_t seal_bytes = 13;
constexpr std::size_t tail_bytes = seal_bytes + 20 + seal_bytes;

std::string snapshot_of(const database& state) {
  disk_in_memory disk;
  save_snapshot(disk.folder, state).value();
  return disk.read(disk.folder.snapshot_path(state.last_zxid()));
}

void seal(std::string& bytes) {
  wire::writer to(bytes);
  to.int64(adler32(bytes));
  to.string("/");
}

/// Behind the nodes: what makes a snapshot of it, with checksums that fit.
std::string sealed(std::string bytes, FuzzedDataProvider& input) {
  seal(bytes);
  if (input.ConsumeBool()) return bytes;
  bytes += input.ConsumeRandomLengthString(40);
  seal(bytes);
  return bytes;
}

std::string damaged(FuzzedDataProvider& input) {
  const auto requests = input.ConsumeIntegralInRange<std::size_t>(1, 40);
  std::string bytes = snapshot_of(replayed(random_history(
      requests, [&](std::size_t bound) { return input.ConsumeIntegralInRange<std::size_t>(0, bound - 1); })));
  bytes.resize(bytes.size() - tail_bytes);
  damage(bytes, input);
  return bytes;
}

std::string gzip(std::string bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) give_up("no zlib");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string bytes_of(FuzzedDataProvider& input) {
  enum class form { bytes, sealed_bytes, damaged_and_sealed, kMaxValue = damaged_and_sealed };
  switch (input.ConsumeEnum<form>()) {
    case form::bytes: return input.ConsumeRemainingBytesAsString();
    case form::sealed_bytes: {
      const std::string body = input.ConsumeRandomLengthString();
      return sealed(snapshot_of(database()).substr(0, header_bytes) + body, input);
    }
    case form::damaged_and_sealed: break;
  }
  return sealed(damaged(input), input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  enum class packing { none, damaged_gzip, gzip, kMaxValue = gzip };
  const auto how = input.ConsumeEnum<packing>();
  std::string bytes = bytes_of(input);
  std::string path = "/d/version-2/snapshot.1000";
  if (how != packing::none) {
    bytes = gzip(std::move(bytes));
    path += ".gz";
    if (how == packing::damaged_gzip) damage(bytes, input);
  }
  disk_in_memory disk;
  disk.write(path, bytes);
  database loaded;
  const auto report = load(disk.folder, loaded);
  if (!report) return 0;
  if (loaded.last_zxid() != 0x1000) give_up("the name says the zxid");
  expect_usable(std::move(loaded));
  return 0;
}
