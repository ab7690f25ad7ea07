#pragma once

#include <gtest/gtest.h>

#include "zkrecipes/testing/simulation.hpp"

namespace zkr::testing {

/// An ensemble that serves, and a process that observes it.
struct ensemble_world {
  static constexpr duration tick = std::chrono::milliseconds(500);
  static constexpr duration patience = 5 * tick;  ///< How long members bear each other's silence.

  simulation world;

  explicit ensemble_world(std::uint64_t seed = 1, std::size_t servers = 3) : world({.seed = seed, .servers = servers}) {
    EXPECT_TRUE(wait_until([&] { return all_serve(); }));
  }

  bool wait_until(const std::function<bool()>& condition, duration limit = std::chrono::minutes(1)) {
    return world.run_until(condition, limit);
  }
  [[nodiscard]] bool all_serve() const {
    for (std::size_t i = 0; i < world.server_count(); ++i) {
      if (!world.serves(i)) return false;
    }
    return world.leader().has_value();
  }
  [[nodiscard]] std::size_t leader() const { return world.leader().value(); }
  /// The n-th server that does not lead.
  [[nodiscard]] std::size_t follower(std::size_t n = 0) const { return n < leader() ? n : n + 1; }
};

/// A process with a client that knows one server only, at first.
struct member_client {
  simulation& world;
  simulation::process& process;
  client zk;

  member_client(simulation& in, std::size_t server,
                client_options options = {.session_timeout = std::chrono::seconds(4)})
      : world(in), process(in.add_process()) {
    process.use_servers({server});
    zk = process.connect(std::move(options)).value();
    EXPECT_TRUE(world.run_until([&] { return zk.session().state == session_state::connected; }));
  }

  /// What an operation came to; its answer may come later.
  template <typename T>
  using answer = std::shared_ptr<std::optional<result<T>>>;

  template <typename T, typename Start>
  answer<T> begin(Start start) {
    auto got = std::make_shared<std::optional<result<T>>>();
    start(handler<T>([got](result<T> one) { got->emplace(std::move(one)); }));
    return got;
  }
  template <typename T>
  result<T> end(const answer<T>& got) {
    EXPECT_TRUE(world.run_until([&] { return got->has_value(); }));
    if (!*got) return error(errc::timed_out, "test");
    return **got;
  }
  answer<created> begin_create(std::string path, create_options options = {}) {
    return begin<created>([&](auto done) { zk.async_create(path, {}, options, std::move(done)); });
  }
  result<created> create(std::string path, create_options options = {}) {
    return end(begin_create(std::move(path), options));
  }
  answer<node> begin_get(std::string path) {
    return begin<node>([&](auto done) { zk.async_get(path, std::move(done)); });
  }
  result<node> get(std::string path) { return end(begin_get(std::move(path))); }
  answer<stat_t> begin_set(std::string path, std::string data) {
    return begin<stat_t>([&](auto done) { zk.async_set(path, data, any_version, std::move(done)); });
  }
  result<stat_t> set(std::string path, std::string data) { return end(begin_set(std::move(path), std::move(data))); }
};

}  // namespace zkr::testing
