#pragma once

#include <string>
#include <utility>
#include <vector>

#include "zkrecipes/operations.hpp"
#include "zkrecipes/transaction.hpp"

namespace zkr::detail {

/// Settles what the session had sent over its former connections: what a read behind a fence does not show will never come.
///
/// A transaction that changes nothing: a majority has to agree to it, behind everything that it agreed to before, and the
/// server that answers has applied it, as has every server that the session moves to later. ZooKeeper's sync is not enough
/// for that: a leader answers its own clients' at once, whatever it has proposed and not applied yet, and one that is
/// deposed and does not know it answers everybody's.
///
/// @param done  where the connection was lost, a failure with outcome::not_applied: nothing is settled. Fence again, and
///              read again.
inline void async_fence(const operations& client, const std::string& path, handler<void> done, call_options wait = {}) {
  transaction nothing;
  nothing.check(path);
  auto answered = [done = std::move(done)](const result<std::vector<transaction_result>>& answer) mutable {
    if (answer) return done({});
    const auto& why = answer.error();
    switch (why.code()) {
      case errc::no_node:
      case errc::no_auth: return done({});  // a majority has agreed to the refusal
      default: return done(error(why.code(), "fence", why.path(), why.detail()));
    }
  };
  operations(client).async_commit(std::move(nothing), std::move(answered), std::move(wait));
}

}  // namespace zkr::detail
