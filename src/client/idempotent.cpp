#include "zkrecipes/idempotent.hpp"

#include <algorithm>

#include "client/compound.hpp"
#include "client/fence.hpp"
#include "client/uuid.hpp"
#include "zkrecipes/path.hpp"

namespace zkr {
namespace {

using detail::compound;

/// A write that is repeated: attempt, and where its reply is lost: look, and again.
template <typename T>
class repeated_write : public compound<T> {
 public:
  using compound<T>::compound;

 protected:
  virtual void attempt() = 0;

  void begin() override {
    // What is found later says something only if the session is the one in which the write was sent.
    if (this->core().session().state != session_state::lost) return pin_and_attempt();
    this->steps().async_sync("/", this->template step<void>([this](const result<void>& answer) {
      if (!answer) return this->fail(answer.error());
      pin_and_attempt();
    }),
                             this->rest());
  }

  /// Runs `read` once what was sent is settled: the read shows it, or it will never come.
  template <typename Read>
  void settle_and(Read read) {
    detail::async_fence(this->steps(), "/", this->template step<void>([this, read](const result<void>& answer) {
      if (answer) return read();
      if (!this->worth_repeating(answer.error())) return this->fail(answer.error());
      settle_and(read);
    }),
                        this->rest());
  }

  /// What was sent was not applied, and will not be.
  void again() {
    this->nothing_was_applied();
    attempt();
  }
  void fail_not_applied(errc code) {
    this->nothing_was_applied();
    this->fail(error(code, this->name(), this->path()));
  }
  /// With outcome::unknown: a write was sent, and is not proved to be without effect.
  void fail_unknown(errc code, std::string detail) {
    this->fail(error(code, this->name(), this->path(), std::move(detail)));
  }

 private:
  void pin_and_attempt() {
    this->steps() = this->steps().pinned();
    attempt();
  }
};

bool is_ephemeral(create_mode mode) noexcept {
  return mode == create_mode::ephemeral || mode == create_mode::ephemeral_sequential;
}

bool is_sequential(create_mode mode) noexcept {
  return mode == create_mode::persistent_sequential || mode == create_mode::ephemeral_sequential ||
         mode == create_mode::ttl_sequential;
}

class repeated_create final : public repeated_write<created> {
 public:
  repeated_create(const operations& client, std::string path, std::string data, create_options options,
                  call_options wait)
      : repeated_write(client, "idempotent_create", std::move(path), std::move(wait)),
        data_(std::move(data)),
        options_(std::move(options)),
        target_(this->path()) {
    if (!is_sequential(options_.mode) || !check_path(target_, path_kind::sequential_stem)) return;
    const auto name_at = target_.rfind('/') + 1;
    prefix_ = recipes::protected_name(detail::make_uuid(core().runtime()), "");
    target_.insert(name_at, prefix_);
  }

 private:
  void attempt() override {
    steps().async_create(target_, data_, options_, write_step<created>([this](result<created> answer) {
                           if (answer) return succeed(*std::move(answer));
                           if (!worth_repeating(answer.error())) return fail(answer.error());
                           if (prefix_.empty()) {
                             settle_and([this] { look_at_node(); });
                           } else {
                             settle_and([this] { look_for_prefix(); });
                           }
                         }),
                         rest());
  }

  void look_at_node() {
    auto react = step<node>([this](const result<node>& answer) {
      if (!answer) return answer.error().code() == errc::no_node ? again() : fail(answer.error());
      const auto& stat = answer->stat;
      if (stat.version != 0) return fail_unknown(errc::node_exists, "somebody has changed it since it was created");
      const auto session = core().session();
      if (session.generation != recipe_access::generation(steps())) {
        return fail_unknown(errc::session_lost, "the session has ended since");
      }
      const auto owner = is_ephemeral(options_.mode) ? session.id : 0;
      if (stat.ephemeral_owner != owner || answer->data != data_) return fail_not_applied(errc::node_exists);
      succeed(created{target_, stat});
    });
    steps().async_get(target_, std::move(react), {}, rest());
  }

