#include "wire/reader.hpp"

#include <algorithm>

namespace zkr::wire {

namespace {

// A hostile count must not reserve memory that the frame cannot fill: an item takes at least its own length field.
constexpr std::size_t smallest_string = 4;
constexpr std::size_t smallest_acl_entry = 12;

std::size_t plausible(std::int32_t count, std::size_t bytes, std::size_t smallest) {
  return std::min(static_cast<std::size_t>(count), bytes / smallest);
}

}  // namespace

std::string_view reader::string() noexcept {
  const std::int32_t length = int32();
  if (!ok_ || length == -1) return {};
  if (length < 0 || static_cast<std::size_t>(length) > remaining()) {
    fail();
    return {};
  }
  const std::string_view text(next_, static_cast<std::size_t>(length));
  next_ += length;
  return text;
}

std::int32_t reader::count() noexcept { return std::max(int32(), 0); }

stat_t reader::stat() noexcept {
  stat_t stat;
  stat.czxid = int64();
  stat.mzxid = int64();
  stat.ctime = int64();
  stat.mtime = int64();
  stat.version = int32();
  stat.cversion = int32();
  stat.aversion = int32();
  stat.ephemeral_owner = int64();
  stat.data_length = int32();
  stat.num_children = int32();
  stat.pzxid = int64();
  return stat;
}

string_list reader::strings() {
  const std::int32_t items = count();
  string_list list;
  list.reserve(plausible(items, remaining(), smallest_string));
  for (std::int32_t i = 0; i < items && ok_; ++i) list.push_back(string());
  return list;
}

acl_list reader::acl() {
  const std::int32_t items = count();
  acl_list list;
  list.reserve(plausible(items, remaining(), smallest_acl_entry));
  for (std::int32_t i = 0; i < items && ok_; ++i) {
    acl_entry& entry = list.emplace_back();
    entry.perms = int32();
    entry.scheme = string();
    entry.id = string();
  }
  return list;
}

}  // namespace zkr::wire
