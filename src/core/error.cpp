#include "zkrecipes/error.hpp"

#include <array>

namespace zkr {
namespace {

enum class family { node, connection, interrupted, usage };

struct meaning {
  errc code;
  std::string_view name;
  std::string_view text;
  family kind;
};

// The one table that says what codes mean.
constexpr std::array meanings{
    meaning{errc::ok, "ok", "no error", family::node},
    meaning{errc::system_error, "system_error", "the server failed internally", family::node},
    meaning{errc::runtime_inconsistency, "runtime_inconsistency", "the request was given up with others around it",
            family::connection},
    meaning{errc::data_inconsistency, "data_inconsistency", "the server found its data inconsistent", family::node},
    meaning{errc::connection_loss, "connection_loss", "the connection was lost before the reply", family::connection},
    meaning{errc::marshalling_error, "marshalling_error", "the request or reply could not be decoded", family::usage},
    meaning{errc::unimplemented, "unimplemented", "the server does not know this operation", family::usage},
    meaning{errc::operation_timeout, "operation_timeout", "the server stayed silent", family::connection},
    meaning{errc::bad_arguments, "bad_arguments", "the server refused an argument", family::usage},
    meaning{errc::invalid_state, "invalid_state", "the session handle is not usable any more", family::connection},
    meaning{errc::new_config_no_quorum, "new_config_no_quorum", "no quorum of the new configuration is connected",
            family::node},
    meaning{errc::reconfig_in_progress, "reconfig_in_progress", "another reconfiguration is going on", family::node},
    meaning{errc::api_error, "api_error", "the server refused the request", family::node},
    meaning{errc::no_node, "no_node", "the node does not exist", family::node},
    meaning{errc::no_auth, "no_auth", "the node's ACL forbids it", family::node},
    meaning{errc::bad_version, "bad_version", "the node's version is another one", family::node},
    meaning{errc::no_children_for_ephemerals, "no_children_for_ephemerals", "ephemeral nodes cannot have children",
            family::node},
    meaning{errc::node_exists, "node_exists", "the node exists already", family::node},
    meaning{errc::not_empty, "not_empty", "the node has children", family::node},
    meaning{errc::session_expired, "session_expired", "the server has expired the session", family::connection},
    meaning{errc::invalid_callback, "invalid_callback", "invalid callback", family::usage},
    meaning{errc::invalid_acl, "invalid_acl", "the ACL is not valid for this client", family::usage},
    meaning{errc::auth_failed, "auth_failed", "the server refused the credentials", family::connection},
    meaning{errc::closing, "closing", "the session handle is closing", family::connection},
    meaning{errc::nothing, "nothing", "no reply to process", family::node},
    meaning{errc::session_moved, "session_moved", "the session has moved to another server", family::connection},
    meaning{errc::not_read_only, "not_read_only", "the server is read-only", family::node},
    meaning{errc::ephemeral_on_local_session, "ephemeral_on_local_session", "local sessions cannot own ephemeral nodes",
            family::node},
    meaning{errc::no_watcher, "no_watcher", "no such watch is registered", family::node},
    meaning{errc::request_timeout, "request_timeout", "the server gave up on the request", family::connection},
    meaning{errc::reconfig_disabled, "reconfig_disabled", "reconfiguration is disabled on the server", family::node},
    meaning{errc::session_closed_require_auth, "session_closed_require_auth",
            "the server closed the session for lack of authentication", family::connection},
    meaning{errc::quota_exceeded, "quota_exceeded", "a quota on the server is exhausted", family::node},
    meaning{errc::throttled, "throttled", "the server throttled the operation", family::node},
    meaning{errc::timed_out, "timed_out", "the deadline passed", family::interrupted},
    meaning{errc::cancelled, "cancelled", "the caller's stop token was triggered", family::interrupted},
    meaning{errc::closed, "closed", "the object is closed", family::connection},
    meaning{errc::session_lost, "session_lost", "the session to which the call belonged is over", family::connection},
    meaning{errc::overloaded, "overloaded", "too many operations are in flight", family::usage},
    meaning{errc::would_deadlock, "would_deadlock", "a blocking call from a thread that must not wait", family::usage},
    meaning{errc::unsupported, "unsupported", "not supported here", family::usage},
    meaning{errc::invalid_path, "invalid_path", "the path is not valid", family::usage},
    meaning{errc::invalid_argument, "invalid_argument", "an argument is not valid", family::usage},
    meaning{errc::too_large, "too_large", "the request exceeds the largest frame", family::usage},
    meaning{errc::no_chroot, "no_chroot", "the chroot does not exist", family::node},
    meaning{errc::ownership_lost, "ownership_lost", "the grant has ended", family::node},
    meaning{errc::resolve_failed, "resolve_failed", "no server address could be resolved", family::connection},
    meaning{errc::io_error, "io_error", "a system call failed", family::connection},
};

const meaning* find(errc code) noexcept {
  for (const auto& entry : meanings) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string_view to_string(errc code) noexcept {
  const auto* entry = find(code);
  return entry != nullptr ? entry->name : "error";
}

std::string_view describe(errc code) noexcept {
  const auto* entry = find(code);
  return entry != nullptr ? entry->text : "a code without a name";
}

std::string error::message() const {
  std::string text;
  if (!operation_.empty()) text.append(operation_).append(path_.empty() ? "" : " ");
  text += path_;
  if (!text.empty()) text += ": ";
  text.append(to_string(code_));
  if (find(code_) == nullptr) text.append(" ").append(std::to_string(static_cast<int>(code_)));
  text.append(" (").append(detail_.empty() ? describe(code_) : std::string_view(detail_)).append(")");
  if (failed_operation_) text.append(", at operation ").append(std::to_string(*failed_operation_));
  if (outcome_ == zkr::outcome::unknown) text += "; outcome unknown";
  return text;
}

namespace detail {

void raise(const error& why) {
  if (why.outcome() == outcome::unknown) throw in_doubt_exception(why);
  const auto* entry = find(why.code());
  switch (entry != nullptr ? entry->kind : family::node) {
    case family::connection: throw connection_exception(why);
    case family::interrupted: throw interrupted_exception(why);
    case family::usage: throw usage_exception(why);
    case family::node: break;
  }
  throw node_exception(why);
}

}  // namespace detail
}  // namespace zkr