  void look_for_prefix() {
    const std::string directory(parent_path(target_));
    auto react = step<child_list>([this, directory](const result<child_list>& answer) {
      if (!answer) return answer.error().code() == errc::no_node ? again() : fail(answer.error());
      const auto ours = std::find_if(answer->names.begin(), answer->names.end(),
                                     [this](const std::string& name) { return name.starts_with(prefix_); });
      if (ours == answer->names.end()) return again();
      take(join_path(directory, *ours));
    });
    steps().async_children(directory, std::move(react), {}, rest());
  }

  void take(const std::string& found) {
    steps().async_exists(found, step<stat_t>([this, found](const result<stat_t>& answer) {
                           if (answer) return succeed(created{found, *answer});
                           fail(answer.error());  // no_node: removed this very moment
                         }),
                         {}, rest());
  }

  const std::string data_;
  const create_options options_;
  std::string target_;
  std::string prefix_;  ///< Of the name of a sequential node.
};

/// Whether a stat is one that a server gave.
bool is_real(const stat_t& seen) noexcept { return seen.czxid != 0; }

class repeated_set final : public repeated_write<stat_t> {
 public:
  repeated_set(const operations& client, std::string path, std::string data, const stat_t& seen, call_options wait)
      : repeated_write(client, "idempotent_set", std::move(path), std::move(wait)),
        data_(std::move(data)),
        seen_(seen) {}

 private:
  void attempt() override {
    if (!is_real(seen_)) return fail(error(errc::invalid_argument, name(), path(), "seen: not a node's stat"));
    steps().async_set(path(), data_, seen_.version, write_step<stat_t>([this](const result<stat_t>& answer) {
                        if (answer) return succeed(*answer);
                        if (!worth_repeating(answer.error())) return fail(answer.error());
                        settle_and([this] { look_at_node(); });
                      }),
                      rest());
  }

  void look_at_node() {
    auto react = step<node>([this](const result<node>& answer) {
      if (!answer) return fail(answer.error());  // no_node too: it may have been ours before it was removed
      const auto& now = answer->stat;
      if (now.czxid != seen_.czxid) return fail_unknown(errc::no_node, "it was removed, and created anew");
      if (now.mzxid == seen_.mzxid) return again();
      if (now.version != seen_.version + 1) return fail_unknown(errc::bad_version, "others have written since");
      if (answer->data != data_) return fail_not_applied(errc::bad_version);
      succeed(now);
    });
    steps().async_get(path(), std::move(react), {}, rest());
  }

  const std::string data_;
  const stat_t seen_;
};

class repeated_remove final : public repeated_write<removal> {
 public:
  repeated_remove(const operations& client, std::string path, const stat_t& seen, call_options wait)
      : repeated_write(client, "idempotent_remove", std::move(path), std::move(wait)), seen_(seen) {}

 private:
  void attempt() override {
    if (!is_real(seen_)) return fail(error(errc::invalid_argument, name(), path(), "seen: not a node's stat"));
    steps().async_remove(path(), seen_.version, write_step<void>([this](const result<void>& answer) {
                           if (answer) return succeed(removal::ours);
                           if (!worth_repeating(answer.error())) return fail(answer.error());
                           settle_and([this] { look_at_node(); });
                         }),
                         rest());
  }

  void look_at_node() {
    auto react = step<stat_t>([this](const result<stat_t>& answer) {
      if (!answer && answer.error().code() != errc::no_node) return fail(answer.error());
      if (!answer || answer->czxid != seen_.czxid) return succeed(removal::unclear);
      if (answer->version != seen_.version) return fail_not_applied(errc::bad_version);
      again();
    });
    steps().async_exists(path(), std::move(react), {}, rest());
  }

