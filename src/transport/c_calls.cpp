#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "transport/c_library.hpp"
#include "transport/c_session.hpp"

namespace zkr::transport {

errc to_errc(int rc) noexcept { return rc <= 0 ? static_cast<errc>(rc) : errc::system_error; }

namespace {

// ---- from the library -----------------------------------------------------------------------------------------------

stat_t from(const Stat& stat) noexcept {
  stat_t to;
  to.czxid = stat.czxid;
  to.mzxid = stat.mzxid;
  to.ctime = stat.ctime;
  to.mtime = stat.mtime;
  to.version = stat.version;
  to.cversion = stat.cversion;
  to.aversion = stat.aversion;
  to.ephemeral_owner = stat.ephemeralOwner;
  to.data_length = stat.dataLength;
  to.num_children = stat.numChildren;
  to.pzxid = stat.pzxid;
  return to;
}

std::string_view view(const char* text) noexcept {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

wire::string_list from(const String_vector& list) {
  wire::string_list to;
  to.reserve(static_cast<std::size_t>(std::max(list.count, 0)));
  for (std::int32_t i = 0; i < list.count; ++i) to.push_back(view(list.data[i]));
  return to;
}

/// A transaction that the node has seen, and so has the server that answered.
std::int64_t latest_zxid(const Stat& stat) noexcept { return std::max({stat.czxid, stat.mzxid, stat.pzxid}); }

void finish(const void* data, int rc, const wire::reply& body = {}, std::int64_t zxid = 0) {
  auto& call = *static_cast<pending_call*>(const_cast<void*>(data));
  call.session.load(std::memory_order_acquire)->complete(call, to_errc(rc), body, zxid);
}

// Completions, all on the completion thread but the last. Their arguments live as long as the call.

void on_done(int rc, const void* data) { finish(data, rc); }

void on_created(int rc, const char* path, const void* data) {
  if (rc != ZOK || path == nullptr) return finish(data, rc);
  finish(data, rc, wire::create_reply{path, std::nullopt});
}

void on_created_with_stat(int rc, const char* path, const Stat* stat, const void* data) {
  if (rc != ZOK || path == nullptr || stat == nullptr) return finish(data, rc);
  finish(data, rc, wire::create_reply{path, from(*stat)}, stat->czxid);
}

void on_stat(int rc, const Stat* stat, const void* data) {
  if (rc != ZOK || stat == nullptr) return finish(data, rc);
  finish(data, rc, wire::stat_reply{from(*stat)}, latest_zxid(*stat));
}

// Of a write: its own transaction, whatever the children's are.
void on_written(int rc, const Stat* stat, const void* data) {
  if (rc != ZOK || stat == nullptr) return finish(data, rc);
  finish(data, rc, wire::stat_reply{from(*stat)}, stat->mzxid);
}

void on_data(int rc, const char* value, int length, const Stat* stat, const void* data) {
  if (rc != ZOK || stat == nullptr) return finish(data, rc);
  wire::get_data_reply body{std::nullopt, from(*stat)};
  if (length > 0) body.data = std::string_view(value, static_cast<std::size_t>(length));
  if (length == 0) body.data = std::string_view("");
  finish(data, rc, body, latest_zxid(*stat));
}

void on_acl(int rc, ACL_vector* acl, Stat* stat, const void* data) {
  if (rc != ZOK || acl == nullptr || stat == nullptr) return finish(data, rc);
  wire::get_acl_reply body{{}, from(*stat)};
  for (std::int32_t i = 0; i < acl->count; ++i) {
    const auto& entry = acl->data[i];
    body.acl.push_back({entry.perms, std::string(view(entry.id.scheme)), std::string(view(entry.id.id))});
  }
  finish(data, rc, body, latest_zxid(*stat));
}

void on_children(int rc, const String_vector* names, const void* data) {
  if (rc != ZOK || names == nullptr) return finish(data, rc);
  finish(data, rc, wire::get_children_reply{from(*names), std::nullopt});
}

void on_children_with_stat(int rc, const String_vector* names, const Stat* stat, const void* data) {
  if (rc != ZOK || names == nullptr || stat == nullptr) return finish(data, rc);
  finish(data, rc, wire::get_children_reply{from(*names), from(*stat)}, latest_zxid(*stat));
}

void on_synced(int rc, const char* path, const void* data) {
  if (rc != ZOK) return finish(data, rc);
  finish(data, rc, wire::sync_reply{view(path)});
}

// On the I/O thread, or the closing one; with the handle's lock held where the connection was lost or is closed.
void on_auth(int rc, const void* data) {
  auto& call = *static_cast<pending_call*>(const_cast<void*>(data));
  call.session.load(std::memory_order_acquire)->note_reply(call, to_errc(rc));
}

// Not the watcher of sessions: every registered pair of function and context is told of session events, too.
void on_watch(zhandle_t*, int type, int, const char* path, void* context) {
  if (type < ZOO_CREATED_EVENT || type > ZOO_CHILD_EVENT || path == nullptr) return;
  auto& handle = *static_cast<c_handle*>(context);
  handle.session.load(std::memory_order_acquire)->report_watch(handle, static_cast<wire::event_type>(type), path);
}

// ---- to the library -------------------------------------------------------------------------------------------------

/// Length -1 is null; the pointer is never null.
struct c_buffer {
  explicit c_buffer(const wire::buffer& bytes)
      : data(bytes && !bytes->empty() ? bytes->data() : ""), length(bytes ? static_cast<int>(bytes->size()) : -1) {}
  const char* data;
  int length;
};

/// A text with a zero behind it, off the heap where it is not long: one a request.
class c_text {
 public:
  explicit c_text(std::string_view text) {
    if (text.size() < sizeof short_) {
      short_[text.copy(short_, text.size())] = '\0';
    } else {
      long_ = text;
    }
  }
  [[nodiscard]] const char* c_str() const noexcept { return long_.empty() ? short_ : long_.c_str(); }

 private:
  char short_[256];
  std::string long_;
};

/// Borrows the texts of the list.
struct c_acl {
  explicit c_acl(const acl_list& list) {
    for (const auto& entry : list) {
      entries.push_back({entry.perms, {const_cast<char*>(entry.scheme.c_str()), const_cast<char*>(entry.id.c_str())}});
    }
    vector.count = static_cast<std::int32_t>(entries.size());
    vector.data = entries.data();
  }
  std::vector<ACL> entries;
  ACL_vector vector{};
};

struct sender {
  c_handle& handle;
  zhandle_t* zh;
  pending_call* call;
  multi_call* multi;
  watcher_fn watcher;

  int operator()(const wire::create_request& of) const {
    const c_text path(of.path);
    const c_buffer value(of.data);
    const c_acl acl(of.acl);
    if (of.type == wire::opcode::create) {
      return zoo_acreate(zh, path.c_str(), value.data, value.length, &acl.vector, of.flags, on_created, call);
    }
    // The library takes a TTL for the modes that have one only.
    const std::int64_t ttl = of.type == wire::opcode::create_ttl ? of.ttl_ms : -1;
    return zoo_acreate2_ttl(zh, path.c_str(), value.data, value.length, &acl.vector, of.flags, ttl,
                            on_created_with_stat, call);
  }
  int operator()(const wire::remove_request& of) const {
    return zoo_adelete(zh, c_text(of.path).c_str(), of.version, on_done, call);
  }
  int operator()(const wire::exists_request& of) const {
    return zoo_awexists(zh, c_text(of.path).c_str(), watcher, &handle, on_stat, call);
  }
  int operator()(const wire::get_data_request& of) const {
    return zoo_awget(zh, c_text(of.path).c_str(), watcher, &handle, on_data, call);
  }
  int operator()(const wire::set_data_request& of) const {
    const c_buffer value(of.data);
    return zoo_aset(zh, c_text(of.path).c_str(), value.data, value.length, of.version, on_written, call);
  }
  int operator()(const wire::get_acl_request& of) const {
    return zoo_aget_acl(zh, c_text(of.path).c_str(), on_acl, call);
  }
  int operator()(const wire::set_acl_request& of) const {
    c_acl acl(of.acl);
    return zoo_aset_acl(zh, c_text(of.path).c_str(), of.version, &acl.vector, on_done, call);
  }
  int operator()(const wire::get_children_request& of) const {
    const c_text path(of.path);
    if (of.type == wire::opcode::get_children) {
      return zoo_awget_children(zh, path.c_str(), watcher, &handle, on_children, call);
    }
    return zoo_awget_children2(zh, path.c_str(), watcher, &handle, on_children_with_stat, call);
  }
  int operator()(const wire::sync_request& of) const { return zoo_async(zh, c_text(of.path).c_str(), on_synced, call); }
  int operator()(const wire::remove_watches_request& of) const {
    // The parameter is declared as a pointer to a function pointer, but called as a function. `local` would make the
    // library write into `data` (ZOOKEEPER-2320).
    return zoo_aremove_all_watches(zh, c_text(of.path).c_str(), static_cast<ZooWatcherType>(of.kind), 0,
                                   reinterpret_cast<void_completion_t*>(on_done), call);
  }
  int operator()(const wire::auth_request& of) const {
    return zoo_add_auth(zh, c_text(of.scheme).c_str(), of.credentials.data(), static_cast<int>(of.credentials.size()),
                        on_auth, call);
  }
  int operator()(const wire::multi_request& of) const;
  template <typename Other>
  int operator()(const Other&) const {
    return ZUNIMPLEMENTED;
  }
};

int sender::operator()(const wire::multi_request& of) const {
  std::vector<c_acl> acls;  // read inside the call only
  acls.reserve(of.operations.size());
  for (std::size_t i = 0; i < of.operations.size(); ++i) {
    auto* const operation = &multi->operations[i];
    const char* const path = multi->paths[i].c_str();
    if (const auto* create = std::get_if<wire::create_request>(&of.operations[i])) {
      const c_buffer value(create->data);
      auto& name = multi->created[i];
      zoo_create_op_init(operation, path, value.data, value.length, &acls.emplace_back(create->acl).vector,
                         create->flags, name.data(), static_cast<int>(name.size()));
    } else if (const auto* remove = std::get_if<wire::remove_request>(&of.operations[i])) {
      zoo_delete_op_init(operation, path, remove->version);
    } else if (const auto* set = std::get_if<wire::set_data_request>(&of.operations[i])) {
      const c_buffer value(set->data);
      zoo_set_op_init(operation, path, value.data, value.length, set->version, &multi->stats[i]);
    } else if (const auto* check = std::get_if<wire::check_request>(&of.operations[i])) {
      zoo_check_op_init(operation, path, check->version);
    }
  }
  auto* const operations = multi->operations.data();
  auto* const results = multi->results.data();
  const auto count = static_cast<int>(multi->operations.size());
  call->prepared.store(true, std::memory_order_release);
  return zoo_amulti(zh, count, operations, results, on_done, call);
}

}  // namespace

std::unique_ptr<multi_call> make_multi(const wire::request& of) {
  const auto* request = std::get_if<wire::multi_request>(&of);
  if (request == nullptr) return nullptr;
  auto multi = std::make_unique<multi_call>();
  const auto count = request->operations.size();
  multi->operations.resize(count);
  multi->results.resize(count);
  multi->stats.resize(count);
  multi->created.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& path =
        std::visit([](const auto& one) -> const std::string_view& { return one.path; }, request->operations[i]);
    multi->paths.emplace_back(path);
    // A sequence number, printed with "%010d", has 11 characters at most; and the zero.
    constexpr std::size_t longest_suffix = 12;
    if (std::holds_alternative<wire::create_request>(request->operations[i])) {
      multi->created[i].resize(path.size() + longest_suffix);
    }
  }
  return multi;
}

wire::multi_reply results_of(const multi_call& from_library, errc& code) {
  const auto& results = from_library.results;
  const auto failed = [](const zoo_op_result_t& one) { return one.err != ZOK; };
  if (code == errc::ok && std::any_of(results.begin(), results.end(), failed)) code = errc::runtime_inconsistency;
  wire::multi_reply reply;
  if (code != errc::ok) {
    // Where the whole reply failed the library gives its code to each operation; the server said nothing of them.
    const bool whole = std::all_of(results.begin(), results.end(),
                                   [code](const zoo_op_result_t& one) { return to_errc(one.err) == code; });
    if (whole && (results.size() != 1 || code == errc::connection_loss || code == errc::operation_timeout ||
                  code == errc::runtime_inconsistency || code == errc::closing)) {
      return reply;
    }
    for (const auto& one : results) reply.results.emplace_back(wire::error_result{to_errc(one.err)});
    return reply;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    switch (from_library.operations[i].type) {
      case 1: reply.results.emplace_back(wire::create_reply{view(results[i].value), std::nullopt}); break;
      case 5: reply.results.emplace_back(wire::stat_reply{from(from_library.stats[i])}); break;
      default: reply.results.emplace_back(wire::empty_reply{}); break;
    }
  }
  return reply;
}

int send(c_handle& handle, zhandle_t* zh, pending_call& call, multi_call* multi, const wire::request& of,
         watch_mode watch) {
  return std::visit(sender{handle, zh, &call, multi, watch == watch_mode::one_shot ? on_watch : nullptr}, of);
}

std::optional<server_address> peer_of(zhandle_t* zh) {
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  char ip[NI_MAXHOST];
  char port[NI_MAXSERV];
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  if (zookeeper_get_connected_host(zh, address, &length) == nullptr ||
      getnameinfo(address, length, ip, sizeof ip, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return std::nullopt;
  }
  return server_address{ip, static_cast<std::uint16_t>(std::stoi(port))};
}

int send_probe(zhandle_t* zh, pending_call& call) { return zoo_awexists(zh, "/", nullptr, nullptr, on_stat, &call); }

void on_session(zhandle_t* zh, int type, int state, const char*, void* context) {
  if (type != ZOO_SESSION_EVENT) return;
  auto& handle = *static_cast<c_handle*>(context);
  session_notice notice;
  if (state == ZOO_CONNECTED_STATE) {
    notice.what = session_event::kind::connected;
    const auto* identity = zoo_client_id(zh);
    notice.session_id = identity->client_id;
    std::memcpy(notice.password.data(), identity->passwd, notice.password.size());
    notice.session_timeout = std::chrono::milliseconds(zoo_recv_timeout(zh));
  } else if (state == ZOO_CONNECTING_STATE) {
    notice.what = session_event::kind::disconnected;
  } else if (state == ZOO_EXPIRED_SESSION_STATE) {
    notice.what = session_event::kind::expired;
  } else if (state == ZOO_AUTH_FAILED_STATE) {
    notice.what = session_event::kind::auth_failed;
  } else {
    return;
  }
  handle.session.load(std::memory_order_acquire)->report_session(handle, zh, notice);
}

}  // namespace zkr::transport
