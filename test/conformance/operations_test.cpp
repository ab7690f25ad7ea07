#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/any_server.hpp"
#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/path.hpp"

// Every operation of the client against a server, bundled or Apache's: the same results.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

class operations_conformance : public ::testing::Test {
 protected:
  static client connect(client_options options = {}) {
    options.hosts = server_under_test();
    return client::connect(std::move(options)).value();
  }

  std::string folder = own_folder();
  client zk = connect({.session_timeout = 5s});

  [[nodiscard]] std::string at(std::string_view name) const { return join_path(folder, name); }
};

TEST_F(operations_conformance, create_and_get) {
  const auto made = zk.create(at("a"), "data").value();
  EXPECT_EQ(made.path, at("a"));
  const auto read = zk.get(at("a")).value();
  EXPECT_EQ(read.data, "data");
  EXPECT_EQ(read.stat, made.stat);
  EXPECT_EQ(read.stat.czxid, read.stat.mzxid);
  EXPECT_EQ(read.stat.version, 0);
  EXPECT_EQ(read.stat.data_length, 4);
  EXPECT_EQ(read.stat.ephemeral_owner, 0);
  EXPECT_EQ(zk.create(at("a")).error().code(), errc::node_exists);
  EXPECT_EQ(zk.create(at("none/b")).error().code(), errc::no_node);
}

TEST_F(operations_conformance, every_mode) {
  EXPECT_EQ(zk.create(at("e"), "", {.mode = create_mode::ephemeral})->stat.ephemeral_owner, zk.session().id);
  const auto first = zk.create(at("s-"), "", {.mode = create_mode::persistent_sequential}).value();
  const auto second = zk.create(at("s-"), "", {.mode = create_mode::ephemeral_sequential}).value();
  EXPECT_EQ(first.path.size(), at("s-").size() + 10);
  EXPECT_LT(first.path, second.path);
  EXPECT_EQ(second.stat.ephemeral_owner, zk.session().id);
  EXPECT_EQ(zk.create(at("c"), "", {.mode = create_mode::container})->stat.ephemeral_owner, 0);
  EXPECT_EQ(zk.create(at("t"), "", {.mode = create_mode::ttl, .ttl = 1h})->path, at("t"));
  EXPECT_NE(zk.create(at("ts-"), "", {.mode = create_mode::ttl_sequential, .ttl = 1h})->path, at("ts-"));
  const auto digits = zk.create(at("c/"), "", {.mode = create_mode::persistent_sequential}).value();
  EXPECT_EQ(digits.path, at("c/0000000000"));
  EXPECT_EQ(zk.create(at("e/child")).error().code(), errc::no_children_for_ephemerals);
}

TEST_F(operations_conformance, set_compares_the_version) {
  (void)zk.create(at("a")).value();
  EXPECT_EQ(zk.set(at("a"), "1", 0)->version, 1);
  EXPECT_EQ(zk.set(at("a"), "2", 0).error().code(), errc::bad_version);
  EXPECT_EQ(zk.set(at("a"), "3")->version, 2);
  EXPECT_EQ(zk.set(at("none"), "").error().code(), errc::no_node);
}

TEST_F(operations_conformance, remove_compares_the_version_and_spares_parents) {
  (void)zk.create(at("a")).value();
  (void)zk.create(at("a/b")).value();
  EXPECT_EQ(zk.remove(at("a")).error().code(), errc::not_empty);
  EXPECT_EQ(zk.remove(at("a/b"), 3).error().code(), errc::bad_version);
  EXPECT_TRUE(zk.remove(at("a/b"), 0));
  EXPECT_TRUE(zk.remove(at("a")));
  EXPECT_EQ(zk.remove(at("a")).error().code(), errc::no_node);
}

