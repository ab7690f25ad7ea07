#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes {

/// A driver's listener that turns a machine's run into one call of a handler, on the scheduler thread: with what the
/// derived class gives to complete(), or with the reason of the end.
template <typename T>
class machine_outcome : public driver::listener {
 public:
  explicit machine_outcome(handler<T> done) : done_(std::move(done)) {}

  void on_emit(const emit& what) override {
    if (what.what == emit_failed) problem_ = what.problem;
  }
  void on_wait_ended(const error& why) override { complete(why); }
  void on_finish() override { complete(problem_.value_or(error(errc::closed))); }

 protected:
  /// The first call decides; what comes later is dropped (a late grant: released).
  void complete(result<T> outcome) {
    if (auto done = std::exchange(done_, nullptr)) done(std::move(outcome));
  }

 private:
  handler<T> done_;
  std::optional<error> problem_;
};

/// `done`, to be called where the handlers of `client` run.
template <typename T>
[[nodiscard]] handler<T> on_handlers(const operations& client, handler<T> done) {
  return [client, done = std::move(done)](result<T> outcome) mutable {
    run_handler(client, [done = std::move(done), outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
  };
}

}  // namespace zkr::recipes