  const stat_t seen_;
};

/// Looks and removes until the node is gone. Kept alive by the handlers of its requests, on the core's inner strand.
class background_remover final : public std::enable_shared_from_this<background_remover> {
 public:
  background_remover(const operations& client, std::string path, const stat_t& seen)
      : core_(recipe_access::core(client)), path_(std::move(path)), seen_(seen) {
    const auto now = core_->session();
    own_ephemeral_ = seen.ephemeral_owner != 0 && seen.ephemeral_owner == now.id;
    steps_ = operations(core_, core_->inner_executor(), own_ephemeral_ ? now.generation : 0);
  }

  void look() {
    steps_.async_exists(path_, [self = shared_from_this()](const result<stat_t>& answer) { self->on_look(answer); });
  }

 private:
  void on_look(const result<stat_t>& answer) {
    if (!answer) return on_problem(answer.error());
    if (answer->czxid != seen_.czxid) return;
    steps_.async_remove(path_, answer->version, [self = shared_from_this()](const result<void>& removed) {
      if (!removed) self->on_problem(removed.error());
    });
  }

  void on_problem(const error& why) {
    switch (why.code()) {
      case errc::no_node: return;
      case errc::connection_loss:
      case errc::session_moved:
        // Behind a fence: a server that lags would show the node that we have removed, and another may have its version.
        detail::async_fence(steps_, path_, [self = shared_from_this()](const result<void>& answer) {
          if (!answer) return self->on_problem(answer.error());
          self->look();
        });
        return;
      case errc::bad_version: return look();  // changed between the look and the removal
      case errc::session_lost:
        if (own_ephemeral_) return;
        if (core_->options().on_session_loss == session_loss::reopen) return look();
        break;
      case errc::closed:
        if (own_ephemeral_) return;
        break;
      default: break;
    }
    core_->observer().on_background_error(error(why.code(), "guaranteed_remove", path_, why.detail()));
  }

  const std::shared_ptr<detail::client_core> core_;
  const std::string path_;
  const stat_t seen_;
  bool own_ephemeral_ = false;
  operations steps_;
};

}  // namespace

result<created> idempotent_create(const operations& client, std::string path, std::string data, create_options options,
                                  call_options wait) {
  return detail::block_on_compound<created>(client, "idempotent_create", [&] {
    return std::make_shared<repeated_create>(client, std::move(path), std::move(data), std::move(options),
                                             std::move(wait));
  });
}

void async_idempotent_create(const operations& client, std::string path, std::string data, create_options options,
                             handler<created> done, call_options wait) {
  detail::start_compound<created>(client, "idempotent_create", std::move(done), [&] {
    return std::make_shared<repeated_create>(client, std::move(path), std::move(data), std::move(options),
                                             std::move(wait));
  });
}

result<stat_t> idempotent_set(const operations& client, std::string path, std::string data, const stat_t& seen,
                              call_options wait) {
  return detail::block_on_compound<stat_t>(client, "idempotent_set", [&] {
    return std::make_shared<repeated_set>(client, std::move(path), std::move(data), seen, std::move(wait));
  });
}

void async_idempotent_set(const operations& client, std::string path, std::string data, const stat_t& seen,
                          handler<stat_t> done, call_options wait) {
  detail::start_compound<stat_t>(client, "idempotent_set", std::move(done), [&] {
    return std::make_shared<repeated_set>(client, std::move(path), std::move(data), seen, std::move(wait));
  });
}

result<removal> idempotent_remove(const operations& client, std::string path, const stat_t& seen, call_options wait) {
  return detail::block_on_compound<removal>(client, "idempotent_remove", [&] {
    return std::make_shared<repeated_remove>(client, std::move(path), seen, std::move(wait));
  });
}

void async_idempotent_remove(const operations& client, std::string path, const stat_t& seen, handler<removal> done,
                             call_options wait) {
  detail::start_compound<removal>(client, "idempotent_remove", std::move(done), [&] {
    return std::make_shared<repeated_remove>(client, std::move(path), seen, std::move(wait));
  });
}

void guaranteed_remove(const operations& client, std::string path, const stat_t& seen) {
  if (recipe_access::core(client)) std::make_shared<background_remover>(client, std::move(path), seen)->look();
}

}  // namespace zkr
