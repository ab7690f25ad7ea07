#include "testing/exploration/subjects.hpp"
#include "zkrecipes/recipes/mutex.hpp"

namespace zkr::testing {

exploration_subject mutex_subject() {
  return {.name = "mutex",
          .acquire =
              [](const operations& client, const std::string& id, handler<grant> done, call_options wait) {
                mutex(client, {.path = "/m", .id = id})
                    .async_acquire(as_grant<held_lock>(std::move(done)), std::move(wait));
              },
          .own_nodes = {"/m/"}};
}

}  // namespace zkr::testing
