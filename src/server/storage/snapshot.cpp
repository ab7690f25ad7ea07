#include "server/storage/snapshot.hpp"

#include "server/storage/checksum.hpp"
#include "server/storage/log_file.hpp"
#include "server/storage/snapshot_source.hpp"
#include "wire/writer.hpp"

namespace zkr::backend {

namespace {

constexpr std::string_view magic = "ZKSN";
constexpr std::int32_t format_version = 2;
constexpr std::string_view gzip_suffix = ".gz";
constexpr std::string_view snappy_suffix = ".snappy";
constexpr std::size_t piece_bytes = std::size_t{1} << 20U;
// A seal is followed by "/", as the nodes are: an empty vector of nodes to come, in a way.
constexpr std::string_view seal_end("\0\0\0\1/", 5);

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// Collects pieces, and their checksum.
class sink {
 public:
  explicit sink(file& to) : to_(to), out_(buffer_) {}

  wire::writer& out() noexcept { return out_; }
  result<void> pass_on(std::size_t at_least = piece_bytes) {
    if (buffer_.size() < at_least) return {};
    checksum_ = adler32(buffer_, checksum_);
    auto written = to_.write(offset_, buffer_);
    offset_ += buffer_.size();
    buffer_.clear();
    return written;
  }
  result<void> seal() {
    if (auto failed = pass_on(1); !failed) return failed;
    out_.int64(checksum_);
    out_.raw(seal_end);
    return pass_on(1);
  }

 private:
  file& to_;
  std::string buffer_;
  wire::writer out_;
  std::uint64_t offset_ = 0;
  std::uint32_t checksum_ = 1;
};

void write_node(wire::writer& to, const node& one) {
  to.string(one.parent == nullptr ? std::string_view("") : one.path);
  to.buffer(one.null_data ? wire::buffer() : wire::buffer(one.data));
  to.int64(one.acl);
  to.int64(one.czxid);
  to.int64(one.mzxid);
  to.int64(one.ctime);
  to.int64(one.mtime);
  to.int32(one.version);
  to.int32(one.creations);
  to.int32(one.aversion);
  to.int64(one.owner);
  to.int64(one.pzxid);
}

// ---- reading --------------------------------------------------------------------------------------------------------

acl_list read_acl_list(snapshot_source& from) {
  acl_list list;
  const std::int32_t count = from.int32();
  if (from.ok() && count < 0) from.fail("an access list is null");
  for (std::int32_t i = 0; i < count && from.ok(); ++i) {
    acl_entry& one = list.emplace_back();
    one.perms = from.int32();
    one.scheme = from.string();
    one.id = from.string();
  }
  return list;
}

void read_seal(snapshot_source& from) {
  const std::uint32_t expected = from.checksum();
  const std::int64_t stored = from.int64();
  const std::string_view end = from.string();
  if (from.ok() && (stored != std::int64_t{expected} || end != "/")) from.fail("the checksum does not fit");
}

using lists_by_id = std::unordered_map<acl_id, acl_list>;

void read_node(snapshot_source& from, const std::string& path, const lists_by_id& lists, database& into) {
  const std::string_view data = from.string();
  node stored;
  stored.null_data = wire::is_null(data);
  stored.data = data;
  const acl_id acl = from.int64();
  stored.czxid = from.int64();
  stored.mzxid = from.int64();
  stored.ctime = from.int64();
  stored.mtime = from.int64();
  stored.version = from.int32();
  stored.creations = from.int32();
  stored.aversion = from.int32();
  stored.owner = from.int64();
  stored.pzxid = from.int64();
  if (!from.ok()) return;
  const auto list = lists.find(acl);
  if (acl != open_acl_id && list == lists.end()) return from.fail("the access list of " + path + " is missing");
  if (!into.restore_node(path, std::move(stored), acl == open_acl_id ? open_acl() : list->second)) {
    from.fail("the parent of " + path + " is missing or ephemeral, or the node comes twice");
  }
}

void read_state(snapshot_source& from, database& into) {
  if (from.int32() != 0x5A4B534E) from.fail("this is not a snapshot");
  static_cast<void>(from.int32());
  static_cast<void>(from.int64());
  for (std::int32_t left = from.int32(); left > 0 && from.ok(); --left) {
    const std::int64_t id = from.int64();
    into.restore_session(id, from.int32());
  }
  lists_by_id lists;
  for (std::int32_t left = from.int32(); left > 0 && from.ok(); --left) {
    const acl_id id = from.int64();
    lists[id] = read_acl_list(from);
  }
  bool first = true;
  while (from.ok()) {
    const std::string path(from.string());
    if (path == "/") break;
    if (first != path.empty()) from.fail("the root must come first, and once");
    first = false;
    read_node(from, path, lists, into);
  }
  if (first) from.fail("the root is missing");
}

}  // namespace

result<void> write_snapshot(file& to, const database& state) {
  sink into(to);
  wire::writer& out = into.out();
  out.raw(magic);
  out.int32(format_version);
  out.int64(-1);
  out.int32(static_cast<std::int32_t>(state.sessions().size()));
  for (const auto& [id, timeout] : state.sessions()) {
    out.int64(id);
    out.int32(timeout);
  }
  out.int32(static_cast<std::int32_t>(state.acls().size()));
  state.acls().for_each([&](acl_id id, const acl_list& list) {
    out.int64(id);
    out.acl(list);
  });
  std::uint64_t digest = 0;
  result<void> written;
  walk(state.nodes(), [&](const node& one) {
    if (!written) return;
    digest += digest_of(one);
    write_node(out, one);
    written = into.pass_on();
  });
  if (!written) return written;
  out.string("/");
  if (written = into.seal(); !written) return written;
  // Apache compares a digest once its replay has come to this zxid; none is wanted where nothing ever happened.
  const bool empty = state.last_zxid() == 0;
  out.int64(state.last_zxid());
  out.int32(digest_version);
  out.int64(empty ? 0 : static_cast<std::int64_t>(digest));
  if (written = into.seal(); !written) return written;
  return to.sync();
}

result<bool> looks_complete(file& from, const std::string& path) {
  const auto size = from.size();
  if (!size) return size.error();
  if (*size < 10) return false;
  if (ends_with(path, gzip_suffix) || ends_with(path, snappy_suffix)) return true;
  const auto end = from.read(*size - seal_end.size(), seal_end.size());
  if (!end) return end.error();
  return *end == seal_end;
}

result<void> read_snapshot(file& from, const std::string& path, std::int64_t zxid, database& into) {
  if (ends_with(path, snappy_suffix)) {
    return error(errc::unsupported, "read", path, "snapshots that are compressed with snappy cannot be read");
  }
  using packing = snapshot_source::packing;
  snapshot_source bytes(from, ends_with(path, gzip_suffix) ? packing::gzip : packing::none);
  read_state(bytes, into);
  read_seal(bytes);
  // Older releases end here; 3.9 has one part more, which says nothing that the name does not.
  if (bytes.ok() && bytes.more()) {
    static_cast<void>(bytes.int64());
    if (bytes.int32() < digest_version) {
      static_cast<void>(bytes.string());
    } else {
      static_cast<void>(bytes.int64());
    }
    read_seal(bytes);
  }
  if (!bytes.ok()) return damage(path, bytes.offset(), bytes.problem());
  into.restore_zxid(zxid);
  return {};
}

}  // namespace zkr::backend
