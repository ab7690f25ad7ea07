#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "server/path_hash.hpp"
#include "wire/messages.hpp"

namespace zkr::backend {

using connection_id = std::uint64_t;

/// How long a watch lasts and how far it reaches. Bits: one connection may have all of them on one path.
enum class watch_mode : std::uint8_t { one_shot = 1, persistent = 2, recursive = 4 };

/// One of ZooKeeper's two tables of watches, data or children: who watches which path, and how.
class watch_table {
 public:
  using receivers = std::vector<connection_id>;

  void add(std::string_view path, connection_id who, watch_mode mode);
  /// Takes out those of `modes` (a set of bits). @return true where there was one.
  bool remove(std::string_view path, connection_id who, std::uint8_t modes);
  [[nodiscard]] bool contains(std::string_view path, connection_id who, std::uint8_t modes) const noexcept;
  [[nodiscard]] bool is_watched(std::string_view path) const noexcept { return by_path_.find(path) != by_path_.end(); }
  void remove_connection(connection_id who);

  /// Appends who has to hear of an event of `path` itself; uses up their one-shot watches.
  void fire(std::string_view path, receivers& into);
  /// The same for recursive watches on the path and on all of its ancestors.
  void fire_recursive(std::string_view path, receivers& into) const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t watched_paths() const noexcept { return by_path_.size(); }
  [[nodiscard]] std::size_t watching_connections() const noexcept { return by_connection_.size(); }
  [[nodiscard]] std::size_t watches_of(connection_id who) const noexcept;
  /// Everything, for the four-letter words: paths sorted, connections in order of registration.
  [[nodiscard]] std::vector<std::pair<std::string_view, receivers>> listing() const;

 private:
  struct watcher {
    connection_id who = 0;
    std::uint8_t modes = 0;
  };
  using watchers = std::vector<watcher>;
  using path_map = std::unordered_map<std::string, watchers, path_hash, path_equal>;

  [[nodiscard]] const watcher* find(std::string_view path, connection_id who) const noexcept;
  void forget(connection_id who, const std::string& path) noexcept;
  void collect(std::string_view path, receivers& into) const;

  path_map by_path_;
  std::unordered_map<connection_id, std::unordered_set<const std::string*>> by_connection_;
  std::size_t size_ = 0;
  std::size_t recursive_ = 0;
};

/// All watches of a server. Knows who is to be told what, in which order; telling them is the caller's part.
class watches {
 public:
  /// What checkWatches and removeWatches name (`remove_watches_request::kind`).
  enum class kind : std::int32_t { children = 1, data = 2, any = 3, persistent = 4, recursive = 5 };

  void add_data(std::string_view path, connection_id who) { data_.add(path, who, watch_mode::one_shot); }
  void add_children(std::string_view path, connection_id who) { children_.add(path, who, watch_mode::one_shot); }
  void add_persistent(std::string_view path, connection_id who);
  void add_recursive(std::string_view path, connection_id who) { data_.add(path, who, watch_mode::recursive); }
  [[nodiscard]] bool contains(std::string_view path, connection_id who, kind which) const noexcept;
  /// Apache 3.8's idea of it: whether anybody watches the path in that table.
  [[nodiscard]] bool contains_any(std::string_view path, kind which) const noexcept;
  bool remove(std::string_view path, connection_id who, kind which);
  /// Apache 3.8's way: all watches in that table, however long they last.
  bool remove_all(std::string_view path, connection_id who, kind which);
  void remove_connection(connection_id who);

  /// Who is to be told of each of a change's events; each list has no connection twice. Valid until the next call.
  struct fired {
    const watch_table::receivers& of_node;    ///< created, removed or data_changed, from the data table.
    const watch_table::receivers& of_self;    ///< Removed only: child watchers that the list before does not hold.
    const watch_table::receivers& of_parent;  ///< children_changed of the parent.
  };
  fired created(std::string_view path, std::string_view parent);
  fired removed(std::string_view path, std::string_view parent);
  fired data_changed(std::string_view path);

  [[nodiscard]] const watch_table& data() const noexcept { return data_; }
  [[nodiscard]] const watch_table& children() const noexcept { return children_; }
  [[nodiscard]] std::size_t size() const noexcept { return data_.size() + children_.size(); }
  [[nodiscard]] std::size_t watches_of(connection_id who) const noexcept {
    return data_.watches_of(who) + children_.watches_of(who);
  }

 private:
  void fire_node(std::string_view path);
  void clear() noexcept;

  watch_table data_;
  watch_table children_;
  // Kept between calls: firing allocates only where more connections watch than ever before.
  watch_table::receivers of_node_;
  watch_table::receivers of_self_;
  watch_table::receivers of_parent_;
};

}  // namespace zkr::backend
