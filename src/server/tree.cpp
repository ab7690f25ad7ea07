#include "server/tree.hpp"

#include <algorithm>
#include <utility>

#include "server/paths.hpp"

namespace zkr::backend {

namespace {

constexpr std::string_view root_path = "/";
constexpr std::string_view zookeeper_path = "/zookeeper";
constexpr std::string_view quota_path = "/zookeeper/quota";
constexpr std::string_view config_path = "/zookeeper/config";

void erase_from(node_index& index, const node& which) {
  const auto [first, last] = index.equal_range(which.czxid);
  index.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == &which; }));
}

}  // namespace

bool is_builtin(std::string_view path) noexcept {
  return path == root_path || path == zookeeper_path || path == quota_path || path == config_path;
}

std::string_view node::name() const noexcept { return path.substr(path.rfind('/') + 1); }

stat_t client_stat(const node& of) noexcept {
  stat_t stat;
  stat.czxid = of.czxid;
  stat.mzxid = of.mzxid;
  stat.ctime = of.ctime;
  stat.mtime = of.mtime;
  stat.version = of.version;
  // Creations and deletions: the children that are gone were created once and deleted once. Wraps as Java's int does.
  stat.cversion = static_cast<std::int32_t>(2U * static_cast<std::uint32_t>(of.creations) -
                                            static_cast<std::uint32_t>(of.num_children));
  stat.aversion = of.aversion;
  stat.ephemeral_owner = kind_of(of.owner) == node_kind::ephemeral ? of.owner : 0;
  stat.data_length = static_cast<std::int32_t>(of.data.size());
  stat.num_children = of.num_children;
  stat.pzxid = of.pzxid;
  return stat;
}

tree::tree() {
  root_ = &add_builtin(root_path, nullptr);
  node& zookeeper = add_builtin(zookeeper_path, root_);
  add_builtin(quota_path, &zookeeper);
  node& config = add_builtin(config_path, &zookeeper);
  config.aversion = -1;
  config.acl = read_only_acl_id;
}

const node* tree::find(std::string_view path) const noexcept {
  const node* found = nodes_.find(path);
  return found == nullptr && path.empty() ? root_ : found;
}

node* tree::find(std::string_view path) noexcept { return const_cast<node*>(std::as_const(*this).find(path)); }

node* tree::parent_for(std::string_view path) noexcept {
  node* parent = has_slash(path) ? find(parent_of(path)) : nullptr;
  return parent == nullptr || kind_of(parent->owner) == node_kind::ephemeral ? nullptr : parent;
}

// Apache does not count them among the creations of their parents.
node& tree::add_builtin(std::string_view path, node* parent) { return insert(path, parent); }

node& tree::insert(std::string_view path, node* parent) {
  node& added = nodes_.insert(path);
  added.parent = parent;
  if (parent != nullptr) {
    added.previous_sibling = parent->last_child;
    (parent->last_child != nullptr ? parent->last_child->next_sibling : parent->first_child) = &added;
    parent->last_child = &added;
    ++parent->num_children;
  }
  return added;
}

node& tree::add(std::string_view path, node& parent, std::int64_t czxid, std::int64_t owner) {
  node& added = insert(path, &parent);
  added.czxid = czxid;
  added.owner = owner;
  if (node_index* index = index_of(owner)) index->emplace_hint(index->end(), czxid, &added);
  if (kind_of(owner) == node_kind::ephemeral) ++ephemeral_count_;
  return added;
}

node* tree::restore(std::string_view path, node&& stored) {
  node* to = find(path);
  if (to != nullptr && !is_builtin(to->path)) return nullptr;
  if (to == nullptr) {
    node* parent = parent_for(path);
    if (parent == nullptr) return nullptr;
    to = &add(path, *parent, stored.czxid, stored.owner);
  }
  to->data = std::move(stored.data);
  to->null_data = stored.null_data;
  to->czxid = stored.czxid;
  to->mzxid = stored.mzxid;
  to->pzxid = stored.pzxid;
  to->ctime = stored.ctime;
  to->mtime = stored.mtime;
  to->version = stored.version;
  to->creations = stored.creations;
  to->aversion = stored.aversion;
  return to;
}

void tree::remove(node& leaf) {
  node& parent = *leaf.parent;
  (leaf.previous_sibling != nullptr ? leaf.previous_sibling->next_sibling : parent.first_child) = leaf.next_sibling;
  (leaf.next_sibling != nullptr ? leaf.next_sibling->previous_sibling : parent.last_child) = leaf.previous_sibling;
  --parent.num_children;
  if (node_index* index = index_of(leaf.owner)) {
    erase_from(*index, leaf);
    if (kind_of(leaf.owner) == node_kind::ephemeral) {
      --ephemeral_count_;
      if (index->empty()) ephemerals_.erase(leaf.owner);
    }
  }
  nodes_.erase(leaf);
}

node_index* tree::index_of(std::int64_t owner) {
  switch (kind_of(owner)) {
    case node_kind::ephemeral: return &ephemerals_[owner];
    case node_kind::container: return &containers_;
    case node_kind::ttl: return &ttl_nodes_;
    case node_kind::persistent: break;
  }
  return nullptr;
}

const node_index& tree::ephemerals_of(std::int64_t session) const noexcept {
  static const node_index none;
  const auto found = ephemerals_.find(session);
  return found == ephemerals_.end() ? none : found->second;
}

std::int64_t tree::approximate_bytes() const noexcept {
  std::size_t bytes = 0;
  nodes_.for_each([&](const node& one) { bytes += one.path.size() + one.data.size(); });
  return static_cast<std::int64_t>(bytes);
}

}  // namespace zkr::backend
