#include "server/storage/snapshot_source.hpp"

#include <zlib.h>

#include "server/storage/checksum.hpp"
#include "server/storage/record_codec.hpp"
#include "wire/big_endian.hpp"

namespace zkr::backend {

namespace {
constexpr std::size_t piece_bytes = std::size_t{256} << 10U;
constexpr int gzip_only = 16 + MAX_WBITS;
}  // namespace

struct snapshot_source::unpacker {
  unpacker() { ready = ::inflateInit2(&stream, gzip_only) == Z_OK; }
  ~unpacker() {
    if (ready) ::inflateEnd(&stream);
  }
  unpacker(const unpacker&) = delete;
  unpacker& operator=(const unpacker&) = delete;

  z_stream stream{};
  bool ready = false;
  bool over = false;
};

snapshot_source::snapshot_source(file& from, packing how) : from_(from) {
  if (how == packing::gzip) unpacker_ = std::make_unique<unpacker>();
}
snapshot_source::~snapshot_source() = default;

void snapshot_source::fail(std::string why) {
  if (ok()) problem_ = std::move(why);
}

// Appends the next piece. @return false at the end.
bool snapshot_source::fill() {
  if (unpacker_ != nullptr && (unpacker_->over || !unpacker_->ready)) return false;
  auto piece = from_.read(file_offset_, piece_bytes);
  if (!piece) {
    fail(piece.error().message());
    return false;
  }
  if (piece->empty()) return false;
  file_offset_ += piece->size();
  if (unpacker_ == nullptr) {
    buffer_.append(*piece);
    return true;
  }
  z_stream& stream = unpacker_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(piece->data());
  stream.avail_in = static_cast<uInt>(piece->size());
  std::string room(piece_bytes, '\0');
  do {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int done = ::inflate(&stream, Z_NO_FLUSH);
    buffer_.append(room.data(), room.size() - stream.avail_out);
    if (done == Z_STREAM_END) {
      unpacker_->over = true;
      return true;
    }
    if (done != Z_OK && done != Z_BUF_ERROR) {
      fail("the compressed bytes are damaged");
      return false;
    }
  } while (stream.avail_in > 0 || stream.avail_out == 0);
  return true;
}

bool snapshot_source::have(std::size_t size) {
  if (!ok()) return false;
  if (buffer_.size() - at_ >= size) return true;
  buffer_.erase(0, at_);
  at_ = 0;
  while (buffer_.size() < size) {
    if (!fill()) return false;
  }
  return true;
}

bool snapshot_source::more() { return have(1); }

std::string_view snapshot_source::take(std::size_t size) {
  if (!have(size)) {
    fail("the file ends too early");
    return {};
  }
  const std::string_view bytes = std::string_view(buffer_).substr(at_, size);
  checksum_ = adler32(bytes, checksum_);
  at_ += size;
  taken_ += size;
  return bytes;
}

std::int32_t snapshot_source::int32() {
  const std::string_view bytes = take(4);
  return ok() ? static_cast<std::int32_t>(wire::load_big_endian<std::uint32_t>(bytes.data())) : 0;
}

std::int64_t snapshot_source::int64() {
  const std::string_view bytes = take(8);
  return ok() ? static_cast<std::int64_t>(wire::load_big_endian<std::uint64_t>(bytes.data())) : 0;
}

std::string_view snapshot_source::string() {
  const std::int32_t length = int32();
  if (!ok() || length == -1) return {};
  if (length < 0 || static_cast<std::size_t>(length) > largest_payload_bytes) {
    fail("a string or buffer has an impossible length");
    return {};
  }
  const std::string_view bytes = take(static_cast<std::size_t>(length));
  return ok() ? bytes : std::string_view();
}

}  // namespace zkr::backend