TEST_F(operations_conformance, exists_and_children) {
  EXPECT_EQ(zk.exists(at("a")).error().code(), errc::no_node);
  (void)zk.create(at("a")).value();
  (void)zk.create(at("a/x")).value();
  (void)zk.create(at("a/y")).value();
  EXPECT_EQ(zk.exists(at("a"))->num_children, 2);
  auto list = zk.children(at("a")).value();
  std::sort(list.names.begin(), list.names.end());
  EXPECT_EQ(list.names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(list.stat.cversion, 2);
  EXPECT_EQ(zk.children(at("none")).error().code(), errc::no_node);
}

TEST_F(operations_conformance, empty_and_large_data_come_back_as_they_went) {
  (void)zk.create(at("empty")).value();
  EXPECT_EQ(zk.get(at("empty"))->data, "");
  std::string large(1'000'000, 'x');
  large[999'999] = '\0';
  (void)zk.create(at("large"), large).value();
  EXPECT_EQ(zk.get(at("large"))->data, large);
  EXPECT_EQ(zk.create(at("huge"), std::string(1'048'576, 'x')).error().code(), errc::too_large);
  EXPECT_TRUE(zk.remove(at("large")));
}

TEST_F(operations_conformance, sync_waits) {
  EXPECT_TRUE(zk.sync());
  EXPECT_TRUE(zk.sync(at("none")));
}

TEST_F(operations_conformance, acl_and_digest_auth) {
  auto owner = connect({.auth = {{"digest", "ann:secret"}}});
  (void)owner.create(at("private"), "x", {.acl = creator_all_acl()}).value();
  const auto list = owner.get_acl(at("private")).value();
  EXPECT_EQ(list, (acl_list{{perms::all, "digest", digest_id("ann", "secret")}}));
  EXPECT_EQ(zk.get(at("private")).error().code(), errc::no_auth);
  EXPECT_EQ(zk.set(at("private"), "y").error().code(), errc::no_auth);
  EXPECT_TRUE(zk.add_auth("digest", "ann:secret"));
  EXPECT_EQ(zk.get(at("private"))->data, "x");
  EXPECT_TRUE(zk.set_acl(at("private"), read_acl(), 0));
  EXPECT_EQ(zk.exists(at("private"))->aversion, 1);
  EXPECT_EQ(zk.set_acl(at("private"), open_acl(), 0).error().code(), errc::no_auth);
  // ADMIN is gone with the list that gave it; reading is everybody's.
  EXPECT_EQ(connect().get(at("private"))->data, "x");
  EXPECT_EQ(zk.create(at("nobody"), "", {.acl = {{perms::all, "world", "somebody"}}}).error().code(),
            errc::invalid_acl);
}

TEST_F(operations_conformance, refused_credentials_end_the_session_and_a_new_one_follows_without_them) {
  const auto generation = zk.session().generation;
  EXPECT_EQ(zk.add_auth("nonsense", "x").error().code(), errc::auth_failed);
  EXPECT_TRUE(eventually([&] { return zk.exists("/").has_value(); }));
  EXPECT_GT(zk.session().generation, generation);
}

TEST_F(operations_conformance, transaction_applies_all_or_nothing) {
  const auto done = zk.commit(transaction()
                                  .create(at("t"), "1")
                                  .create(at("t/s-"), "", {.mode = create_mode::ephemeral_sequential})
                                  .set(at("t"), "2", 0)
                                  .check(at("t"), 1))
                        .value();
  EXPECT_EQ(done[1].path, at("t/s-0000000000"));
  EXPECT_EQ(done[2].stat.version, 1);
  const auto failed = zk.commit(transaction().set(at("t"), "3").remove(at("t/none")).create(at("t/new")));
  EXPECT_EQ(failed.error().code(), errc::no_node);
  EXPECT_EQ(failed.error().failed_operation(), 1U);
  EXPECT_EQ(failed.error().path(), at("t/none"));
  EXPECT_EQ(failed.error().outcome(), outcome::not_applied);
  EXPECT_EQ(zk.get(at("t"))->data, "2");
}

TEST_F(operations_conformance, transactions_that_crash_the_c_library_are_refused) {
  EXPECT_EQ(zk.commit({}).error().code(), errc::invalid_argument);
  for (const std::string bad : {"relative", "/a//b", "/a/", "", "/\x01", "/a/../b"}) {
    EXPECT_EQ(zk.commit(transaction().remove(at("x")).check(bad)).error().code(), errc::invalid_path) << bad;
    EXPECT_EQ(zk.commit(transaction().create(bad, "")).error().code(), errc::invalid_path) << bad;
    EXPECT_EQ(zk.commit(transaction().set(bad, "").remove(at("x"))).error().failed_operation(), 0U) << bad;
  }
  EXPECT_EQ(zk.commit(transaction().create(at("c"), "", {.mode = create_mode::container})).error().code(),
            errc::unsupported);
  EXPECT_TRUE(zk.exists("/"));
}

TEST_F(operations_conformance, one_shot_watches) {
  (void)zk.create(at("a")).value();
  std::mutex mutex;
  std::vector<std::string> events;
  const auto note = [&](std::string name) {
    return read_options{.watch = [&, name = std::move(name)](const watch_event& event) {
      const std::scoped_lock lock(mutex);
      events.push_back(name + ":" + std::string(to_string(event.type)) + ":" + event.path.substr(folder.size()));
    }};
  };
  ASSERT_TRUE(zk.get(at("a"), note("get")));
  ASSERT_TRUE(zk.children(at("a"), note("children")));
  ASSERT_FALSE(zk.exists(at("b"), note("exists")));
  ASSERT_FALSE(zk.get(at("b"), note("never")));
  auto other = connect();
  (void)other.set(at("a"), "1").value();
  (void)other.create(at("a/c")).value();
  (void)other.create(at("b")).value();
  EXPECT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return events.size() == 3;
  }));
  EXPECT_EQ(events,
            (std::vector<std::string>{"get:data_changed:/a", "children:children_changed:/a", "exists:created:/b"}));
}

