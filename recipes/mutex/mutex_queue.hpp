#pragma once

#include "recipes/common/queue_machine.hpp"
#include "zkrecipes/recipes/mutex.hpp"

namespace zkr::recipes {

/// The queue of a mutex: under the names of Curator's InterProcessMutex, each contender in the way of all behind it.
[[nodiscard]] inline queue_settings mutex_queue(const mutex_options& options) {
  queue_settings queue{.recipe = "mutex",
                       .path = options.path,
                       .id = options.id,
                       .acl = options.acl,
                       .parent_acl = options.parent_acl,
                       .markers = {"lock-"}};
  queue.markers.insert(queue.markers.end(), options.extra_lock_patterns.begin(), options.extra_lock_patterns.end());
  return queue;
}

}  // namespace zkr::recipes
