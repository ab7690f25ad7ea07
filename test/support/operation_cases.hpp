#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "zkrecipes/client.hpp"

namespace zkr::testing {

/// One operation of the client, for tests that do the same to all of them. Before it there are /node (data "old") and
/// /leaf, and nothing that begins with /made.
struct operation_case {
  std::string name;
  bool write = true;
  std::function<void(client&, handler<void>, call_options)> start;
  /// Whether the server's state shows that it was applied, exactly once; of writes. `look` is another client.
  std::function<bool(const std::function<result<node>(std::string)>& look)> applied = {};
  /// How many nodes begin with /made once it was applied.
  std::size_t made = 0;
};

inline void PrintTo(const operation_case& one, std::ostream* to) { *to << one.name; }

/// Drops the value of an answer.
template <typename T>
handler<T> without_value(handler<void> done) {
  return [done = std::move(done)](result<T> answer) mutable {
    if (answer) {
      done({});
    } else {
      done(std::move(answer).error());
    }
  };
}

inline std::vector<operation_case> all_operations() {
  using namespace std::chrono_literals;
  using looker = std::function<result<node>(std::string)>;
  std::vector<operation_case> all;

  const auto add_create = [&all](std::string name, create_options options) {
    all.push_back({.name = "create_" + name,
                   .start =
                       [options](client& zk, handler<void> done, call_options how) {
                         zk.async_create("/made", "new", options, without_value<created>(std::move(done)), how);
                       },
                   .applied = {},
                   .made = 1});
  };
  add_create("persistent", {});
  add_create("ephemeral", {.mode = create_mode::ephemeral});
  add_create("persistent_sequential", {.mode = create_mode::persistent_sequential});
  add_create("ephemeral_sequential", {.mode = create_mode::ephemeral_sequential});
  add_create("container", {.mode = create_mode::container});
  add_create("ttl", {.mode = create_mode::ttl, .ttl = 1h});
  add_create("ttl_sequential", {.mode = create_mode::ttl_sequential, .ttl = 1h});

  all.push_back({.name = "set",
                 .start =
                     [](client& zk, handler<void> done, call_options how) {
                       zk.async_set("/node", "new", any_version, without_value<stat_t>(std::move(done)), how);
                     },
                 .applied =
                     [](const looker& look) {
                       const auto now = look("/node");
                       return now && now->data == "new" && now->stat.version == 1;
                     }});
  all.push_back({.name = "remove",
                 .start = [](client& zk, handler<void> done,
                             call_options how) { zk.async_remove("/leaf", any_version, std::move(done), how); },
                 .applied =
                     [](const looker& look) {
                       const auto now = look("/leaf");
                       return !now && now.error().code() == errc::no_node;
                     }});
  all.push_back(
      {.name = "set_acl",
       .start = [](client& zk, handler<void> done,
                   call_options how) { zk.async_set_acl("/node", open_acl(), any_version, std::move(done), how); },
       .applied =
           [](const looker& look) {
             const auto now = look("/node");
             return now && now->stat.aversion == 1;
           }});
  all.push_back({.name = "commit",
                 .start =
                     [](client& zk, handler<void> done, call_options how) {
                       zk.async_commit(transaction().set("/node", "new").create("/made"),
                                       without_value<std::vector<transaction_result>>(std::move(done)), how);
                     },
                 .applied =
                     [](const looker& look) {
                       const auto now = look("/node");
                       return now && now->data == "new" && now->stat.version == 1;
                     },
                 .made = 1});

  const auto add_read = [&all](std::string name, auto start) {
    all.push_back({.name = std::move(name), .write = false, .start = std::move(start)});
  };
  add_read("get", [](client& zk, handler<void> done, call_options how) {
    zk.async_get("/node", without_value<node>(std::move(done)), {}, how);
  });
  add_read("exists", [](client& zk, handler<void> done, call_options how) {
    zk.async_exists("/node", without_value<stat_t>(std::move(done)), {}, how);
  });
  add_read("children", [](client& zk, handler<void> done, call_options how) {
    zk.async_children("/", without_value<child_list>(std::move(done)), {}, how);
  });
  add_read("sync",
           [](client& zk, handler<void> done, call_options how) { zk.async_sync("/node", std::move(done), how); });
  add_read("get_acl", [](client& zk, handler<void> done, call_options how) {
    zk.async_get_acl("/node", without_value<acl_list>(std::move(done)), how);
  });
  add_read("add_auth", [](client& zk, handler<void> done, call_options how) {
    zk.async_add_auth("digest", "someone:secret", std::move(done), how);
  });
  return all;
}

inline std::string name_of_operation(const ::testing::TestParamInfo<operation_case>& info) { return info.param.name; }

}  // namespace zkr::testing