TEST_F(operations_conformance, subscription_follows_a_node_through_its_life) {
  std::mutex mutex;
  std::vector<std::string> seen;
  const auto watching = zk.watch(at("a"), [&](const node_change& change) {
    const std::scoped_lock lock(mutex);
    seen.push_back(change.node ? change.node->data : "none");
  });
  const auto count = [&](std::size_t wanted) {
    return eventually([&] {
      const std::scoped_lock lock(mutex);
      return seen.size() >= wanted;
    });
  };
  ASSERT_TRUE(count(1));
  auto other = connect();
  (void)other.create(at("a"), "1").value();
  ASSERT_TRUE(count(2));
  (void)other.set(at("a"), "2").value();
  ASSERT_TRUE(count(3));
  ASSERT_TRUE(other.remove(at("a")));
  ASSERT_TRUE(count(4));
  EXPECT_EQ(seen, (std::vector<std::string>{"none", "1", "2", "none"}));
}

TEST_F(operations_conformance, ephemeral_nodes_are_gone_when_close_returns) {
  auto other = connect();
  (void)other.create(at("e"), "", {.mode = create_mode::ephemeral}).value();
  ASSERT_TRUE(zk.exists(at("e")));
  other.close();
  ASSERT_TRUE(zk.sync());
  EXPECT_EQ(zk.exists(at("e")).error().code(), errc::no_node);
}

TEST_F(operations_conformance, chroot_is_the_root_of_all_paths) {
  auto inside = client::connect({.hosts = server_under_test() + at("inner"), .chroot = missing_chroot::create}).value();
  EXPECT_EQ(inside.create("/x", "1")->path, "/x");
  EXPECT_EQ(zk.get(at("inner/x"))->data, "1");
  EXPECT_EQ(inside.create("x").error().code(), errc::invalid_path);
  EXPECT_EQ(inside.commit(transaction().create("/y", "").set("/x", "2"))->front().path, "/y");
  EXPECT_EQ(client::connect({.hosts = server_under_test() + at("absent")}).error().code(), errc::no_chroot);
}

TEST_F(operations_conformance, asynchronous_forms_answer_in_the_order_of_the_wire) {
  std::mutex mutex;
  std::vector<int> order;
  for (int i = 0; i < 200; ++i) {
    zk.async_create(at("n" + std::to_string(i)), "", {}, [&, i](result<created> made) {
      EXPECT_TRUE(made);
      const std::scoped_lock lock(mutex);
      order.push_back(i);
    });
  }
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return order.size() == 200;
  }));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(operations_conformance, silent_session_expires_and_its_nodes_go) {
  // A client whose process stands still is simulated by one that is never closed: its transport is cut off by the server.
  auto short_lived = connect({.session_timeout = 1s});
  (void)short_lived.create(at("e"), "", {.mode = create_mode::ephemeral}).value();
  EXPECT_GE(short_lived.session().timeout, 500ms);
  short_lived.close();
  EXPECT_TRUE(eventually([&] { return !zk.exists(at("e")).has_value(); }));
}

}  // namespace
}  // namespace zkr::testing
