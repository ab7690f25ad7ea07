#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/access.hpp"
#include "client/client_core.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr::detail {

/// What several operations make up: the steps are issued and answered on the client's step strand, one thing at a time,
/// under one deadline and one stop token. It ends once, when no step of it is on its way any more: nothing that it sent is
/// applied after that, but for what its error calls unknown.
///
/// A derived class has begin(), and makes every handler of a step with step() or write_step().
template <typename T>
class compound : public std::enable_shared_from_this<compound<T>> {
 public:
  compound(const operations& client, std::string_view name, std::string path, call_options wait)
      : core_(recipe_access::core(client)),
        steps_(core_, core_->step_executor(), recipe_access::generation(client)),
        name_(name),
        path_(std::move(path)),
        wait_(std::move(wait)),
        deadline_(deadline_after(core_->runtime().clock().now(),
                                 wait_.timeout.value_or(core_->options().operation_timeout))) {}
  compound(const compound&) = delete;
  compound& operator=(const compound&) = delete;
  virtual ~compound() = default;

  /// @param done  called on the scheduler thread.
  void run(handler<T> done) {
    done_ = std::move(done);
    core_->step_strand()->run([self = this->shared_from_this()] {
      self->begin();
      self->settle();
    });
  }

 protected:
  virtual void begin() = 0;

  /// The handler of a step that reads: `react` gets its answer, unless this operation has failed meanwhile. The steps'
  /// handlers keep it alive.
  template <typename Answer, typename React>
  handler<Answer> step(React react) {
    ++outstanding_;
    return [self = this->shared_from_this(), react = std::move(react)](result<Answer> answer) mutable {
      --self->outstanding_;
      if (!self->ended()) react(std::move(answer));
      self->settle();
    };
  }
  /// The same of a step that writes: once one was applied, or may have been, a failure of the whole is not `not_applied`.
  template <typename Answer, typename React>
  handler<Answer> write_step(React react) {
    return [self = this->shared_from_this(), answered = step<Answer>(std::move(react))](result<Answer> answer) mutable {
      if (answer || answer.error().outcome() == outcome::unknown) self->changed_ = true;
      answered(std::move(answer));
    };
  }
  /// It has been found out that nothing of what was written has been applied, or will be.
  void nothing_was_applied() noexcept { changed_ = false; }

  /// What is left of the time, for the next step.
  [[nodiscard]] call_options rest() const {
    return {.timeout = deadline_ - core_->runtime().clock().now(), .stop = wait_.stop};
  }
  [[nodiscard]] operations& steps() noexcept { return steps_; }
  [[nodiscard]] client_core& core() const noexcept { return *core_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }
  [[nodiscard]] bool ended() const noexcept { return outcome_.has_value(); }

  void succeed(result<T> value) { end(std::move(value)); }
  /// Ends it with the failure of a step. The first one counts.
  void fail(const error& why) {
    error own(why.code(), name_, why.path().empty() ? path_ : why.path(), why.detail());
    own_sent_ = why.sent();
    end(std::move(own));
  }

  /// Whether a write that failed so may be sent again, where a repetition does no harm: its connection was lost. (It then
  /// waits for the next one.)
  [[nodiscard]] static bool worth_repeating(const error& why) noexcept {
    return why.code() == errc::connection_loss || why.code() == errc::session_moved;
  }

 private:
  void end(result<T> how) {
    if (!outcome_) outcome_.emplace(std::move(how));
  }
  void settle() {
    if (!outcome_ || outstanding_ != 0 || !done_) return;
    if (!*outcome_ && (own_sent_ || changed_)) {
      outcome_->error().set_sent(changed_ ? outcome::unknown : outcome::not_applied);
    }
    auto done = std::exchange(done_, nullptr);
    done(*std::move(outcome_));
  }

  const std::shared_ptr<client_core> core_;
  operations steps_;
  const std::string_view name_;
  const std::string path_;
  const call_options wait_;
  const time_point deadline_;
  handler<T> done_;
  std::size_t outstanding_ = 0;
  bool changed_ = false;  ///< Something was applied, or may have been.
  bool own_sent_ = false;
  std::optional<result<T>> outcome_;
};

/// The blocking form of a compound operation: `make` gives it.
template <typename T, typename Make>
result<T> block_on_compound(const operations& client, std::string_view name, Make make) {
  return recipes::block_on<T>(client, name, [&](handler<T> done) { make()->run(std::move(done)); });
}

/// The asynchronous form: `done` runs where the handlers of `client` run.
template <typename T, typename Make>
void start_compound(const operations& client, std::string_view name, handler<T> done, Make make) {
  if (!recipe_access::core(client)) {
    if (done) done(error(errc::closed, name));
    return;
  }
  make()->run([client, done = std::move(done)](result<T> answer) mutable {
    if (!done) return;
    recipes::run_handler(client,
                         [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
  });
}

}  // namespace zkr::detail
