#include "server/storage/log_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "server/storage/checksum.hpp"
#include "server/storage/record_codec.hpp"
#include "wire/big_endian.hpp"

namespace zkr::backend {

namespace {

constexpr char end_byte = 'B';
constexpr std::size_t payload_header_bytes = 32;
constexpr std::size_t window_bytes = std::size_t{1} << 20U;

bool all_zero(std::string_view bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](char one) { return one == 0; });
}

std::uint64_t checksum_in(std::string_view head) noexcept { return wire::load_big_endian<std::uint64_t>(head.data()); }
std::uint32_t length_in(std::string_view head) noexcept {
  return wire::load_big_endian<std::uint32_t>(head.data() + 8);
}

}  // namespace

std::string_view log_header() noexcept {
  static constexpr char bytes[] = {'Z', 'K', 'L', 'G', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0};
  return {bytes, sizeof bytes};
}

void finish_entry(std::string& to, std::size_t start) {
  const std::string_view payload = std::string_view(to).substr(start + entry_head_bytes);
  wire::store_big_endian(to.data() + start, std::uint64_t{adler32(payload)});
  wire::store_big_endian(to.data() + start + 8, static_cast<std::uint32_t>(payload.size()));
  to.push_back(end_byte);
}

error damage(const std::string& path, std::uint64_t offset, const std::string& what) {
  return error(errc::io_error, "read", path, fmt::format("at byte {}: {}", offset, what));
}

std::string_view describe(log_end how) noexcept {
  switch (how) {
    case log_end::clean: break;
    case log_end::cut: return "the entry is not complete";
    case log_end::bad_checksum: return "the entry's checksum does not fit";
    case log_end::bad_length: return "no entry is that long";
  }
  return "no entry";
}

result<void> log_reader::start() {
  const auto size = from_.size();
  if (!size) return size.error();
  size_ = *size;
  const auto head = view(0, log_header_bytes);
  if (!head) return head.error();
  if (head->size() < log_header_bytes) return damage(path_, head->size(), "the file ends inside of its header");
  // Apache looks at the magic number alone.
  if (head->substr(0, 4) != log_header().substr(0, 4)) return damage(path_, 0, "this is not a transaction log");
  return {};
}

// A part of the file, shorter at its end; kept in pieces of a megabyte.
result<std::string_view> log_reader::view(std::uint64_t offset, std::size_t size) {
  const bool held = offset >= window_at_ && offset + size <= window_at_ + window_.size();
  if (!held) {
    auto bytes = from_.read(offset, std::max(size, window_bytes));
    if (!bytes) return std::move(bytes).error();
    window_ = *std::move(bytes);
    window_at_ = offset;
  }
  return std::string_view(window_).substr(static_cast<std::size_t>(offset - window_at_), size);
}

result<std::optional<std::string_view>> log_reader::next() {
  const auto over = [this](log_end how) {
    end_ = how;
    return std::optional<std::string_view>();
  };
  offset_ = next_;
  const auto head = view(offset_, entry_head_bytes);
  if (!head) return head.error();
  if (head->size() < entry_head_bytes) return over(all_zero(*head) ? log_end::clean : log_end::cut);
  const std::uint64_t checksum = checksum_in(*head);
  const std::uint32_t length = length_in(*head);
  if (length == 0) return over(checksum == 0 ? log_end::clean : log_end::cut);
  if (length > largest_payload_bytes) return over(log_end::bad_length);
  const auto body = view(offset_ + entry_head_bytes, std::size_t{length} + 1);
  if (!body) return body.error();
  if (body->size() < std::size_t{length} + 1 || body->back() != end_byte) return over(log_end::cut);
  const std::string_view payload = body->substr(0, length);
  if (adler32(payload) != checksum) return over(log_end::bad_checksum);
  next_ = offset_ + entry_head_bytes + length + 1;
  return std::optional(payload);
}

namespace {

/// Checksums of any part of some bytes, in constant time each.
class partial_checksums {
 public:
  explicit partial_checksums(std::string_view bytes) {
    sums_.reserve(bytes.size() + 1);
    sums_.push_back({});
    for (const char one : bytes) {
      const sums& before = sums_.back();
      const std::uint32_t plain = (before.plain + static_cast<unsigned char>(one)) % modulus;
      sums_.push_back({plain, (before.of_plain + plain) % modulus});
    }
  }

  [[nodiscard]] std::uint32_t of(std::size_t from, std::size_t size) const {
    const sums& begin = sums_[from];
    const sums& end = sums_[from + size];
    const auto length = static_cast<std::uint64_t>(size % modulus);
    // Adler-32 begins with 1, and adds up what it has after each byte.
    const std::uint64_t low = (1 + end.plain + modulus - begin.plain) % modulus;
    const std::uint64_t high =
        (end.of_plain + modulus - begin.of_plain + length + length * (modulus - begin.plain)) % modulus;
    return static_cast<std::uint32_t>(high << 16U | low);
  }

 private:
  static constexpr std::uint32_t modulus = 65521;
  struct sums {
    std::uint32_t plain = 0;
    std::uint32_t of_plain = 0;
  };
  std::vector<sums> sums_;
};

/// Whether a whole entry begins within the first `most` bytes.
bool has_entry(std::string_view bytes, std::size_t most) {
  std::optional<partial_checksums> sums;
  for (std::size_t at = 0; at < most && at + entry_head_bytes < bytes.size(); ++at) {
    const std::string_view head = bytes.substr(at);
    const std::uint64_t checksum = checksum_in(head);
    if (checksum == 0 || checksum >> 32U != 0) continue;
    const std::uint32_t length = length_in(head);
    if (length < payload_header_bytes || length > largest_payload_bytes) continue;
    const std::size_t start = at + entry_head_bytes;
    if (start + length >= bytes.size() || bytes[start + length] != end_byte) continue;
    // Almost nothing gets here, unless it was made to: then its bytes must not be added up for each anew.
    if (!sums) sums.emplace(bytes);
    if (sums->of(start, length) == checksum) return true;
  }
  return false;
}

}  // namespace

// The length may be what is damaged, so an entry may begin anywhere.
result<bool> log_reader::entry_behind() {
  constexpr std::size_t largest_entry = entry_head_bytes + largest_payload_bytes + 1;
  for (std::uint64_t at = offset_ + 1; at < size_; at += window_bytes) {
    const auto piece = from_.read(at, window_bytes + largest_entry);
    if (!piece) return piece.error();
    if (has_entry(*piece, window_bytes)) return true;
  }
  return false;
}

}  // namespace zkr::backend
