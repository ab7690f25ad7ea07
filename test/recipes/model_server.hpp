#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes::testing {

/// As much of a ZooKeeper server as recipes' machines can see: a tree, sessions, transactions. No network, no time.
class model_server {
 public:
  struct entry {
    std::string data;
    stat_t stat;
    std::uint32_t next_sequence = 0;
    int creator = -1;  ///< Who asked for it: for the tests' books.
  };
  using tree = std::map<std::string, entry>;
  struct change {
    std::string path;
    watch_event_type type;
  };

  std::int64_t open_session() { return *sessions_.insert(++last_session_).first; }
  /// The session's ephemeral nodes go with it.
  void close_session(std::int64_t id);
  [[nodiscard]] bool alive(std::int64_t id) const { return sessions_.count(id) != 0; }

  /// Applies one request of a session, for `creator`; reads see `view` (an older tree) where it is given.
  result<reply_value> apply(std::int64_t session, int creator, const operation& what, const tree* view = nullptr);
  /// What changed since the last call.
  std::vector<change> take_changes() { return std::exchange(changes_, {}); }

  [[nodiscard]] const tree& nodes() const { return *tree_; }
  /// The tree as it is now, for later.
  [[nodiscard]] std::shared_ptr<const tree> snapshot() const { return tree_; }

  /// An administrator's hand.
  void put(const std::string& path, std::string data, std::int64_t owner = 0);
  void erase(const std::string& path);
  void erase_all(const std::string& directory);

 private:
  tree& change_tree();
  result<std::string> create(std::int64_t session, int creator, const std::string& path, const std::string& data,
                             const create_options& options);
  result<stat_t> set(const std::string& path, const std::string& data, std::int32_t version);
  result<void> remove(const std::string& path, std::int32_t version);
  result<reply_value> commit_all(std::int64_t session, int creator, const transaction& writes);

  std::shared_ptr<tree> tree_ = std::make_shared<tree>();
  std::int64_t zxid_ = 100;
  std::int64_t last_session_ = 0x1000;
  std::set<std::int64_t> sessions_;
  std::vector<change> changes_;
};

[[nodiscard]] bool is_write(const operation& what);

}  // namespace zkr::recipes::testing
