#include <gtest/gtest.h>

#include <future>

#include "support/eventually.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/idempotent.hpp"
#include "zkrecipes/server.hpp"
#include "zkrecipes/tree.hpp"

// What is made of several operations, in blocking form, over libzookeeper and sockets that fail.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct compound : ::testing::Test {
  server zookeeper = server::start({.tick_time = 50ms}).value();
  client zk = connect();
  client other = connect();

  client connect(std::string chroot = {}) {
    return client::connect(
               {.hosts = zookeeper.connect_string() + chroot, .session_timeout = 4s, .chroot = missing_chroot::create})
        .value();
  }
  fault_id add(fault_rule rule) { return zookeeper.faults().add(std::move(rule)).value(); }
};

TEST_F(compound, tree_of_a_thousand_nodes_is_made_read_and_removed_while_connections_are_lost) {
  std::vector<std::future<result<void>>> made;
  for (int i = 0; i < 40; ++i) {
    made.push_back(std::async(std::launch::async, [this, i]() -> result<void> {
      for (int j = 0; j < 25; ++j) {
        if (auto one = ensure_path(zk, "/t/" + std::to_string(i) + "/" + std::to_string(j)); !one) return one.error();
      }
      return {};
    }));
  }
  for (auto& one : made) {
    const auto done = one.get();
    EXPECT_TRUE(done) << done.error().message();
  }
  const auto session = zk.session().id;
  for (const auto at : {fault_point::children, fault_point::remove}) {
    add({.at = at, .action = fault_action::close_before, .session_id = session, .skip = 20});
    add({.at = at, .action = fault_action::close_after, .session_id = session, .skip = 50});
  }
  const auto read = read_tree(zk, "/t");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->size(), 1U + 40 + 1000);
  EXPECT_EQ((*read)[1].path, "/t/0");
  EXPECT_EQ((*read)[2].path, "/t/0/0");
  const auto removed = remove_tree(zk, "/t");
  ASSERT_TRUE(removed) << removed.error().message();
  EXPECT_EQ(other.exists("/t").error().code(), errc::no_node);
  for (const auto& rule : zookeeper.faults().rules()) EXPECT_EQ(rule.fired, 1U);
  EXPECT_EQ(zk.session().id, session);
}

TEST_F(compound, idempotent_writes_are_applied_once_whatever_is_lost) {
  const auto session = zk.session().id;
  for (const auto action : {fault_action::close_before, fault_action::close_after}) {
    SCOPED_TRACE(static_cast<int>(action));
    const auto lose = [&](fault_point at) { add({.at = at, .action = action, .session_id = session}); };
    lose(fault_point::create);
    const auto plain = idempotent_create(zk, "/plain", "mine");
    ASSERT_TRUE(plain) << plain.error().message();
    lose(fault_point::create);
    const auto queued = idempotent_create(zk, "/queued-", "mine", {.mode = create_mode::ephemeral_sequential});
    ASSERT_TRUE(queued) << queued.error().message();
    EXPECT_EQ(other.get(queued->path).value().stat, queued->stat);
    lose(fault_point::set);
    const auto set = idempotent_set(zk, "/plain", "mine again", plain->stat);
    ASSERT_TRUE(set) << set.error().message();
    EXPECT_EQ(set->version, 1);
    lose(fault_point::remove);
    const auto removed = idempotent_remove(zk, "/plain", *set);
    ASSERT_TRUE(removed) << removed.error().message();
    EXPECT_EQ(*removed, action == fault_action::close_before ? removal::ours : removal::unclear);
    lose(fault_point::remove);
    guaranteed_remove(zk, queued->path, queued->stat);
    EXPECT_TRUE(eventually([&] { return other.children("/").value().names.size() == 1; })) << "only /zookeeper is left";
  }
  for (const auto& rule : zookeeper.faults().rules()) EXPECT_EQ(rule.fired, 1U);
}

TEST_F(compound, idempotent_writes_do_not_trust_a_member_that_lags) {
  const auto before = zk.create("/a", "old").value().stat;
  zookeeper.begin_lag();
  add({.at = fault_point::set, .action = fault_action::close_after, .session_id = zk.session().id});
  const auto set = idempotent_set(zk, "/a", "mine", before);  // comes back to a view that is older than the set
  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ(set->version, 1);
  EXPECT_EQ(other.get("/a").value().data, "mine");
}

