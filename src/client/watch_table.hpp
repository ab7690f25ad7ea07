#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/strand.hpp"
#include "wire/messages.hpp"
#include "zkrecipes/node.hpp"

namespace zkr::detail {

/// A one-shot watch that waits for its event, and where its handler runs.
struct waiting_watch {
  watch_handler handler;
  std::shared_ptr<strand> where;
};

/// What an existing read leaves behind, by the rules of ClientCnxn: data (get, exists on a node), exist (exists on none),
/// child (children).
enum class watch_kind : std::uint8_t { data, exist, child };

/// The one-shot watches of one session. Not synchronised.
class watch_table {
 public:
  void add(watch_kind kind, std::string_view path, waiting_watch one);
  /// The watches that an event fires; they are gone from the table.
  [[nodiscard]] std::vector<waiting_watch> take(wire::event_type type, std::string_view path);
  /// Everything that waits, with its path; the table is empty then.
  [[nodiscard]] std::vector<std::pair<std::string, waiting_watch>> take_all();
  /// The paths that a SetWatches has to name. Views are valid until the table changes.
  [[nodiscard]] wire::string_list paths(watch_kind kind) const;
  [[nodiscard]] bool empty() const noexcept;

 private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using by_path = std::unordered_map<std::string, std::vector<waiting_watch>, text_hash, std::equal_to<>>;
  std::array<by_path, 3> kinds_;
};

}  // namespace zkr::detail
