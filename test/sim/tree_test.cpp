#include "zkrecipes/tree.hpp"

#include <gtest/gtest.h>

#include "sim/one_client.hpp"

// Operations on paths and subtrees, with a fault at every step.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

std::vector<std::string> paths_of(const std::vector<tree_node>& nodes) {
  std::vector<std::string> all;
  for (const auto& one : nodes) all.push_back(one.path);
  return all;
}

struct tree_client : one_client {
  using one_client::one_client;

  result<void> ensure(std::string path, directory_options how = {}, call_options rest = {}) {
    return wait<void>([&](auto done) { async_ensure_path(zk, path, how, std::move(done), rest); });
  }
  result<created> create_deep(std::string path, create_options options = {}, directory_options parents = {}) {
    return wait<created>(
        [&](auto done) { async_create_with_parents(zk, path, "data", options, parents, std::move(done)); });
  }
  result<void> remove_all(std::string path, tree_options how = {}, call_options rest = {}) {
    return wait<void>([&](auto done) { async_remove_tree(zk, path, how, std::move(done), rest); });
  }
  result<std::vector<tree_node>> read_all(std::string path, read_tree_options how = {}, call_options rest = {}) {
    return wait<std::vector<tree_node>>([&](auto done) { async_read_tree(zk, path, how, std::move(done), rest); });
  }
  void grow() {
    for (const auto* path : {"/t", "/t/b", "/t/b/x", "/t/b/y", "/t/b/y/z", "/t/b-1", "/t/a", "/t/c"}) {
      EXPECT_TRUE(create(path, path));
    }
  }
};

TEST(ensure_path, makes_what_is_missing_and_leaves_what_is_there) {
  tree_client at;
  ASSERT_TRUE(at.create("/a", "kept"));
  ASSERT_TRUE(at.ensure("/a/b/c"));
  EXPECT_THAT(at.world.nodes("/a"), ElementsAre("/a", "/a/b", "/a/b/c"));
  EXPECT_EQ(at.get("/a").value().data, "kept");
  EXPECT_TRUE(at.ensure("/a/b/c"));
  EXPECT_TRUE(at.ensure("/"));
}

TEST(ensure_path, is_repeated_over_reconnects_at_every_step) {
  at_every_step<tree_client>([](tree_client& at, auto fault) {
    fault();
    const auto made = at.ensure("/a/b/c");
    EXPECT_TRUE(made) << made.error().message();
    EXPECT_THAT(at.world.nodes("/a"), ElementsAre("/a", "/a/b", "/a/b/c"));
  });
}

TEST(ensure_path, containers_and_acl) {
  tree_client at;
  ASSERT_TRUE(at.ensure("/c/d", {.mode = create_mode::container, .acl = creator_all_acl()}).error().code() ==
              errc::invalid_acl);
  ASSERT_TRUE(at.ensure("/c/d", {.mode = create_mode::container}));
  at.world.run_for(10min);
  EXPECT_EQ(at.world.nodes("/c").size(), 2U) << "a container that never had a child stays";
  EXPECT_EQ(at.ensure("/x", {.mode = create_mode::ephemeral}).error().code(), errc::invalid_argument);
  EXPECT_EQ(at.ensure("x").error().code(), errc::invalid_path);
}

TEST(ensure_path, refusals_name_the_node_and_say_what_was_done) {
  tree_client at;
  ASSERT_TRUE(at.create("/closed", "", {.acl = read_acl()}));
  const auto refused = at.ensure("/closed/a/b");
  EXPECT_EQ(refused.error().code(), errc::no_auth);
  EXPECT_EQ(refused.error().path(), "/closed/a");
  EXPECT_EQ(refused.error().operation(), "ensure_path");
  EXPECT_EQ(refused.error().outcome(), outcome::not_applied);
  ASSERT_TRUE(at.create("/e", "", {.mode = create_mode::ephemeral}));
  EXPECT_EQ(at.ensure("/e/a").error().code(), errc::no_children_for_ephemerals);
}

TEST(ensure_path, one_deadline_and_one_stop_for_the_whole) {
  tree_client at;
  at.process.cut();
  const auto began = at.world.now();
  const auto late = at.ensure("/a/b", {}, {.timeout = 100ms});
  EXPECT_EQ(late.error().code(), errc::timed_out);
  EXPECT_EQ(at.world.now() - began, 100ms);
  EXPECT_EQ(late.error().outcome(), outcome::not_applied) << "it had only read by then";
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(at.ensure("/a/b", {}, {.stop = stop.get_token()}).error().code(), errc::cancelled);
}

TEST(create_with_parents, creates_parents_only_where_they_are_missing) {
  tree_client at;
  const auto made =
      at.create_deep("/a/b/c-", {.mode = create_mode::ephemeral_sequential}, {.mode = create_mode::container});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->path, "/a/b/c-0000000000");
  EXPECT_EQ(at.get(made->path).value().data, "data");
  EXPECT_TRUE(at.create_deep("/a/b/d"));
  EXPECT_EQ(at.create_deep("/a/b/d").error().code(), errc::node_exists);
  EXPECT_EQ(at.create_deep("/x/y/").error().code(), errc::invalid_path);
  EXPECT_TRUE(at.world.nodes("/x").empty());
}

