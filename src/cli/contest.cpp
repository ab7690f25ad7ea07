#include "cli/contest.hpp"

#include <utility>

namespace zkr::cli {
namespace {

/// A handler of any recipe's grants as one of grants.
template <typename Held>
handler<Held> as_grant(handler<grant> done) {
  return [done = std::move(done)](result<Held> outcome) mutable {
    if (!outcome) return done(std::move(outcome).error());
    done(grant(*std::move(outcome)));
  };
}

}  // namespace

contest contest_for_leadership(election_kind kind, const std::string& path, const std::string& id) {
  return {.compete =
              [=](const operations& on, handler<grant> done, call_options wait) {
                any_election(on, kind, path, id).async_campaign(as_grant<leadership>(std::move(done)), std::move(wait));
              },
          .prize = "leadership",
          .takes_part = "is a candidate at",
          .wins = "leads",
          .not_won = "not elected at"};
}

contest contest_for_lock(lock_kind kind, const std::string& path, const std::string& id) {
  const auto compete = [=](const operations& on, handler<grant> done, call_options wait) {
    // One path is one lock, whoever shares it and whoever does not: each kind waits for the names of the other. And for
    // kazoo's.
    if (kind == lock_kind::exclusive) {
      mutex(on, {.path = path, .id = id, .extra_lock_patterns = {"__WRIT__", "__READ__", "__lock__"}})
          .async_acquire(as_grant<held_lock>(std::move(done)), std::move(wait));
    } else {
      shared_mutex(on, {.path = path, .id = id, .extra_lock_patterns = {"lock-", "__lock__"}})
          .async_acquire_shared(as_grant<held_lock>(std::move(done)), std::move(wait));
    }
  };
  return {.compete = compete,
          .prize = "lock",
          .takes_part = "waits for the lock of",
          .wins = "holds the lock",
          .not_won = "no lock of"};
}

}  // namespace zkr::cli
