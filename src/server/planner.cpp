#include "server/planner.hpp"

#include <array>
#include <cstdio>

#include "server/paths.hpp"
#include "server/quotas.hpp"
#include "zkrecipes/path.hpp"

namespace zkr::backend {

namespace {

using wire::create_flags;

struct create_mode {
  node_kind kind = node_kind::persistent;
  bool sequential = false;
};

std::optional<create_mode> mode_of(std::int32_t flags) noexcept {
  switch (static_cast<create_flags>(flags)) {
    case create_flags::persistent: return create_mode{node_kind::persistent, false};
    case create_flags::ephemeral: return create_mode{node_kind::ephemeral, false};
    case create_flags::persistent_sequential: return create_mode{node_kind::persistent, true};
    case create_flags::ephemeral_sequential: return create_mode{node_kind::ephemeral, true};
    case create_flags::container: return create_mode{node_kind::container, false};
    case create_flags::persistent_ttl: return create_mode{node_kind::ttl, false};
    case create_flags::persistent_sequential_ttl: return create_mode{node_kind::ttl, true};
  }
  return std::nullopt;
}

// Outside of a multi, Apache lets the type of the request decide about containers and TTL nodes: createContainer makes
// one whatever its flags are, and create with the flag of a container makes a plain node. Inside, the flags decide.
errc settle(create_mode& mode, const wire::create_request& request, bool in_multi, ttl_nodes ttl) noexcept {
  const bool wants_ttl = mode.kind == node_kind::ttl;
  // Apache cannot make such an operation: the whole multi fails.
  if (wants_ttl && in_multi && request.type != wire::opcode::create_ttl) return errc::marshalling_error;
  if (wants_ttl && ttl == ttl_nodes::disabled) return errc::unimplemented;
  if (wants_ttl && (request.ttl_ms < 1 || request.ttl_ms > largest_ttl_ms)) return errc::bad_arguments;
  if (in_multi) return errc::ok;
  // Apache accepts a createTTL of another mode where its TTL is negative, and dies when it reads its log again.
  if (request.type == wire::opcode::create_ttl) return wants_ttl ? errc::ok : errc::bad_arguments;
  if (request.type == wire::opcode::create_container) {
    mode.kind = node_kind::container;
  } else if (mode.kind == node_kind::container) {
    mode.kind = node_kind::persistent;
  }
  return errc::ok;
}

// Apache writes a create2 inside a multi as a create; 3.8 cannot read anything else back.
wire::opcode record_type(node_kind kind, wire::opcode asked, bool in_multi) noexcept {
  switch (kind) {
    case node_kind::container: return wire::opcode::create_container;
    case node_kind::ttl: return wire::opcode::create_ttl;
    default: return asked == wire::opcode::create || in_multi ? wire::opcode::create : wire::opcode::create2;
  }
}

void append_sequence(std::string& path, std::int32_t number) {
  std::array<char, 16> digits{};
  const int length = std::snprintf(digits.data(), digits.size(), "%010d", static_cast<int>(number));
  path.append(digits.data(), static_cast<std::size_t>(length));
}

bool is_valid(std::string_view path) { return check_path(path).has_value(); }

std::int64_t bytes_of(const wire::buffer& data) noexcept {
  return static_cast<std::int64_t>(data.value_or(std::string_view()).size());
}

bool matches(std::int32_t expected, std::int32_t actual) noexcept {
  return expected == any_version || expected == actual;
}

}  // namespace

std::optional<planner::facts> planner::look(std::string_view path) const {
  if (in_multi_) {
    const auto found = overlay_.find(path.empty() ? std::string_view("/") : path);
    if (found != overlay_.end()) return found->second.now;
  }
  const node* found = state_.nodes().find(path);
  if (found == nullptr) return std::nullopt;
  return facts{kind_of(found->owner) == node_kind::ephemeral,
               found->version,
               found->aversion,
               found->creations,
               found->num_children,
               static_cast<std::int64_t>(found->data.size()),
               &state_.acl_of(*found)};
}

// As Apache has it, also inside of a multi: against what was used before it.
bool planner::fits_quota(std::string_view path, std::int64_t more_bytes, std::int64_t more_nodes) const {
  if (quota_ == quota_limits::ignored) return true;
  const auto over = exceeded_quota(state_.nodes(), path, more_bytes, more_nodes);
  if (!over) return true;
  if (events_.takes(log_level::warning)) {
    events_.warn_seldom("quota_exceeded", {{"limit", over->hard ? "hard" : "soft"},
                                           {"path", over->path},
                                           {"of", over->of},
                                           {"used", std::to_string(over->used)},
                                           {"allowed", std::to_string(over->allowed)}});
  }
  return !over->hard;
}

bool planner::allowed(const facts& at, std::int32_t permission) const noexcept {
  return permits(*at.acl, permission, by_.who);
}

errc planner::plan(const wire::create_request& request, create_record& into) {
  std::optional<create_mode> mode = mode_of(request.flags);
  if (!mode) return errc::bad_arguments;
  if (const errc bad = settle(*mode, request, in_multi_, ttl_); bad != errc::ok) return bad;
  if (wire::is_null(request.path)) return errc::marshalling_error;
  if (!has_slash(request.path) || has_nul(request.path)) return errc::bad_arguments;
  std::optional<acl_list> acl = normalised(request.acl, by_.who, sasl_);
  if (!acl) return errc::invalid_acl;
  const std::optional<facts> parent = look(parent_of(request.path));
  if (!parent) return errc::no_node;
  if (!allowed(*parent, perms::create)) return errc::no_auth;

  into.path = request.path;
  if (mode->sequential) append_sequence(into.path, parent->creations);
  if (!is_valid(into.path)) return errc::bad_arguments;
  if (look(into.path)) return errc::node_exists;
  if (parent->ephemeral) return errc::no_children_for_ephemerals;
  if (!fits_quota(into.path, bytes_of(request.data), 1)) return errc::quota_exceeded;

  into.type = record_type(mode->kind, request.type, in_multi_);
  into.data = request.data;
  into.acl = *std::move(acl);
  into.kind = mode->kind;
  into.ttl_ms = request.ttl_ms;
  into.parent_creations = next(parent->creations);
  return errc::ok;
}

errc planner::plan(const wire::remove_request& request, remove_record& into) {
  if (wire::is_null(request.path)) return errc::marshalling_error;
  if (!has_slash(request.path) || has_nul(request.path) || is_builtin(request.path)) return errc::bad_arguments;
  const std::optional<facts> parent = look(parent_of(request.path));
  if (!parent) return errc::no_node;
  if (!allowed(*parent, perms::remove)) return errc::no_auth;
  const std::optional<facts> found = look(request.path);
  if (!found) return errc::no_node;
  if (!matches(request.version, found->version)) return errc::bad_version;
  if (found->num_children > 0) return errc::not_empty;
  into.path = request.path;
  return errc::ok;
}

errc planner::plan(const wire::set_data_request& request, set_data_record& into) {
  const std::optional<facts> found = look(request.path);
  // A path that names a node is valid: it was checked when the node was made. Only the alias "" is not.
  if (!found || request.path.empty()) return is_valid(request.path) ? errc::no_node : errc::bad_arguments;
  if (!allowed(*found, perms::write)) return errc::no_auth;
  if (!fits_quota(request.path, bytes_of(request.data) - found->data_bytes, 0)) return errc::quota_exceeded;
  if (!matches(request.version, found->version)) return errc::bad_version;
  into = {request.path, request.data, next(found->version)};
  return errc::ok;
}

errc planner::plan(const wire::set_acl_request& request, set_acl_record& into) {
  if (!is_valid(request.path)) return errc::bad_arguments;
  std::optional<acl_list> acl = normalised(request.acl, by_.who, sasl_);
  if (!acl) return errc::invalid_acl;
  const std::optional<facts> found = look(request.path);
  if (!found) return errc::no_node;
  if (!allowed(*found, perms::admin)) return errc::no_auth;
  if (!matches(request.version, found->aversion)) return errc::bad_version;
  into = {request.path, *std::move(acl), next(found->aversion)};
  return errc::ok;
}

errc planner::plan(const wire::check_request& request, check_record& into) {
  const std::optional<facts> found = look(request.path);
  if (!found || request.path.empty()) return is_valid(request.path) ? errc::no_node : errc::bad_arguments;
  if (!allowed(*found, perms::read)) return errc::no_auth;
  if (!matches(request.version, found->version)) return errc::bad_version;
  into = {request.path, next(found->version)};
  return errc::ok;
}

// ---- multi ----------------------------------------------------------------------------------------------------------

planner::pending& planner::remember(std::string_view path) {
  const std::string_view key = path.empty() ? std::string_view("/") : path;
  const auto found = overlay_.find(key);
  if (found != overlay_.end()) return found->second;
  pending copy;
  copy.now = look(key);
  return overlay_.emplace(std::string(key), std::move(copy)).first->second;
}

void planner::foresee(const create_record& record) {
  pending& parent = remember(parent_of(record.path));
  parent.now->creations = record.parent_creations;
  ++parent.now->num_children;

  pending& made = remember(record.path);
  made.own_acl = record.acl;
  made.now = facts{};
  made.now->ephemeral = record.kind == node_kind::ephemeral;
  made.now->data_bytes = bytes_of(record.data);
  made.now->acl = &made.own_acl;
}

void planner::foresee(const remove_record& record) {
  --remember(parent_of(record.path)).now->num_children;
  remember(record.path).now.reset();
}

void planner::foresee(const set_data_record& record) {
  pending& changed = remember(record.path);
  changed.now->version = record.version;
  changed.now->data_bytes = bytes_of(record.data);
}

template <typename Record, typename Request>
operation_record planner::plan_operation(const Request& request) {
  Record record;
  if (const errc code = plan(request, record); code != errc::ok) return error_record{code};
  foresee(record);
  return record;
}

multi_record planner::plan(const wire::multi_request& request) {
  struct visitor {
    planner& self;
    operation_record operator()(const wire::create_request& r) const { return self.plan_operation<create_record>(r); }
    operation_record operator()(const wire::remove_request& r) const { return self.plan_operation<remove_record>(r); }
    operation_record operator()(const wire::set_data_request& r) const {
      return self.plan_operation<set_data_record>(r);
    }
    operation_record operator()(const wire::check_request& r) const { return self.plan_operation<check_record>(r); }
  };
  in_multi_ = true;
  multi_record multi;
  multi.operations.reserve(request.operations.size());
  bool failed = false;
  for (const wire::multi_operation& operation : request.operations) {
    if (failed) {
      multi.operations.emplace_back(error_record{errc::runtime_inconsistency});
    } else {
      multi.operations.push_back(std::visit(visitor{*this}, operation));
      failed = std::holds_alternative<error_record>(multi.operations.back());
    }
  }
  return multi;
}

}  // namespace zkr::backend