TEST(create_with_parents, own_write_is_not_repeated_at_any_step) {
  at_every_step<tree_client>([](tree_client& at, auto fault) {
    fault();
    const auto made = at.create_deep("/a/b/c-", {.mode = create_mode::persistent_sequential});
    at.world.run_for(10s);
    const auto count = at.world.nodes("/a/b/c-").size();
    if (made) {
      EXPECT_EQ(count, 1U);
    } else {
      EXPECT_EQ(made.error().outcome(), outcome::unknown) << made.error().message();
      EXPECT_LE(count, 1U);
    }
  });
}

TEST(remove_tree, removes_all_of_it_with_any_concurrency) {
  for (const std::size_t width : {1U, 2U, 64U}) {
    tree_client at;
    at.grow();
    ASSERT_TRUE(at.create("/tt"));
    ASSERT_TRUE(at.remove_all("/t", {.max_in_flight = width}));
    EXPECT_THAT(at.world.nodes("/t"), ElementsAre("/tt"));
  }
}

TEST(remove_tree, is_repeated_over_reconnects_at_every_step) {
  at_every_step<tree_client>([](tree_client& at, auto fault) {
    at.grow();
    fault();
    const auto removed = at.remove_all("/t", {.max_in_flight = 2});
    EXPECT_TRUE(removed) << removed.error().message();
    EXPECT_TRUE(at.world.nodes("/t").empty());
  });
  at_every_step<tree_client>([](tree_client& at, auto fault) {
    ASSERT_TRUE(at.create("/leaf"));
    fault();
    const auto removed = at.remove_all("/leaf");
    EXPECT_TRUE(removed) << "it is our own removal that it does not find: " << removed.error().message();
    EXPECT_TRUE(at.world.nodes("/leaf").empty());
  });
}

TEST(remove_tree, refuses_what_cannot_be_removed) {
  tree_client at;
  EXPECT_EQ(at.remove_all("/").error().code(), errc::invalid_argument);
  EXPECT_EQ(at.remove_all("/zookeeper").error().code(), errc::invalid_argument);
  EXPECT_EQ(at.remove_all("/none").error().code(), errc::no_node);
  EXPECT_EQ(at.remove_all("/none").error().outcome(), outcome::not_applied);
  EXPECT_EQ(at.remove_all("/t", {.max_in_flight = 0}).error().code(), errc::invalid_argument);
  ASSERT_TRUE(at.create("/p", "", {.acl = read_acl()}));
  EXPECT_FALSE(at.world.nodes("/zookeeper").empty());
}

TEST(remove_tree, refusal_names_the_node_and_what_is_removed_stays_removed) {
  tree_client at;
  ASSERT_TRUE(at.create("/t"));
  ASSERT_TRUE(at.create("/t/a", "", {.acl = {{perms::all & ~perms::remove, "world", "anyone"}}}));
  ASSERT_TRUE(at.create("/t/a/kept"));
  ASSERT_TRUE(at.create("/t/b"));
  const auto removed = at.remove_all("/t", {.max_in_flight = 1});
  EXPECT_EQ(removed.error().code(), errc::no_auth);
  EXPECT_EQ(removed.error().path(), "/t/a/kept");
  EXPECT_EQ(removed.error().outcome(), outcome::unknown) << "/t/b is gone";
  EXPECT_THAT(at.world.nodes("/t"), ElementsAre("/t", "/t/a", "/t/a/kept"));
}

TEST(remove_tree, others_that_create_and_remove_there_meanwhile) {
  tree_client at;
  auto& other_process = at.world.add_process();
  auto other = other_process.connect({.session_timeout = 4s}).value();
  at.grow();
  int made = 0;
  std::function<void()> create_more = [&] {
    if (++made > 40) return;
    other.async_create("/t/b/n-", "", {.mode = create_mode::persistent_sequential},
                       [&](result<created>) { create_more(); });
  };
  int removed = 0;
  std::function<void()> remove_some = [&] {
    if (++removed > 3) return;
    other.async_remove(removed == 1   ? "/t/a"
                       : removed == 2 ? "/t/b/y/z"
                                      : "/t/b/y",
                       any_version, [&](result<void>) { remove_some(); });
  };
  create_more();
  remove_some();
  const auto all = at.remove_all("/t", {.max_in_flight = 2});
  EXPECT_TRUE(all) << all.error().message();
  EXPECT_TRUE(at.world.nodes("/t").empty());
  EXPECT_GT(made, 5);
}

