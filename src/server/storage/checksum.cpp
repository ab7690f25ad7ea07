#include "server/storage/checksum.hpp"

#include <zlib.h>

#include "wire/writer.hpp"

namespace zkr::backend {

namespace {
std::uint32_t crc32(std::string_view bytes, std::uint32_t so_far) noexcept {
  return static_cast<std::uint32_t>(::crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}
}  // namespace

std::uint32_t adler32(std::string_view bytes, std::uint32_t so_far) noexcept {
  if (bytes.empty()) return so_far;
  return static_cast<std::uint32_t>(::adler32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint64_t digest_of(const node& one) {
  const std::string_view path = one.parent == nullptr ? std::string_view() : one.path;
  if (path.substr(0, 11) == "/zookeeper/") return 0;
  std::string numbers;
  wire::writer to(numbers);
  // In another order than in a snapshot.
  to.int64(one.czxid);
  to.int64(one.mzxid);
  to.int64(one.pzxid);
  to.int64(one.ctime);
  to.int64(one.mtime);
  to.int32(one.version);
  to.int32(one.creations);
  to.int32(one.aversion);
  to.int64(one.owner);
  std::uint32_t sum = 0;
  // zlib takes an empty view's null for "start anew".
  if (!path.empty()) sum = crc32(path, sum);
  if (!one.data.empty()) sum = crc32(one.data, sum);
  return crc32(numbers, sum);
}

std::uint64_t digest_of(const tree& nodes) {
  std::uint64_t sum = 0;
  walk(nodes, [&](const node& one) { sum += digest_of(one); });
  return sum;
}

}  // namespace zkr::backend
