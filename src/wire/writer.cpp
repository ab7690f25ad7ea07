#include "wire/writer.hpp"

namespace zkr::wire {

void writer::stat(const stat_t& stat) {
  char bytes[68];
  store_big_endian(bytes, static_cast<std::uint64_t>(stat.czxid));
  store_big_endian(bytes + 8, static_cast<std::uint64_t>(stat.mzxid));
  store_big_endian(bytes + 16, static_cast<std::uint64_t>(stat.ctime));
  store_big_endian(bytes + 24, static_cast<std::uint64_t>(stat.mtime));
  store_big_endian(bytes + 32, static_cast<std::uint32_t>(stat.version));
  store_big_endian(bytes + 36, static_cast<std::uint32_t>(stat.cversion));
  store_big_endian(bytes + 40, static_cast<std::uint32_t>(stat.aversion));
  store_big_endian(bytes + 44, static_cast<std::uint64_t>(stat.ephemeral_owner));
  store_big_endian(bytes + 52, static_cast<std::uint32_t>(stat.data_length));
  store_big_endian(bytes + 56, static_cast<std::uint32_t>(stat.num_children));
  store_big_endian(bytes + 60, static_cast<std::uint64_t>(stat.pzxid));
  out_->append(bytes, sizeof bytes);
}

void writer::strings(const string_list& list) {
  int32(static_cast<std::int32_t>(list.size()));
  for (const std::string_view text : list) string(text);
}

void writer::acl(const acl_list& list) {
  int32(static_cast<std::int32_t>(list.size()));
  for (const acl_entry& entry : list) {
    int32(entry.perms);
    string(entry.scheme);
    string(entry.id);
  }
}

void writer::end_frame(std::size_t start) noexcept {
  patch_int32(start, static_cast<std::int32_t>(out_->size() - start - 4));
}

void writer::patch_int32(std::size_t position, std::int32_t value) noexcept {
  store_big_endian(out_->data() + position, static_cast<std::uint32_t>(value));
}

}  // namespace zkr::wire
