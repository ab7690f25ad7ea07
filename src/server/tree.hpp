#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "server/acl_table.hpp"
#include "server/node_table.hpp"
#include "server/owner.hpp"
#include "zkrecipes/stat.hpp"

namespace zkr::backend {

/// A node as it is stored. What clients see is derived from it: `client_stat`.
struct node {
  std::string_view path;  ///< Lives as long as the node.
  std::string data;
  bool null_data = false;  ///< Written as null: read back as null, not as empty.
  std::int64_t czxid = 0;
  std::int64_t mzxid = 0;
  std::int64_t pzxid = 0;
  std::int64_t ctime = 0;
  std::int64_t mtime = 0;
  std::int32_t version = 0;
  std::int32_t creations = 0;  ///< Children ever created: Apache's stored cversion, and the next sequence number.
  std::int32_t aversion = 0;
  std::int32_t num_children = 0;
  std::int64_t owner = 0;  ///< See owner.hpp.
  acl_id acl = open_acl_id;

  // Children form a list through their siblings, in order of creation: no set of names beside the map of paths.
  node* parent = nullptr;
  node* first_child = nullptr;
  node* last_child = nullptr;
  node* previous_sibling = nullptr;
  node* next_sibling = nullptr;

  [[nodiscard]] std::string_view name() const noexcept;
};

[[nodiscard]] stat_t client_stat(const node& of) noexcept;

/// Nodes by creation, so that expiry and reaping go in a fixed order.
using node_index = std::multimap<std::int64_t, node*>;

/// The nodes: looked up by path, linked to their parents, with indexes of the kinds that end by themselves.
class tree {
 public:
  /// With the nodes that every server has: "/", "/zookeeper" and two below it.
  tree();
  tree(const tree&) = delete;
  tree& operator=(const tree&) = delete;
  // What was moved from is good for nothing but its end.
  tree(tree&&) = default;
  tree& operator=(tree&&) = default;

  /// The node, or null. "" finds the root, as it does for Apache's readers.
  [[nodiscard]] const node* find(std::string_view path) const noexcept;
  [[nodiscard]] node* find(std::string_view path) noexcept;
  [[nodiscard]] const node& root() const noexcept { return *root_; }
  /// The node below which a path can be added, or null: it is not there, or is ephemeral. Clients that ask for such a thing
  /// are told so before; a damaged file may ask too.
  [[nodiscard]] node* parent_for(std::string_view path) noexcept;
  /// For what follows soon, see `node_table`.
  [[nodiscard]] const node_table& table() const noexcept { return nodes_; }

  /// Adds a child whose path is free. The caller fills in everything but the links, `path` and `owner`.
  node& add(std::string_view path, node& parent, std::int64_t czxid, std::int64_t owner);
  /// Puts in a node as a snapshot has it; its links are made here. Nodes that every server has are overwritten.
  /// @return the node, or null where it cannot have a parent (`parent_for`) or the path is taken.
  node* restore(std::string_view path, node&& stored);
  /// Takes out a node without children.
  void remove(node& leaf);

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// Bytes of all paths and data, as Apache counts them.
  [[nodiscard]] std::int64_t approximate_bytes() const noexcept;
  [[nodiscard]] std::size_t ephemerals() const noexcept { return ephemeral_count_; }

  [[nodiscard]] const std::unordered_map<std::int64_t, node_index>& ephemerals_by_session() const noexcept {
    return ephemerals_;
  }
  /// The ephemeral nodes of a session, in order of creation.
  [[nodiscard]] const node_index& ephemerals_of(std::int64_t session) const noexcept;
  [[nodiscard]] const node_index& containers() const noexcept { return containers_; }
  [[nodiscard]] const node_index& ttl_nodes() const noexcept { return ttl_nodes_; }

 private:
  node& add_builtin(std::string_view path, node* parent);
  node& insert(std::string_view path, node* parent);
  node_index* index_of(std::int64_t owner);

  node_table nodes_;
  node* root_ = nullptr;
  std::unordered_map<std::int64_t, node_index> ephemerals_;
  std::size_t ephemeral_count_ = 0;
  node_index containers_;
  node_index ttl_nodes_;
};

/// Paths that cannot be removed.
[[nodiscard]] bool is_builtin(std::string_view path) noexcept;

}  // namespace zkr::backend
