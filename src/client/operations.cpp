#include "zkrecipes/operations.hpp"

#include "client/access.hpp"
#include "client/client_core.hpp"
#include "client/commit_call.hpp"
#include "client/request_rules.hpp"
#include "client/typed_call.hpp"
#include "client/watcher.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr {
namespace {

using detail::call;
using detail::client_core;

/// Where and how a call's answer is wanted.
struct delivery {
  std::shared_ptr<detail::strand> where = nullptr;    ///< Unset: at once, for a caller who waits.
  std::shared_ptr<detail::strand> watches = nullptr;  ///< Where the handler of a one-shot watch runs.
  std::uint64_t generation = 0;
  bool internal = false;
  bool blocking = false;  ///< Waits for room instead of giving `overloaded`.
};

template <typename T, typename Encode, typename Decode>
// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved; the check does not see that in a template
std::shared_ptr<call> make_call(wire::opcode type, std::string_view name, std::string path, handler<T> done,
                                Encode encode, Decode decode) {
  auto one =
      std::make_shared<detail::typed_call<T, Encode, Decode>>(std::move(encode), std::move(decode), std::move(done));
  one->type = type;
  one->name = name;
  one->path = std::move(path);
  return one;
}

void set_watch(call& one, read_options&& options) {
  one.has_watch = static_cast<bool>(options.watch);
  one.watch = std::move(options.watch);
  one.watch_owner = std::move(options.watch_owner);
}

void send(client_core& core, const std::shared_ptr<call>& one, std::optional<error> refused, delivery to,
          const call_options& wait) {
  one->refused = std::move(refused);
  one->where = std::move(to.where);
  one->watch_where = std::move(to.watches);
  one->generation = to.generation;
  one->internal = to.internal;
  one->blocking = to.blocking;
  core.submit(one, wait);
}

constexpr auto nothing = [](const wire::reply&) {};
constexpr auto stat_of = [](const wire::reply& body) { return std::get<wire::stat_reply>(body).stat; };

create_options with_acl(create_options options) {
  if (options.acl.empty()) options.acl = open_acl();
  return options;
}

// ---- one function an operation: what it asks, and what it makes of the reply ----------------------------------------

void start_create(client_core& core, std::string path, std::string data, create_options options, handler<created> done,
                  delivery to, const call_options& wait) {
  auto refused = detail::why_refuse_create("create", path, data.size(), options, core.largest_request_bytes());
  const auto mode = detail::wire_mode(options.mode);
  const auto ttl = std::chrono::duration_cast<std::chrono::milliseconds>(options.ttl).count();
  auto one = make_call<created>(
      mode.type, "create", std::move(path), std::move(done),
      [data = std::move(data), acl = with_acl(std::move(options)).acl, mode, ttl](const call& self) -> wire::request {
        return wire::create_request{.type = mode.type,
                                    .path = self.path,
                                    .data = data,
                                    .acl = acl,
                                    .flags = static_cast<std::int32_t>(mode.flags),
                                    .ttl_ms = mode.type == wire::opcode::create_ttl ? ttl : -1};
      },
      [](const wire::reply& body) {
        const auto& reply = std::get<wire::create_reply>(body);
        return created{std::string(reply.path), reply.stat.value_or(stat_t{})};
      });
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_get(client_core& core, std::string path, read_options options, handler<node> done, delivery to,
               const call_options& wait) {
  auto refused = detail::why_refuse_path("get", path);
  auto one = make_call<node>(
      wire::opcode::get_data, "get", std::move(path), std::move(done),
      [](const call& self) -> wire::request {
        return wire::get_data_request{.path = self.path, .watch = self.has_watch};
      },
      [](const wire::reply& body) {
        const auto& reply = std::get<wire::get_data_reply>(body);
        return node{std::string(reply.data.value_or(std::string_view())), reply.stat};
      });
  set_watch(*one, std::move(options));
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_exists(client_core& core, std::string path, read_options options, handler<stat_t> done, delivery to,
                  const call_options& wait) {
  auto refused = detail::why_refuse_path("exists", path);
  auto one = make_call<stat_t>(
      wire::opcode::exists, "exists", std::move(path), std::move(done),
      [](const call& self) -> wire::request {
        return wire::exists_request{.path = self.path, .watch = self.has_watch};
      },
      stat_of);
  set_watch(*one, std::move(options));
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_children(client_core& core, std::string path, read_options options, handler<child_list> done, delivery to,
                    const call_options& wait) {
  auto refused = detail::why_refuse_path("children", path);
  auto one = make_call<child_list>(
      wire::opcode::get_children2, "children", std::move(path), std::move(done),
      [](const call& self) -> wire::request {
        return wire::get_children_request{.path = self.path, .watch = self.has_watch};
      },
      [](const wire::reply& body) {
        const auto& reply = std::get<wire::get_children_reply>(body);
        return child_list{{reply.children.begin(), reply.children.end()}, reply.stat.value_or(stat_t{})};
      });
  set_watch(*one, std::move(options));
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_set(client_core& core, std::string path, std::string data, std::int32_t version, handler<stat_t> done,
               delivery to, const call_options& wait) {
  auto refused = detail::why_refuse_write("set", path, data.size(), core.largest_request_bytes());
  auto one = make_call<stat_t>(
      wire::opcode::set_data, "set", std::move(path), std::move(done),
      [data = std::move(data), version](const call& self) -> wire::request {
        return wire::set_data_request{.path = self.path, .data = data, .version = version};
      },
      stat_of);
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_remove(client_core& core, std::string path, std::int32_t version, handler<void> done, delivery to,
                  const call_options& wait) {
  auto refused = detail::why_refuse_path("remove", path);
  auto one = make_call<void>(
      wire::opcode::remove, "remove", std::move(path), std::move(done),
      [version](const call& self) -> wire::request {
        return wire::remove_request{.path = self.path, .version = version};
      },
      nothing);
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_sync(client_core& core, std::string path, handler<void> done, delivery to, const call_options& wait) {
  auto refused = detail::why_refuse_path("sync", path);
  auto one = make_call<void>(
      wire::opcode::sync, "sync", std::move(path), std::move(done),
      [](const call& self) -> wire::request { return wire::sync_request{.path = self.path}; }, nothing);
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_get_acl(client_core& core, std::string path, handler<acl_list> done, delivery to, const call_options& wait) {
  auto refused = detail::why_refuse_path("get_acl", path);
  auto one = make_call<acl_list>(
      wire::opcode::get_acl, "get_acl", std::move(path), std::move(done),
      [](const call& self) -> wire::request { return wire::get_acl_request{.path = self.path}; },
      [](const wire::reply& body) { return std::get<wire::get_acl_reply>(body).acl; });
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_set_acl(client_core& core, std::string path, acl_list acl, std::int32_t version, handler<void> done,
                   delivery to, const call_options& wait) {
  auto refused = detail::why_refuse_path("set_acl", path);
  if (!refused && acl.empty()) refused.emplace(errc::invalid_acl, "set_acl", path, "the list is empty");
  auto one = make_call<void>(
      wire::opcode::set_acl, "set_acl", std::move(path), std::move(done),
      [acl = std::move(acl), version](const call& self) -> wire::request {
        return wire::set_acl_request{.path = self.path, .acl = acl, .version = version};
      },
      nothing);
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_commit(client_core& core, transaction writes, handler<std::vector<transaction_result>> done, delivery to,
                  const call_options& wait) {
  auto refused = detail::why_refuse_transaction(writes, core.largest_request_bytes());
  auto one = std::make_shared<detail::commit_call>(std::move(writes), std::move(done));
  send(core, one, std::move(refused), std::move(to), wait);
}

void start_add_auth(const std::shared_ptr<client_core>& core, const auth_entry& entry, handler<void> done, delivery to,
                    const call_options& wait) {
  std::optional<error> refused;
  if (entry.scheme.empty()) refused.emplace(errc::invalid_argument, "add_auth", std::string(), "the scheme is empty");
  if (!refused) core->add_auth(entry);
  auto forget_if_refused = [weak = std::weak_ptr(core), entry, done = std::move(done)](result<void> outcome) mutable {
    const auto self = weak.lock();
    if (self && !outcome && outcome.error().code() == errc::auth_failed) self->remove_auth(entry);
    if (done) done(std::move(outcome));
  };
  auto one = make_call<void>(
      wire::opcode::auth, "add_auth", {}, handler<void>(std::move(forget_if_refused)),
      [entry](const call&) -> wire::request {
        return wire::auth_request{.scheme = entry.scheme, .credentials = entry.credentials};
      },
      nothing);
  send(*core, one, std::move(refused), std::move(to), wait);
}

/// The blocking form of an operation: `start` gets a handler that may be called on any thread.
template <typename T, typename Start>
result<T> blocking(const operations& self, std::string_view what, Start start) {
  return recipes::block_on<T>(self, what, [&](handler<T> done) {
    const auto core = recipe_access::core(self);
    start(core, std::move(done),
          delivery{.watches = core->strand_of(recipe_access::handlers(self)),
                   .generation = recipe_access::generation(self),
                   .blocking = true});
  });
}

/// The asynchronous form: `start` gets the caller's handler, to be run where the handlers of `self` run. A handle without
/// a client (moved from) has no such place: the handler then runs at once.
template <typename T, typename Start>
void handled(const operations& self, std::string_view what, handler<T> done, Start start) {
  const auto core = recipe_access::core(self);  // a copy: the handle may be destroyed by its own handler
  if (!core) {
    if (done) done(error(errc::closed, what));
    return;
  }
  const auto where = core->strand_of(recipe_access::handlers(self));
  const bool internal = where == core->inner_strand();
  const bool step = where == core->step_strand();
  start(core, std::move(done),
        delivery{.where = where,
                 .watches = where,
                 .generation = recipe_access::generation(self),
                 .internal = internal,
                 .blocking = step});
}

}  // namespace

// NOLINTBEGIN(readability-make-member-function-const): what they change is behind the handle.
operations::operations(std::shared_ptr<detail::client_core> core, executor* handlers, std::uint64_t generation) noexcept
    : core_(std::move(core)), handlers_(handlers), generation_(generation) {}

result<created> operations::create(std::string path, std::string data, create_options options, call_options wait) {
  return blocking<created>(*this, "create", [&](const auto& core, handler<created> done, delivery to) {
    start_create(*core, std::move(path), std::move(data), std::move(options), std::move(done), std::move(to), wait);
  });
}

void operations::async_create(std::string path, std::string data, create_options options, handler<created> done,
                              call_options wait) {
  handled<created>(*this, "create", std::move(done), [&](const auto& core, handler<created> handle, delivery to) {
    start_create(*core, std::move(path), std::move(data), std::move(options), std::move(handle), std::move(to), wait);
  });
}

result<node> operations::get(std::string path, read_options options, call_options wait) {
  return blocking<node>(*this, "get", [&](const auto& core, handler<node> done, delivery to) {
    start_get(*core, std::move(path), std::move(options), std::move(done), std::move(to), wait);
  });
}

void operations::async_get(std::string path, handler<node> done, read_options options, call_options wait) {
  handled<node>(*this, "get", std::move(done), [&](const auto& core, handler<node> handle, delivery to) {
    start_get(*core, std::move(path), std::move(options), std::move(handle), std::move(to), wait);
  });
}

result<stat_t> operations::exists(std::string path, read_options options, call_options wait) {
  return blocking<stat_t>(*this, "exists", [&](const auto& core, handler<stat_t> done, delivery to) {
    start_exists(*core, std::move(path), std::move(options), std::move(done), std::move(to), wait);
  });
}

void operations::async_exists(std::string path, handler<stat_t> done, read_options options, call_options wait) {
  handled<stat_t>(*this, "exists", std::move(done), [&](const auto& core, handler<stat_t> handle, delivery to) {
    start_exists(*core, std::move(path), std::move(options), std::move(handle), std::move(to), wait);
  });
}

result<child_list> operations::children(std::string path, read_options options, call_options wait) {
  return blocking<child_list>(*this, "children", [&](const auto& core, handler<child_list> done, delivery to) {
    start_children(*core, std::move(path), std::move(options), std::move(done), std::move(to), wait);
  });
}

void operations::async_children(std::string path, handler<child_list> done, read_options options, call_options wait) {
  handled<child_list>(
      *this, "children", std::move(done), [&](const auto& core, handler<child_list> handle, delivery to) {
        start_children(*core, std::move(path), std::move(options), std::move(handle), std::move(to), wait);
      });
}

result<stat_t> operations::set(std::string path, std::string data, std::int32_t version, call_options wait) {
  return blocking<stat_t>(*this, "set", [&](const auto& core, handler<stat_t> done, delivery to) {
    start_set(*core, std::move(path), std::move(data), version, std::move(done), std::move(to), wait);
  });
}

void operations::async_set(std::string path, std::string data, std::int32_t version, handler<stat_t> done,
                           call_options wait) {
  handled<stat_t>(*this, "set", std::move(done), [&](const auto& core, handler<stat_t> handle, delivery to) {
    start_set(*core, std::move(path), std::move(data), version, std::move(handle), std::move(to), wait);
  });
}

result<void> operations::remove(std::string path, std::int32_t version, call_options wait) {
  return blocking<void>(*this, "remove", [&](const auto& core, handler<void> done, delivery to) {
    start_remove(*core, std::move(path), version, std::move(done), std::move(to), wait);
  });
}

void operations::async_remove(std::string path, std::int32_t version, handler<void> done, call_options wait) {
  handled<void>(*this, "remove", std::move(done), [&](const auto& core, handler<void> handle, delivery to) {
    start_remove(*core, std::move(path), version, std::move(handle), std::move(to), wait);
  });
}

result<void> operations::sync(std::string path, call_options wait) {
  return blocking<void>(*this, "sync", [&](const auto& core, handler<void> done, delivery to) {
    start_sync(*core, std::move(path), std::move(done), std::move(to), wait);
  });
}

void operations::async_sync(std::string path, handler<void> done, call_options wait) {
  handled<void>(*this, "sync", std::move(done), [&](const auto& core, handler<void> handle, delivery to) {
    start_sync(*core, std::move(path), std::move(handle), std::move(to), wait);
  });
}

result<acl_list> operations::get_acl(std::string path, call_options wait) {
  return blocking<acl_list>(*this, "get_acl", [&](const auto& core, handler<acl_list> done, delivery to) {
    start_get_acl(*core, std::move(path), std::move(done), std::move(to), wait);
  });
}

void operations::async_get_acl(std::string path, handler<acl_list> done, call_options wait) {
  handled<acl_list>(*this, "get_acl", std::move(done), [&](const auto& core, handler<acl_list> handle, delivery to) {
    start_get_acl(*core, std::move(path), std::move(handle), std::move(to), wait);
  });
}

result<void> operations::set_acl(std::string path, acl_list acl, std::int32_t version, call_options wait) {
  return blocking<void>(*this, "set_acl", [&](const auto& core, handler<void> done, delivery to) {
    start_set_acl(*core, std::move(path), std::move(acl), version, std::move(done), std::move(to), wait);
  });
}

void operations::async_set_acl(std::string path, acl_list acl, std::int32_t version, handler<void> done,
                               call_options wait) {
  handled<void>(*this, "set_acl", std::move(done), [&](const auto& core, handler<void> handle, delivery to) {
    start_set_acl(*core, std::move(path), std::move(acl), version, std::move(handle), std::move(to), wait);
  });
}

result<std::vector<transaction_result>> operations::commit(transaction writes, call_options wait) {
  return blocking<std::vector<transaction_result>>(
      *this, "commit", [&](const auto& core, handler<std::vector<transaction_result>> done, delivery to) {
        start_commit(*core, std::move(writes), std::move(done), std::move(to), wait);
      });
}

void operations::async_commit(transaction writes, handler<std::vector<transaction_result>> done, call_options wait) {
  handled<std::vector<transaction_result>>(
      *this, "commit", std::move(done),
      [&](const auto& core, handler<std::vector<transaction_result>> handle, delivery to) {
        start_commit(*core, std::move(writes), std::move(handle), std::move(to), wait);
      });
}

result<void> operations::add_auth(std::string scheme, std::string credentials, call_options wait) {
  return blocking<void>(*this, "add_auth", [&](const auto& core, handler<void> done, delivery to) {
    start_add_auth(core, {std::move(scheme), std::move(credentials)}, std::move(done), std::move(to), wait);
  });
}

void operations::async_add_auth(std::string scheme, std::string credentials, handler<void> done, call_options wait) {
  handled<void>(*this, "add_auth", std::move(done), [&](const auto& core, handler<void> handle, delivery to) {
    start_add_auth(core, {std::move(scheme), std::move(credentials)}, std::move(handle), std::move(to), wait);
  });
}
// NOLINTEND(readability-make-member-function-const)

subscription operations::watch(std::string path, unique_function<void(const node_change&)> handler) {
  return detail::watch_node(core_, handlers_, std::move(path), std::move(handler));
}

subscription operations::watch_children(std::string path, unique_function<void(const children_change&)> handler) {
  return detail::watch_children(core_, handlers_, std::move(path), std::move(handler));
}

subscription operations::watch_session(unique_function<void(const session_info&)> handler) {
  return detail::watch_session(core_, handlers_, std::move(handler));
}

session_info operations::session() const {
  return core_ ? core_->session() : session_info{.state = session_state::closed};
}

capabilities operations::capabilities() const {
  if (!core_) return {};
  const auto can = core_->what_it_can();
  return {.extended_transactions = can.extended_multi,
          .persistent_watches = can.persistent_watches,
          .multi_read = can.multi_read,
          .tls = can.tls,
          .sasl = can.sasl,
          .largest_frame_bytes = can.largest_frame_bytes};
}

operations operations::on(executor& handlers) const { return {core_, &handlers, generation_}; }

operations operations::pinned() const {
  return {core_, handlers_, generation_ != 0 || !core_ ? generation_ : core_->session().generation};
}

}  // namespace zkr
