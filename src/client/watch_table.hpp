#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
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
  /// Where set, the watch is of use only while its owner lives.
  std::optional<std::weak_ptr<const void>> owner = {};
};

/// What an existing read leaves behind, by the rules of ClientCnxn: data (get, exists on a node), exist (exists on none),
/// child (children).
enum class watch_kind : std::uint8_t { data, exist, child };

/// The one-shot watches of one session. Not synchronised.
///
/// Watches whose owner is gone are dropped now and then, so that there are never more of them than twice those of use.
class watch_table {
 public:
  void add(watch_kind kind, std::string_view path, waiting_watch one);
  /// Takes out what is of no use any more among the watches of a path. `nobody_left`: some were taken, and no watch of
  /// these kinds is left there.
  struct unwanted {
    std::vector<waiting_watch> watches;
    bool nobody_left = false;
  };
  [[nodiscard]] unwanted take_unwanted(std::initializer_list<watch_kind> kinds, std::string_view path);
  /// The watches that an event fires; they are gone from the table.
  [[nodiscard]] std::vector<waiting_watch> take(wire::event_type type, std::string_view path);
  /// Everything that waits, with its path; the table is empty then.
  [[nodiscard]] std::vector<std::pair<std::string, waiting_watch>> take_all();
  /// The paths that a SetWatches has to name. Views are valid until the table changes.
  [[nodiscard]] wire::string_list paths(watch_kind kind) const;
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Of the paths that a SetWatches has to name, with `overhead` for each.
  [[nodiscard]] std::size_t path_bytes(std::size_t overhead) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t least_sweep = 64;
  void sweep();

  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using by_path = std::unordered_map<std::string, std::vector<waiting_watch>, text_hash, std::equal_to<>>;
  std::array<by_path, 3> kinds_;
  by_path::iterator erase(by_path& from, by_path::iterator at);
  std::size_t size_ = 0;
  std::size_t paths_ = 0;       ///< Of all kinds.
  std::size_t path_bytes_ = 0;  ///< Of these.
  std::size_t sweep_at_ = least_sweep;
};

}  // namespace zkr::detail
