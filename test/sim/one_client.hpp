#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "zkrecipes/testing/simulation.hpp"

namespace zkr::testing {

/// A simulated process with a client that is connected.
struct one_client {
  simulation world;
  simulation::process& process = world.add_process();
  client zk;

  explicit one_client(client_options options = {.session_timeout = std::chrono::seconds(4)}) {
    zk = process.connect(std::move(options)).value();
    EXPECT_TRUE(world.run_until([&] { return zk.session().state == session_state::connected; }));
  }

  template <typename T, typename Start>
  result<T> wait(Start start) {
    std::optional<result<T>> got;
    start(handler<T>([&got](result<T> answer) { got.emplace(std::move(answer)); }));
    EXPECT_TRUE(world.run_until([&] { return got.has_value(); }));
    if (!got) return error(errc::timed_out, "test");
    return *std::move(got);
  }
  result<created> create(std::string path, std::string data = {}, create_options options = {}) {
    return wait<created>([&](auto done) { zk.async_create(path, data, options, std::move(done)); });
  }
  result<node> get(std::string path, call_options how = {}) {
    return wait<node>([&](auto done) { zk.async_get(path, std::move(done), {}, how); });
  }
  result<stat_t> set(std::string path, std::string data, std::int32_t version = any_version) {
    return wait<stat_t>([&](auto done) { zk.async_set(path, data, version, std::move(done)); });
  }
};

/// Runs `story(at, fault)` in a new world with the n-th request after `fault()` lost, then with the reply to it lost: for
/// n = 0, 1, … until none was. `World` is a one_client.
template <typename World, typename Story>
void at_every_step(Story story) {
  for (const bool reply : {false, true}) {
    std::size_t step = 0;
    for (bool hit = true; hit; ++step) {
      ASSERT_LT(step, 100U);
      SCOPED_TRACE((reply ? "reply " : "request ") + std::to_string(step));
      World at;
      story(at, [&] {
        if (reply) {
          at.world.lose_next_reply(at.process, step);
        } else {
          at.world.lose_next_request(at.process, step);
        }
      });
      at.world.run_for(std::chrono::seconds(1));  // less than what a ping waits for
      hit = at.zk.session().connection > 1;
    }
    EXPECT_GT(step, 1U) << "no request was hit";
  }
}

}  // namespace zkr::testing
