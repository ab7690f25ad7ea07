#include "recipes/model_server.hpp"

#include <fmt/format.h>

#include "zkrecipes/path.hpp"

namespace zkr::recipes::testing {
namespace {

result<const model_server::entry*> find(const model_server::tree& nodes, const std::string& path) {
  const auto found = nodes.find(path);
  if (found == nodes.end()) return error(errc::no_node, "model", path);
  return &found->second;
}

result<reply_value> list(const model_server::tree& nodes, const std::string& path) {
  if (path != "/") {
    if (auto at = find(nodes, path); !at) return at.error();
  }
  child_list children;
  for (const auto& [name, ignored] : nodes) {
    if (parent_path(name) == path) children.names.emplace_back(node_name(name));
  }
  return reply_value(std::move(children));
}

}  // namespace

bool is_write(const operation& what) {
  return std::holds_alternative<create_node>(what) || std::holds_alternative<set_data>(what) ||
         std::holds_alternative<remove_node>(what) || std::holds_alternative<commit>(what);
}

/// Copies the tree if somebody keeps an older state of it.
model_server::tree& model_server::change_tree() {
  if (tree_.use_count() > 1) tree_ = std::make_shared<tree>(*tree_);
  return *tree_;
}

void model_server::close_session(std::int64_t id) {
  sessions_.erase(id);
  ++zxid_;
  std::vector<std::string> gone;
  for (const auto& [path, one] : *tree_) {
    if (one.stat.ephemeral_owner == id) gone.push_back(path);
  }
  for (const auto& path : gone) (void)remove(path, any_version);
}

result<reply_value> model_server::apply(std::int64_t session, int creator, const operation& what, const tree* view) {
  const auto& readable = view != nullptr ? *view : *tree_;
  if (is_write(what)) ++zxid_;
  if (const auto* it = std::get_if<create_node>(&what)) {
    auto path = create(session, creator, it->path, it->data, it->options);
    if (!path) return path.error();
    return reply_value(created{*path, tree_->at(*path).stat});
  }
  if (const auto* it = std::get_if<read_node>(&what)) {
    auto at = find(readable, it->path);
    if (!at) return at.error();
    return reply_value(node{(*at)->data, (*at)->stat});
  }
  if (const auto* it = std::get_if<check_exists>(&what)) {
    auto at = find(readable, it->path);
    if (!at) return at.error();
    return reply_value((*at)->stat);
  }
  if (const auto* it = std::get_if<list_children>(&what)) return list(readable, it->path);
  if (const auto* it = std::get_if<set_data>(&what)) {
    auto stat = set(it->path, it->data, it->version);
    if (!stat) return stat.error();
    return reply_value(*stat);
  }
  if (const auto* it = std::get_if<remove_node>(&what)) {
    if (auto done = remove(it->path, it->version); !done) return done.error();
    return reply_value();
  }
  if (const auto* it = std::get_if<commit>(&what)) return commit_all(session, creator, it->writes);
  return reply_value();  // sync
}

result<reply_value> model_server::commit_all(std::int64_t session, int creator, const transaction& writes) {
  const tree before = *tree_;
  const auto changes_before = changes_.size();
  std::vector<transaction_result> results;
  for (const auto& one : writes.operations()) {
    transaction_result done;
    std::optional<error> problem;
    if (const auto* op = std::get_if<transaction::check_op>(&one)) {
      const auto at = find(*tree_, op->path);
      if (!at) {
        problem = at.error();
      } else if (op->version != any_version && (*at)->stat.version != op->version) {
        problem = error(errc::bad_version, "check", op->path);
      }
    } else if (const auto* create_op = std::get_if<transaction::create_op>(&one)) {
      auto path = create(session, creator, create_op->path, create_op->data, create_op->options);
      if (path) {
        done.path = *path;
      } else {
        problem = path.error();
      }
    } else if (const auto* set_op = std::get_if<transaction::set_op>(&one)) {
      auto stat = set(set_op->path, set_op->data, set_op->version);
      if (stat) {
        done.stat = *stat;
      } else {
        problem = stat.error();
      }
    } else if (const auto* remove_op = std::get_if<transaction::remove_op>(&one)) {
      if (auto gone = remove(remove_op->path, remove_op->version); !gone) problem = gone.error();
    }
    if (problem) {
      change_tree() = before;
      changes_.resize(changes_before, change{{}, watch_event_type::closed});
      return problem->set_failed_operation(results.size());
    }
    results.push_back(std::move(done));
  }
  return reply_value(std::move(results));
}

result<std::string> model_server::create(std::int64_t session, int creator, const std::string& path,
                                         const std::string& data, const create_options& options) {
  const std::string parent(parent_path(path));
  auto& nodes = change_tree();
  static std::uint32_t root_sequence = 0;
  std::uint32_t* sequence = &root_sequence;
  if (parent != "/") {
    const auto found = nodes.find(parent);
    if (found == nodes.end()) return error(errc::no_node, "create", path);
    if (found->second.stat.ephemeral_owner != 0) return error(errc::no_children_for_ephemerals, "create", path);
    sequence = &found->second.next_sequence;
  }
  const bool ephemeral = options.mode == create_mode::ephemeral || options.mode == create_mode::ephemeral_sequential;
  std::string full = path;
  if (options.mode == create_mode::ephemeral_sequential) {
    full += fmt::format("{:010d}", static_cast<std::int32_t>(*sequence));
  }
  if (nodes.count(full) != 0) return error(errc::node_exists, "create", full);
  ++*sequence;
  entry fresh;
  fresh.data = data;
  fresh.creator = creator;
  fresh.stat.czxid = fresh.stat.mzxid = zxid_;
  fresh.stat.ephemeral_owner = ephemeral ? session : 0;
  nodes.emplace(full, std::move(fresh));
  changes_.push_back({full, watch_event_type::created});
  return full;
}

result<stat_t> model_server::set(const std::string& path, const std::string& data, std::int32_t version) {
  if (auto at = find(*tree_, path); !at) return at.error();
  auto& one = change_tree().at(path);
  if (version != any_version && version != one.stat.version) return error(errc::bad_version, "set", path);
  one.data = data;
  one.stat.version += 1;
  one.stat.mzxid = zxid_;
  changes_.push_back({path, watch_event_type::data_changed});
  return one.stat;
}

result<void> model_server::remove(const std::string& path, std::int32_t version) {
  if (auto at = find(*tree_, path); !at) return at.error();
  auto& nodes = change_tree();
  if (version != any_version && version != nodes.at(path).stat.version) return error(errc::bad_version, "remove", path);
  const auto next = std::next(nodes.find(path));
  if (next != nodes.end() && parent_path(next->first) == path) return error(errc::not_empty, "remove", path);
  nodes.erase(path);
  changes_.push_back({path, watch_event_type::removed});
  return {};
}

void model_server::put(const std::string& path, std::string data, std::int64_t owner) {
  ++zxid_;
  if (tree_->count(path) != 0) {
    (void)set(path, data, any_version);
  } else {
    (void)create(owner, -1, path, data, {.mode = owner != 0 ? create_mode::ephemeral : create_mode::persistent});
  }
}

void model_server::erase(const std::string& path) {
  ++zxid_;
  (void)remove(path, any_version);
}

void model_server::erase_all(const std::string& directory) {
  std::vector<std::string> all;
  for (const auto& [path, ignored] : *tree_) {
    if (path == directory || path.starts_with(directory + "/")) all.push_back(path);
  }
  for (auto it = all.rbegin(); it != all.rend(); ++it) erase(*it);
}

}  // namespace zkr::recipes::testing
