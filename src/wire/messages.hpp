#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "zkrecipes/acl.hpp"
#include "zkrecipes/errc.hpp"
#include "zkrecipes/stat.hpp"

// The records of ZooKeeper's protocol (zookeeper.jute, proto package), as typed values.
//
// Strings and buffers are views: of a frame that was decoded, or of whatever the sender keeps alive. A message is valid
// as long as those bytes are. A buffer that is null on the wire is std::nullopt. A null string is a view without an
// address (`is_null`), which servers tell from an empty one in a few places; a default-made string_view is null. A null
// vector is empty.
namespace zkr::wire {

enum class opcode : std::int32_t {
  notification = 0,
  create = 1,
  remove = 2,
  exists = 3,
  get_data = 4,
  set_data = 5,
  get_acl = 6,
  set_acl = 7,
  get_children = 8,
  sync = 9,
  ping = 11,
  get_children2 = 12,
  check = 13,
  multi = 14,
  create2 = 15,
  reconfig = 16,
  check_watches = 17,
  remove_watches = 18,
  create_container = 19,
  delete_container = 20,
  create_ttl = 21,
  multi_read = 22,
  auth = 100,
  set_watches = 101,
  sasl = 102,
  get_ephemerals = 103,
  get_all_children_number = 104,
  set_watches2 = 105,
  add_watch = 106,
  who_am_i = 107,
  create_session = -10,
  close_session = -11,
  error = -1,
};

// Special transaction ids of requests (ClientCnxn).
inline constexpr std::int32_t xid_notification = -1;
inline constexpr std::int32_t xid_ping = -2;
inline constexpr std::int32_t xid_auth = -4;
inline constexpr std::int32_t xid_set_watches = -8;

/// CreateMode's flags. The bits 1 (ephemeral) and 2 (sequential) hold for 0 to 3 only.
enum class create_flags : std::int32_t {
  persistent = 0,
  ephemeral = 1,
  persistent_sequential = 2,
  ephemeral_sequential = 3,
  container = 4,
  persistent_ttl = 5,
  persistent_sequential_ttl = 6,
};

using buffer = std::optional<std::string_view>;
using string_list = std::vector<std::string_view>;

/// True for a string that is null on the wire.
[[nodiscard]] constexpr bool is_null(std::string_view text) noexcept { return text.data() == nullptr; }

struct request_header {
  std::int32_t xid = 0;
  opcode type = opcode::notification;
};

struct reply_header {
  std::int32_t xid = 0;
  std::int64_t zxid = 0;
  errc code = errc::ok;
};

struct connect_request {
  std::int32_t protocol_version = 0;
  std::int64_t last_zxid_seen = 0;
  std::int32_t timeout_ms = 0;
  std::int64_t session_id = 0;
  std::string_view password;
  std::optional<bool> read_only;  ///< Absent from old clients' 44 bytes (go-zookeeper).
};

struct connect_reply {
  std::int32_t protocol_version = 0;
  std::int32_t timeout_ms = 0;
  std::int64_t session_id = 0;
  std::string_view password;
  std::optional<bool> read_only;  ///< Present where the request had it.
};

// ---- requests -------------------------------------------------------------------------------------------------------

/// Types 1, 15, 19 and 21. `type` decides the reply's shape, `flags` what is created (server-side rule of Apache).
struct create_request {
  opcode type = opcode::create2;
  std::string_view path;
  buffer data;
  acl_list acl;
  std::int32_t flags = 0;    ///< create_flags, as sent; not validated.
  std::int64_t ttl_ms = -1;  ///< Type 21 only.
};
struct remove_request {
  std::string_view path;
  std::int32_t version = any_version;
};
struct exists_request {
  std::string_view path;
  bool watch = false;
};
struct get_data_request {
  std::string_view path;
  bool watch = false;
};
struct set_data_request {
  std::string_view path;
  buffer data;
  std::int32_t version = any_version;
};
struct get_acl_request {
  std::string_view path;
};
struct set_acl_request {
  std::string_view path;
  acl_list acl;
  std::int32_t version = any_version;
};
/// Types 8 (names only) and 12 (names and stat).
struct get_children_request {
  opcode type = opcode::get_children2;
  std::string_view path;
  bool watch = false;
};
struct sync_request {
  std::string_view path;
};
struct ping_request {};
struct check_request {
  std::string_view path;
  std::int32_t version = any_version;
};
struct reconfig_request {
  std::string_view joining;
  std::string_view leaving;
  std::string_view new_members;
  std::int64_t config_id = -1;
};
/// Types 17 and 18; `kind`: 1 children, 2 data, 3 any, 4 persistent, 5 recursive.
struct remove_watches_request {
  opcode type = opcode::remove_watches;
  std::string_view path;
  std::int32_t kind = 3;
};
struct auth_request {
  std::int32_t type = 0;
  std::string_view scheme;
  std::string_view credentials;
};
/// Types 101 and 105; the last two lists belong to 105 only.
struct set_watches_request {
  opcode type = opcode::set_watches;
  std::int64_t relative_zxid = 0;
  string_list data;
  string_list exist;
  string_list child;
  string_list persistent;
  string_list recursive;
};
struct sasl_request {
  std::string_view token;
};
struct get_ephemerals_request {
  std::string_view prefix;
};
struct get_all_children_number_request {
  std::string_view path;
};
enum class add_watch_mode : std::int32_t { persistent = 0, persistent_recursive = 1 };
struct add_watch_request {
  std::string_view path;
  std::int32_t mode = 0;  ///< add_watch_mode, as sent; not validated.
};
struct who_am_i_request {};
struct close_session_request {};

using multi_operation = std::variant<create_request, remove_request, set_data_request, check_request>;
struct multi_request {
  std::vector<multi_operation> operations;
};
using multi_read_operation = std::variant<get_data_request, get_children_request>;
struct multi_read_request {
  std::vector<multi_read_operation> operations;
};

using request =
    std::variant<create_request, remove_request, exists_request, get_data_request, set_data_request, get_acl_request,
                 set_acl_request, get_children_request, sync_request, ping_request, check_request, multi_request,
                 multi_read_request, reconfig_request, remove_watches_request, auth_request, set_watches_request,
                 sasl_request, get_ephemerals_request, get_all_children_number_request, add_watch_request,
                 who_am_i_request, close_session_request>;

// ---- replies (the body after a header whose code is 0) --------------------------------------------------------------

/// Type 1 has no stat.
struct create_reply {
  std::string_view path;
  std::optional<stat_t> stat;
};
/// remove, check, ping, auth, setWatches, removeWatches, closeSession, reconfig's error path: nothing.
struct empty_reply {
  opcode type = opcode::remove;  ///< Inside a multi only: remove or check, which the wire tells apart.
};
/// exists, setData, setACL.
struct stat_reply {
  stat_t stat;
};
struct get_data_reply {
  buffer data;
  stat_t stat;
};
struct get_acl_reply {
  acl_list acl;
  stat_t stat;
};
/// Type 8 has no stat.
struct get_children_reply {
  string_list children;
  std::optional<stat_t> stat;
};
struct sync_reply {
  std::string_view path;
};
struct sasl_reply {
  buffer token;
};
struct get_ephemerals_reply {
  string_list paths;
};
struct get_all_children_number_reply {
  std::int32_t count = 0;
};
struct add_watch_reply {
  std::int32_t code = 0;
};
struct identity {
  std::string_view scheme;
  std::string_view user;
};
struct who_am_i_reply {
  std::vector<identity> identities;
};

struct error_result {
  errc code = errc::ok;
};
/// One result an operation; error_result{ok} stands before the one that failed, runtime_inconsistency behind it.
using multi_result =
    std::variant<create_reply, stat_reply, empty_reply, get_data_reply, get_children_reply, error_result>;
struct multi_reply {
  std::vector<multi_result> results;
};

using reply = std::variant<empty_reply, create_reply, stat_reply, get_data_reply, get_acl_reply, get_children_reply,
                           sync_reply, sasl_reply, get_ephemerals_reply, get_all_children_number_reply, add_watch_reply,
                           who_am_i_reply, multi_reply>;

// ---- notifications --------------------------------------------------------------------------------------------------

enum class event_type : std::int32_t {
  none = -1,
  created = 1,
  removed = 2,
  data_changed = 3,
  children_changed = 4,
};

struct watcher_event {
  event_type type = event_type::none;
  std::int32_t state = 3;
  std::string_view path;
};

[[nodiscard]] opcode type_of(const request& of) noexcept;
/// True for requests that change nothing on the server: they may be repeated.
[[nodiscard]] bool is_read(opcode type) noexcept;

}  // namespace zkr::wire