TEST(remove_tree, ends_at_its_deadline_where_somebody_never_stops_creating) {
  tree_client at;
  auto& other_process = at.world.add_process();
  auto other = other_process.connect({.session_timeout = 4s}).value();
  ASSERT_TRUE(at.create("/t"));
  bool over = false;
  std::function<void()> create_more = [&] {
    if (over) return;
    for (int i = 0; i < 4; ++i) other.async_create("/t/n-", "", {.mode = create_mode::persistent_sequential}, {});
    other.async_create("/t/n-", "", {.mode = create_mode::persistent_sequential},
                       [&](result<created>) { create_more(); });
  };
  create_more();
  at.world.run_for(100ms);
  const auto removed = at.remove_all("/t", {.max_in_flight = 1}, {.timeout = 500ms});
  over = true;
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code(), errc::timed_out);
  EXPECT_EQ(removed.error().outcome(), outcome::unknown);
}

TEST(read_tree, parents_first_and_siblings_by_name) {
  for (const std::size_t width : {1U, 3U, 64U}) {
    tree_client at;
    at.grow();
    const auto read = at.read_all("/t", {.max_in_flight = width});
    ASSERT_TRUE(read);
    EXPECT_THAT(paths_of(*read), ElementsAre("/t", "/t/a", "/t/b", "/t/b/x", "/t/b/y", "/t/b/y/z", "/t/b-1", "/t/c"));
    EXPECT_EQ((*read)[2].stat.num_children, 2);
    EXPECT_EQ((*read)[2].data, "");
  }
}

TEST(read_tree, with_data_at_every_step) {
  at_every_step<tree_client>([](tree_client& at, auto fault) {
    at.grow();
    fault();
    const auto read = at.read_all("/t", {.max_in_flight = 3, .read = read_tree_options::content::data});
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->size(), 8U);
    for (const auto& one : *read) {
      EXPECT_EQ(one.data, one.path);
      EXPECT_EQ(one.stat.data_length, static_cast<std::int32_t>(one.path.size()));
    }
  });
}

TEST(read_tree, bounds_and_refusals) {
  tree_client at;
  at.grow();
  EXPECT_EQ(at.read_all("/t", {.max_nodes = 8}).value().size(), 8U);
  const auto many = at.read_all("/t", {.max_nodes = 7});
  EXPECT_EQ(many.error().code(), errc::too_large);
  EXPECT_EQ(many.error().message(), "read_tree /t: too_large (more than 7 nodes)");
  EXPECT_EQ(at.read_all("/none").error().code(), errc::no_node);
  EXPECT_EQ(at.read_all("/t", {.max_in_flight = 0}).error().code(), errc::invalid_argument);
  ASSERT_TRUE(at.create("/t/secret", "", {.acl = {{perms::write, "world", "anyone"}}}));
  EXPECT_EQ(at.read_all("/t").error().code(), errc::no_auth);
  EXPECT_EQ(at.read_all("/t").error().path(), "/t/secret");
}

TEST(read_tree, leaves_out_what_vanishes) {
  tree_client at;
  auto& other_process = at.world.add_process();
  auto other = other_process.connect({.session_timeout = 4s}).value();
  at.grow();
  ASSERT_TRUE(at.world.run_until([&] { return other.session().state == session_state::connected; }));
  std::optional<result<std::vector<tree_node>>> read;
  async_read_tree(at.zk, "/t", {.max_in_flight = 1},
                  [&](result<std::vector<tree_node>> all) { read.emplace(std::move(all)); });
  other.async_remove("/t/b/y/z", any_version, {});
  other.async_remove("/t/b/y", any_version, {});
  other.async_remove("/t/a", any_version, {});
  ASSERT_TRUE(at.world.run_until([&] { return read.has_value(); }));
  ASSERT_TRUE(*read) << read->error().message();
  EXPECT_LT((*read)->size(), 8U);
}

TEST(compound, waits_for_room_and_never_takes_more_than_it_may) {
  tree_client at({.session_timeout = 4s, .max_in_flight = 2});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(at.create(i == 0 ? "/t" : "/t/" + std::to_string(i)));
  const auto read = at.read_all("/t", {.max_in_flight = 64});
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->size(), 20U);
}

TEST(compound, ends_with_its_session_and_its_client) {
  tree_client at;
  at.grow();
  std::vector<errc> codes;
  const auto count = [&](const result<void>& answer) { codes.push_back(answer ? errc::ok : answer.error().code()); };
  async_remove_tree(at.zk, "/t", {.max_in_flight = 1}, count);
  at.world.run_for(1ms);
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return codes.size() == 1; }));
  EXPECT_EQ(codes.back(), errc::session_lost);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::connected; }));
  at.process.cut();
  async_remove_tree(at.zk, "/t", {}, count);
  at.zk.close();
  at.world.run_for(1s);
  EXPECT_EQ(codes.size(), 2U);
  EXPECT_EQ(codes.back(), errc::closed);
  async_remove_tree(operations(), "/t", {}, count);
  EXPECT_EQ(codes.size(), 3U);
  EXPECT_EQ(remove_tree(at.zk, "/t").error().code(), errc::would_deadlock);
}

}  // namespace
}  // namespace zkr::testing
