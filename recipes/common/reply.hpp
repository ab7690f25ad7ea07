#pragma once

#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes {

/// Hands out the tags of a machine's requests and timers. 0 is the tag of nothing.
class tag_source {
 public:
  [[nodiscard]] tag next() noexcept { return ++last_; }

 private:
  tag last_ = 0;
};

/// What the failure of a request means to a machine.
enum class trouble {
  in_doubt,  ///< A write that may have been applied, or still be: look before it is repeated.
  again,     ///< It was not applied, and the reason is not in the request: connection lost, session moved, throttled.
  over,      ///< The session or the client is over: session_over or shut_down follows.
  refused,   ///< The answer to this very request.
};
[[nodiscard]] trouble classify(const error& problem) noexcept;

/// Whether `problem` is the server's plain answer `code`: refused, with nothing left in doubt.
[[nodiscard]] bool is_refusal(const error& problem, errc code) noexcept;

/// Whether a grant that ended before it was given says something of this node or lease only, so that another node may do
/// better.
[[nodiscard]] bool worth_another_try(const error& grant_ended) noexcept;

/// The reply's value as the type that its request gives. A driver that answers with another breaks its contract.
template <typename T>
[[nodiscard]] const T& value_of(const reply& answer) {
  return *std::get_if<T>(&*answer.value);
}

}  // namespace zkr::recipes