TEST_F(compound, below_a_chroot) {
  auto below = connect("/app/x");
  ASSERT_TRUE(ensure_path(below, "/zookeeper/y"));
  const auto made = create_with_parents(below, "/zookeeper/q/c-", "data", {.mode = create_mode::persistent_sequential});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->path, "/zookeeper/q/c-0000000000");
  EXPECT_EQ(read_tree(below, "/").value().size(), 5U);
  EXPECT_EQ(read_tree(below, "/", {.read = read_tree_options::content::data}).value().back().path, "/zookeeper/y");
  EXPECT_TRUE(remove_tree(below, "/zookeeper")) << "not the server's own";
  EXPECT_EQ(remove_tree(below, "/").error().code(), errc::invalid_argument);
  EXPECT_EQ(other.children("/app/x").value().names.size(), 0U);
}

TEST_F(compound, transaction_creates_with_stat) {
  const auto made = zk.commit(transaction()
                                  .create_with_stat("/e", "mine", {.mode = create_mode::ephemeral})
                                  .create("/p")
                                  .create_with_stat("/empty"));
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->size(), 3U);
  EXPECT_EQ((*made)[0].stat, other.get("/e").value().stat);
  EXPECT_EQ((*made)[1].path, "/p");
  EXPECT_EQ((*made)[2].stat, other.get("/empty").value().stat);
  const auto failed = zk.commit(transaction().create_with_stat("/x", "1").check("/none"));
  EXPECT_EQ(failed.error().code(), errc::no_node);
  EXPECT_EQ(failed.error().failed_operation(), 1U);
}

TEST_F(compound, blocking_forms_from_a_callback_give_would_deadlock) {
  std::promise<errc> code;
  zk.async_get("/", [&](const result<node>&) { code.set_value(ensure_path(zk, "/a").error().code()); });
  EXPECT_EQ(code.get_future().get(), errc::would_deadlock);
  EXPECT_EQ(ensure_path(operations(), "/a").error().code(), errc::closed);
}

TEST_F(compound, handlers_run_where_the_clients_handlers_run) {
  std::promise<std::thread::id> plain;
  zk.async_get("/", [&](const result<node>&) { plain.set_value(std::this_thread::get_id()); });
  std::promise<std::thread::id> whole;
  async_read_tree(zk, "/", {},
                  [&](const result<std::vector<tree_node>>&) { whole.set_value(std::this_thread::get_id()); });
  EXPECT_EQ(plain.get_future().get(), whole.get_future().get());
}

TEST_F(compound, capabilities_are_those_of_libzookeeper) {
  const auto can = zk.capabilities();
  EXPECT_TRUE(can.transactions && can.containers && can.ttl);
  EXPECT_FALSE(can.extended_transactions || can.persistent_watches || can.multi_read || can.tls || can.sasl);
  EXPECT_EQ(can.largest_frame_bytes, 1'048'575U);
  EXPECT_TRUE(zk.create("/container", "", {.mode = create_mode::container}));
  EXPECT_TRUE(zk.create("/ttl", "", {.mode = create_mode::ttl, .ttl = 1h}));
  for (const auto& options :
       {create_options{.mode = create_mode::container}, create_options{.mode = create_mode::ttl, .ttl = 1h},
        create_options{.mode = create_mode::ttl_sequential, .ttl = 1h}}) {
    const auto refused = zk.commit(transaction().create("/ok").create("/x", "", options));
    EXPECT_EQ(refused.error().code(), errc::unsupported);
    EXPECT_EQ(refused.error().failed_operation(), 1U);
    EXPECT_FALSE(refused.error().sent());
    EXPECT_NE(refused.error().message().find("libzookeeper"), std::string::npos) << refused.error().message();
  }
  auto unconnected = client::connect({.hosts = "127.0.0.1:1", .start = start_mode::background}).value();
  EXPECT_TRUE(unconnected.capabilities().transactions) << "known before there is a connection";
}

}  // namespace
}  // namespace zkr::testing
