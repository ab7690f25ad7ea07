#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/error.hpp"
#include "zkrecipes/stat.hpp"
#include "zkrecipes/unique_function.hpp"

namespace zkr {

/// A node's data and metadata, read at one moment. Data that is null on the server reads as empty.
struct node {
  std::string data;
  stat_t stat;
};

/// A node that was created: the path with the sequence number, where there is one.
struct created {
  std::string path;
  stat_t stat;
};

/// The names (not paths) of a node's children, in no order, and the node's own metadata.
struct child_list {
  std::vector<std::string> names;
  stat_t stat;
};

enum class watch_event_type {
  created,
  removed,
  data_changed,
  children_changed,
  session_lost,  ///< The session ended before the event came. The watch is not moved to a new session.
  closed,        ///< The client was closed before the event came.
};

[[nodiscard]] std::string_view to_string(watch_event_type type) noexcept;

struct watch_event {
  watch_event_type type = watch_event_type::closed;
  std::string path;
};

/// Handler of a one-shot watch: called exactly once if the read that carried it succeeded (`exists`: or found no node),
/// else never.
using watch_handler = unique_function<void(const watch_event&)>;

/// What a subscription saw: the node as it is now. Changes in between may have been missed; the last one never is.
struct node_change {
  std::string path;
  std::optional<zkr::node> node;  ///< Unset: there is no such node.
  std::optional<zkr::error>
      problem;  ///< Set: the node cannot be read (no_auth), or the subscription has ended (closed).
};

struct children_change {
  std::string path;
  std::optional<child_list> children;  ///< Unset: there is no such node.
  std::optional<zkr::error> problem;
};

}  // namespace zkr
