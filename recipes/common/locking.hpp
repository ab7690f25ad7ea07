#pragma once

#include <optional>
#include <vector>

#include "recipes/common/queue_machine.hpp"
#include "zkrecipes/recipes/held_lock.hpp"

// What the locks that line up in a queue have in common beside their machine. `at` says who lines up, and where.
namespace zkr::recipes {

/// Waits as long as `wait` allows, also where `at` says otherwise.
result<held_lock> acquire(const operations& client, queue_settings at, call_options wait);
void async_acquire(const operations& client, queue_settings at, handler<held_lock> done, call_options wait);

/// Waits for the server only. Unset: another one has it or is before us.
result<std::optional<held_lock>> try_acquire(const operations& client, queue_settings at, call_options wait);
void async_try_acquire(const operations& client, queue_settings at, handler<std::optional<held_lock>> done,
                       call_options wait);

/// All contenders in the order of their turn.
result<std::vector<lock_contender>> contenders(const operations& client, const queue_settings& at, call_options wait);

}  // namespace zkr::recipes
