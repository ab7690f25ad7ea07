#include "recipes/common/locking.hpp"

#include "recipes/common/campaign.hpp"
#include "recipes/common/machine_outcome.hpp"
#include "recipes/common/survey.hpp"
#include "zkrecipes/path.hpp"

namespace zkr::recipes {
namespace {

using maybe_lock = std::optional<held_lock>;

class lock_outcome final : public machine_outcome<maybe_lock> {
 public:
  lock_outcome(handler<maybe_lock> done, const queue_settings& at)
      : machine_outcome(std::move(done)), recipe_(at.recipe), path_(at.path) {}

  void on_emit(const emit& what) override {
    if (what.what == queue_machine::emit_taken) return complete(maybe_lock());
    machine_outcome::on_emit(what);
  }
  void on_grant(std::shared_ptr<zkr::detail::grant_state> state) override { complete(held_lock(std::move(state))); }
  void on_wait_ended(const error& why) override { complete(error(why.code(), recipe_, path_)); }

 private:
  std::string_view recipe_;
  std::string path_;
};

std::optional<error> why_refused(const operations& client, const queue_settings& at) {
  if (auto valid = check_path(at.path); !valid) return std::move(valid).error();
  for (const auto& marker : at.markers) {
    if (marker.empty()) return error(errc::invalid_argument, at.recipe, at.path, "an empty pattern of names");
  }
  if (client.session().state == session_state::closed) return error(errc::closed, at.recipe, at.path);
  return std::nullopt;
}

/// `done` on the scheduler thread, or within this call.
void begin(const operations& client, queue_settings at, handler<maybe_lock> done, call_options wait) {
  if (auto refusal = why_refused(client, at)) return done(*std::move(refusal));
  if (at.patience == queue_patience::once && !wait.timeout) wait.timeout = default_timeout;
  auto listens = std::make_shared<lock_outcome>(std::move(done), at);
  driver::run(client, std::make_unique<queue_machine>(std::move(at)), std::move(listens), std::move(wait));
}

/// `done` for whoever waits until there is a lock.
handler<maybe_lock> certainly(handler<held_lock> done) {
  return [done = std::move(done)](result<maybe_lock> outcome) mutable {
    if (!outcome) return done(std::move(outcome).error());
    done(**std::move(outcome));
  };
}

}  // namespace

result<held_lock> acquire(const operations& client, queue_settings at, call_options wait) {
  return block_on<held_lock>(client, at.recipe, [&](handler<held_lock> done) {
    at.patience = queue_patience::wait;
    begin(client, std::move(at), certainly(std::move(done)), std::move(wait));
  });
}

void async_acquire(const operations& client, queue_settings at, handler<held_lock> done, call_options wait) {
  at.patience = queue_patience::wait;
  begin(client, std::move(at), certainly(on_handlers(client, std::move(done))), std::move(wait));
}

result<maybe_lock> try_acquire(const operations& client, queue_settings at, call_options wait) {
  return block_on<maybe_lock>(client, at.recipe, [&](handler<maybe_lock> done) {
    at.patience = queue_patience::once;
    begin(client, std::move(at), std::move(done), std::move(wait));
  });
}

void async_try_acquire(const operations& client, queue_settings at, handler<maybe_lock> done, call_options wait) {
  at.patience = queue_patience::once;
  begin(client, std::move(at), on_handlers(client, std::move(done)), std::move(wait));
}

result<std::vector<lock_contender>> contenders(const operations& client, const queue_settings& at, call_options wait) {
  if (auto refusal = why_refused(client, at)) return *std::move(refusal);
  auto found = survey(client, at.recipe, at.path, at.markers, survey_scope::everybody, std::move(wait));
  if (!found) return std::move(found).error();
  std::vector<lock_contender> all;
  for (auto& one : *found) all.push_back({std::move(one.id), std::move(one.path), one.fencing_token, one.leads});
  return all;
}

}  // namespace zkr::recipes
