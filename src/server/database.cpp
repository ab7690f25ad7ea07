#include "server/database.hpp"

#include <algorithm>

#include "server/paths.hpp"
#include "server/quotas.hpp"

namespace zkr::backend {

bool has_failed(const multi_record& multi) noexcept {
  return std::any_of(multi.operations.begin(), multi.operations.end(),
                     [](const operation_record& one) { return std::holds_alternative<error_record>(one); });
}

namespace {

std::int64_t owner_of(const create_record& record, const transaction_header& header) {
  switch (record.kind) {
    case node_kind::ephemeral: return header.session;
    case node_kind::container: return container_owner;
    case node_kind::ttl: return ttl_owner(record.ttl_ms);
    case node_kind::persistent: break;
  }
  return 0;
}

void assign(node& to, const wire::buffer& data) {
  to.null_data = !data.has_value();
  to.data.assign(data.value_or(std::string_view()));
}

}  // namespace

class database::applier {
 public:
  applier(database& into, const transaction_header& header, change_sink& changes, std::vector<applied>* parts)
      : into_(into), header_(header), changes_(changes), parts_(parts) {}

  applied operator()(const error_record& record) const { return {record.code, {}}; }
  applied operator()(const check_record&) const { return {}; }

  applied operator()(const create_record& record) const {
    node* parent = into_.nodes_.parent_for(record.path);
    if (parent == nullptr) return {errc::no_node, {}};
    const bool exists = into_.nodes_.find(record.path) != nullptr;
    // A create that was part of the snapshot already still updates its parent, but only where it is of type 1.
    if (!exists || record.type == wire::opcode::create) count_creation(*parent, record.parent_creations);
    if (exists) return {errc::node_exists, {}};

    node& made = into_.nodes_.add(record.path, *parent, header_.zxid, owner_of(record, header_));
    made.mzxid = made.pzxid = header_.zxid;
    made.ctime = made.mtime = header_.time_ms;
    made.acl = record.acl.empty() ? open_acl_id : into_.acls_.acquire(record.acl);
    assign(made, record.data);
    const stat_t stat = client_stat(made);
    count_created(into_.nodes_, made);
    changes_.created(made.path, made.acl, parent->path, parent->acl);
    return {errc::ok, stat};
  }

  applied operator()(const remove_record& record) const { return {remove(record.path), {}}; }

  applied operator()(const set_data_record& record) const {
    node* found = into_.nodes_.find(record.path);
    if (found == nullptr) return {errc::no_node, {}};
    const auto bytes_before = static_cast<std::int64_t>(found->data.size());
    assign(*found, record.data);
    found->version = record.version;
    found->mzxid = header_.zxid;
    found->mtime = header_.time_ms;
    const stat_t stat = client_stat(*found);
    count_usage(into_.nodes_, found->path, static_cast<std::int64_t>(found->data.size()) - bytes_before, 0);
    changes_.data_changed(found->path, found->acl);
    return {errc::ok, stat};
  }

  applied operator()(const set_acl_record& record) const {
    node* found = into_.nodes_.find(record.path);
    if (found == nullptr) return {errc::no_node, {}};
    const acl_id before = found->acl;
    found->acl = record.acl.empty() ? open_acl_id : into_.acls_.acquire(record.acl);
    into_.acls_.release(before);
    found->aversion = record.version;
    return {errc::ok, client_stat(*found)};
  }

  applied operator()(const create_session_record& record) const {
    into_.sessions_[header_.session] = record.timeout_ms;
    return {};
  }

  applied operator()(const close_session_record& record) const {
    into_.sessions_.erase(header_.session);
    for (const std::string& path : record.paths) remove(path);
    // Apache removes what the record forgot as well.
    std::vector<std::string> left;
    for (const auto& [zxid, one] : into_.nodes_.ephemerals_of(header_.session)) left.emplace_back(one->path);
    for (const std::string& path : left) remove(path);
    return {};
  }

  applied operator()(const multi_record& record) const {
    const bool failed = has_failed(record);
    for (const operation_record& one : record.operations) {
      applied result;
      if (!failed) {
        result = std::visit(*this, one);
      } else if (const error_record* error = std::get_if<error_record>(&one)) {
        result.code = error->code;
      }
      if (parts_ != nullptr) parts_->push_back(result);
    }
    return {};
  }

 private:
  void count_creation(node& parent, std::int32_t creations) const {
    if (creations == -1) creations = next(parent.creations);
    if (creations <= parent.creations) return;
    parent.creations = creations;
    parent.pzxid = header_.zxid;
  }

  errc remove(std::string_view path) const {
    node* parent = into_.nodes_.find(parent_of(path));
    if (parent == nullptr) return errc::no_node;
    parent->pzxid = std::max(parent->pzxid, header_.zxid);
    node* found = into_.nodes_.find(path);
    if (found == nullptr || found->first_child != nullptr || is_builtin(found->path)) return errc::no_node;

    // The path and the list must outlive the node: watchers are told by them.
    const std::string removed_path(found->path);
    const acl_id acl = found->acl;
    const auto bytes = static_cast<std::int64_t>(found->data.size());
    into_.nodes_.remove(*found);
    count_usage(into_.nodes_, removed_path, -bytes, -1);
    changes_.removed(removed_path, acl, parent->path, parent->acl);
    into_.acls_.release(acl);
    return errc::ok;
  }

  database& into_;
  const transaction_header& header_;
  change_sink& changes_;
  std::vector<applied>* parts_;
};

applied database::apply(const transaction& what, change_sink& changes, std::vector<applied>* parts) {
  last_zxid_ = std::max(last_zxid_, what.header.zxid);
  return std::visit(applier(*this, what.header, changes, parts), what.record);
}

bool database::restore_node(std::string_view path, node&& stored, const acl_list& acl) {
  node* restored = nodes_.restore(path, std::move(stored));
  if (restored == nullptr) return false;
  const acl_id before = restored->acl;
  restored->acl = acls_.acquire(acl);
  acls_.release(before);
  return true;
}

bool database::set_next_sequence(std::string_view path, std::int32_t number) noexcept {
  node* found = nodes_.find(path);
  if (found == nullptr) return false;
  found->creations = number;
  return true;
}

}  // namespace zkr::backend
