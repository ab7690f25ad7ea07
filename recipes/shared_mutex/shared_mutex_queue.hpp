#pragma once

#include "recipes/common/queue_machine.hpp"
#include "zkrecipes/recipes/shared_mutex.hpp"

namespace zkr::recipes {

enum class lock_mode { exclusive, shared };

/// The names of Curator's InterProcessReadWriteLock.
inline constexpr std::string_view writer_marker = "__WRIT__";
inline constexpr std::string_view reader_marker = "__READ__";

/// The queue of a shared mutex: readers pass readers.
[[nodiscard]] inline queue_settings shared_mutex_queue(const shared_mutex_options& options, lock_mode mode) {
  queue_settings queue{.recipe = "shared_mutex",
                       .path = options.path,
                       .id = options.id,
                       .acl = options.acl,
                       .parent_acl = options.parent_acl,
                       .markers = {std::string(writer_marker), std::string(reader_marker)},
                       .list_when_woken = true};
  if (mode == lock_mode::shared) {
    std::swap(queue.markers[0], queue.markers[1]);
    queue.passes = {std::string(reader_marker)};
  }
  return queue;
}

}  // namespace zkr::recipes
