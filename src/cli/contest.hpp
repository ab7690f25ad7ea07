#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/any_election.hpp"
#include "zkrecipes/recipes/mutex.hpp"
#include "zkrecipes/recipes/shared_mutex.hpp"

namespace zkr::cli {

/// What the tool competes for, and how it tells people.
struct contest {
  /// Starts a candidacy. The handler runs on the client's executor.
  std::function<void(const operations& on, handler<grant> done, call_options wait)> compete;
  std::string_view prize;       ///< "the ... of PATH is lost"
  std::string_view takes_part;  ///< "ID ... PATH"
  std::string_view wins;        ///< "ID ..., fencing token N"; "ID ... no more"
  std::string_view not_won;     ///< "... PATH within 5s"
};

/// How a lock is shared.
enum class lock_kind { exclusive, shared };

[[nodiscard]] contest contest_for_leadership(election_kind kind, const std::string& path, const std::string& id);
[[nodiscard]] contest contest_for_lock(lock_kind kind, const std::string& path, const std::string& id);

}  // namespace zkr::cli
