#include "zkrecipes/idempotent.hpp"

#include <gtest/gtest.h>

#include "sim/one_client.hpp"

// Writes that are repeated, with their replies and requests lost, and with others who write meanwhile.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

struct recorder final : observer {
  std::vector<error> problems;
  void on_background_error(const error& problem) override { problems.push_back(problem); }
};

struct two_clients : one_client {
  simulation::process& other_process = world.add_process();
  client other = other_process.connect({.session_timeout = std::chrono::seconds(4)}).value();
  std::shared_ptr<recorder> seen;

  explicit two_clients(const std::shared_ptr<recorder>& watching = std::make_shared<recorder>(),
                       session_loss loss = session_loss::reopen)
      : one_client({.session_timeout = std::chrono::seconds(4), .on_session_loss = loss, .observer = watching}),
        seen(watching) {
    EXPECT_TRUE(world.run_until([&] { return other.session().state == session_state::connected; }));
  }

  result<created> create_once(std::string path, std::string data, create_options options = {}, call_options how = {}) {
    return wait<created>([&](auto done) { async_idempotent_create(zk, path, data, options, std::move(done), how); });
  }
  result<stat_t> set_once(std::string path, std::string data, const stat_t& at) {
    return wait<stat_t>([&](auto done) { async_idempotent_set(zk, path, data, at, std::move(done)); });
  }
  result<removal> remove_once(std::string path, const stat_t& at) {
    return wait<removal>([&](auto done) { async_idempotent_remove(zk, path, at, std::move(done)); });
  }
  result<node> look(std::string path) {
    return wait<node>([&](auto done) { other.async_get(path, std::move(done)); });
  }
  stat_t made(std::string path, std::string data = "old", create_options options = {}) {
    return create(std::move(path), std::move(data), std::move(options)).value().stat;
  }

  /// Begins `start` with its first request lost or its reply lost, holds the client off until the other has done
  /// `meanwhile`, and then lets it look.
  template <typename T, typename Start, typename Meanwhile>
  result<T> interrupted(bool applied, Start start, Meanwhile meanwhile) {
    if (applied) {
      world.lose_next_reply(process);
    } else {
      world.lose_next_request(process);
    }
    std::optional<result<T>> got;
    start(handler<T>([&got](result<T> answer) { got.emplace(std::move(answer)); }));
    EXPECT_TRUE(world.run_until([&] { return zk.session().state == session_state::suspended; }));
    process.cut();
    meanwhile();
    process.heal();
    EXPECT_TRUE(world.run_until([&] { return got.has_value(); }));
    EXPECT_EQ(zk.session().generation, 1U);
    return *std::move(got);
  }
  void others_set(std::string path, std::string data) {
    EXPECT_TRUE(wait<stat_t>([&](auto done) { other.async_set(path, data, any_version, std::move(done)); }));
  }
  void others_remove(std::string path) {
    EXPECT_TRUE(wait<void>([&](auto done) { other.async_remove(path, any_version, std::move(done)); }));
  }
  void others_create(std::string path, std::string data) {
    EXPECT_TRUE(wait<created>([&](auto done) { other.async_create(path, data, {}, std::move(done)); }));
  }
};

constexpr auto nothing = [] {};

TEST(idempotent_create, succeeds_once_in_every_mode_whatever_is_lost) {
  for (const auto mode :
       {create_mode::persistent, create_mode::ephemeral, create_mode::persistent_sequential,
        create_mode::ephemeral_sequential, create_mode::container, create_mode::ttl, create_mode::ttl_sequential}) {
    SCOPED_TRACE(static_cast<int>(mode));
    at_every_step<two_clients>([&](two_clients& at, auto fault) {
      fault();
      create_options options{.mode = mode};
      if (mode == create_mode::ttl || mode == create_mode::ttl_sequential) options.ttl = 1h;
      const auto made = at.create_once("/a", "mine", options);
      ASSERT_TRUE(made) << made.error().message();
      EXPECT_EQ(at.world.nodes("/").size(), at.world.nodes("/zookeeper").size() + 2);
      const auto now = at.look(made->path);
      ASSERT_TRUE(now);
      EXPECT_EQ(now->stat, made->stat);
      EXPECT_EQ(now->data, "mine");
    });
  }
}

TEST(idempotent_create, sequential_nodes_get_a_name_of_their_own) {
  two_clients at;
  ASSERT_TRUE(at.create("/q"));
  const auto made = at.interrupted<created>(
      true,
      [&](auto done) {
        async_idempotent_create(at.zk, "/q/job-", "x", {.mode = create_mode::persistent_sequential}, std::move(done));
      },
      [&] { at.others_set("/q", "busy"); });
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->path.substr(0, 6), "/q/_c_");
  EXPECT_TRUE(made->path.ends_with("-job-0000000000")) << made->path;
  EXPECT_EQ(at.world.nodes("/q/").size(), 1U);
  EXPECT_TRUE(at.create_once("/q/", "x", {.mode = create_mode::persistent_sequential}));
}

TEST(idempotent_create, node_of_another_is_not_taken_for_our_own) {
  for (const bool applied : {false, true}) {
    two_clients at;
    const auto start = [&](auto done) {
      async_idempotent_create(at.zk, "/a", "mine", {.mode = create_mode::ephemeral}, std::move(done));
    };
    const auto made = at.interrupted<created>(applied, start, [&] {
      if (applied) at.others_remove("/a");
      at.others_create("/a", "mine");
    });
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), errc::node_exists);
    EXPECT_EQ(made.error().outcome(), outcome::not_applied);
  }
}

TEST(idempotent_create, first_answer_is_final) {
  two_clients at;
  at.others_create("/a", "mine");
  const auto made = at.create_once("/a", "mine");
  EXPECT_EQ(made.error().code(), errc::node_exists);
  EXPECT_EQ(made.error().outcome(), outcome::not_applied);
  EXPECT_EQ(made.error().operation(), "idempotent_create");
  EXPECT_EQ(at.create_once("bad", "").error().code(), errc::invalid_path);
  EXPECT_EQ(at.create_once("/none/a", "").error().code(), errc::no_node);
}

TEST(idempotent_create, node_that_others_have_changed_is_in_doubt) {
  two_clients at;
  const auto made = at.interrupted<created>(
      true, [&](auto done) { async_idempotent_create(at.zk, "/a", "mine", {}, std::move(done)); },
      [&] { at.others_set("/a", "theirs"); });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), errc::node_exists);
  EXPECT_EQ(made.error().outcome(), outcome::unknown);
}

TEST(idempotent_create, session_that_ends_on_the_way_leaves_it_unknown) {
  two_clients at;
  at.world.lose_next_reply(at.process);
  std::optional<result<created>> made;
  async_idempotent_create(at.zk, "/a", "", {}, [&](result<created> answer) { made.emplace(std::move(answer)); });
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::suspended; }));
  at.process.cut();
  ASSERT_TRUE(at.world.run_until([&] { return made.has_value(); }));
  ASSERT_FALSE(*made);
  EXPECT_EQ(made->error().outcome(), outcome::unknown) << made->error().message();
}

TEST(idempotent_create, begun_while_the_session_is_lost_waits_for_the_next) {
  two_clients at;
  at.world.expire_sessions(at.process);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().state == session_state::lost; }));
  const auto made = at.create_once("/a", "x", {.mode = create_mode::ephemeral});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->stat.ephemeral_owner, at.zk.session().id);
}

TEST(idempotent_set, succeeds_once_whatever_is_lost) {
  at_every_step<two_clients>([](two_clients& at, auto fault) {
    const auto before = at.made("/a");
    fault();
    const auto set = at.set_once("/a", "mine", before);
    ASSERT_TRUE(set) << set.error().message();
    EXPECT_EQ(set->version, 1);
    EXPECT_EQ(at.look("/a").value().stat, *set);
  });
}

TEST(idempotent_set, says_what_can_be_known_when_others_write_too) {
  struct row {
    const char* what;
    bool applied;
    std::function<void(two_clients&)> meanwhile;
    errc code;
    outcome is;
  };
  const std::vector<row> rows{
      {"lost, another set", false, [](auto& at) { at.others_set("/a", "theirs"); }, errc::bad_version,
       outcome::not_applied},
      {"lost, others set twice", false,
       [](auto& at) {
         at.others_set("/a", "theirs");
         at.others_set("/a", "mine");
       },
       errc::bad_version, outcome::unknown},
      {"applied, another set", true, [](auto& at) { at.others_set("/a", "theirs"); }, errc::bad_version,
       outcome::unknown},
      {"applied, removed", true, [](auto& at) { at.others_remove("/a"); }, errc::no_node, outcome::unknown},
      {"lost, removed", false, [](auto& at) { at.others_remove("/a"); }, errc::no_node, outcome::unknown},
      {"applied, created anew", true,
       [](auto& at) {
         at.others_remove("/a");
         at.others_create("/a", "old");
       },
       errc::no_node, outcome::unknown},
  };
  for (const auto& one : rows) {
    SCOPED_TRACE(one.what);
    two_clients at;
    const auto before = at.made("/a");
    const auto set = at.interrupted<stat_t>(
        one.applied, [&](auto done) { async_idempotent_set(at.zk, "/a", "mine", before, std::move(done)); },
        [&] { one.meanwhile(at); });
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code(), one.code) << set.error().message();
    EXPECT_EQ(set.error().outcome(), one.is) << set.error().message();
  }
}

TEST(idempotent_set, plain_refusals) {
  two_clients at;
  const auto before = at.made("/a");
  EXPECT_EQ(at.set_once("/a", "x", stat_t{}).error().code(), errc::invalid_argument);
  at.others_set("/a", "theirs");
  EXPECT_EQ(at.set_once("/a", "mine", before).error().code(), errc::bad_version);
  EXPECT_EQ(at.set_once("/a", "mine", before).error().outcome(), outcome::not_applied);
  EXPECT_EQ(at.set_once("/none", "mine", before).error().code(), errc::no_node);
}

TEST(idempotent_remove, is_gone_whatever_is_lost) {
  at_every_step<two_clients>([](two_clients& at, auto fault) {
    const auto before = at.made("/a");
    fault();
    const auto removed = at.remove_once("/a", before);
    ASSERT_TRUE(removed) << removed.error().message();
    EXPECT_TRUE(at.world.nodes("/a").empty());
  });
}

TEST(idempotent_remove, says_by_whom_as_far_as_it_can_be_known) {
  two_clients at;
  EXPECT_EQ(at.remove_once("/a", at.made("/a")).value(), removal::ours);
  const auto remove_interrupted = [&](bool applied, const auto& meanwhile) {
    const auto before = at.made("/a");
    return at.interrupted<removal>(
        applied, [&](auto done) { async_idempotent_remove(at.zk, "/a", before, std::move(done)); }, meanwhile);
  };
  EXPECT_EQ(remove_interrupted(true, nothing).value(), removal::unclear);
  EXPECT_EQ(remove_interrupted(false, nothing).value(), removal::ours) << "it was sent again";
  EXPECT_EQ(remove_interrupted(false, [&] { at.others_remove("/a"); }).value(), removal::unclear);
  EXPECT_EQ(remove_interrupted(true, [&] { at.others_create("/a", "another's"); }).value(), removal::unclear);
  EXPECT_EQ(at.look("/a").value().data, "another's");
  at.others_remove("/a");
  const auto changed = remove_interrupted(false, [&] { at.others_set("/a", "theirs"); });
  EXPECT_EQ(changed.error().code(), errc::bad_version);
  EXPECT_EQ(changed.error().outcome(), outcome::not_applied);
  EXPECT_EQ(at.remove_once("/none", at.look("/a").value().stat).error().code(), errc::no_node);
}

TEST(guaranteed_remove, is_done_whatever_is_lost) {
  for (const auto mode : {create_mode::persistent, create_mode::ephemeral}) {
    at_every_step<two_clients>([mode](two_clients& at, auto fault) {
      const auto before = at.made("/a", "old", {.mode = mode});
      fault();
      guaranteed_remove(at.zk, "/a", before);
      EXPECT_TRUE(at.world.run_until([&] { return at.world.nodes("/a").empty(); }));
      at.world.run_for(1s);
      EXPECT_TRUE(at.seen->problems.empty());
    });
  }
}

TEST(guaranteed_remove, survives_the_session_where_the_node_does) {
  two_clients at;
  const auto lasting = at.made("/lasting");
  const auto fleeting = at.made("/fleeting", "", {.mode = create_mode::ephemeral});
  at.process.cut();
  guaranteed_remove(at.zk, "/lasting", lasting);
  guaranteed_remove(at.zk, "/fleeting", fleeting);
  ASSERT_TRUE(at.world.run_until([&] { return at.zk.session().generation == 2; }));
  EXPECT_TRUE(at.world.run_until([&] { return at.world.nodes("/fleeting").empty(); }));
  at.others_create("/fleeting", "another's");
  at.process.heal();
  EXPECT_TRUE(at.world.run_until([&] { return at.world.nodes("/lasting").empty(); }));
  at.world.run_for(1s);
  EXPECT_TRUE(at.seen->problems.empty());
  EXPECT_EQ(at.world.nodes("/fleeting").size(), 1U);
}

TEST(guaranteed_remove, leaves_another_node_alone) {
  two_clients at;
  const auto before = at.made("/a");
  at.process.cut();
  guaranteed_remove(at.zk, "/a", before);
  at.others_remove("/a");
  at.others_create("/a", "another's");
  at.process.heal();
  at.world.run_for(10s);
  EXPECT_EQ(at.look("/a").value().data, "another's");
  EXPECT_TRUE(at.seen->problems.empty());
}

TEST(guaranteed_remove, removes_the_node_with_whatever_data) {
  two_clients at;
  const auto before = at.made("/a");
  at.others_set("/a", "1");
  guaranteed_remove(at.zk, "/a", before);
  EXPECT_TRUE(at.world.run_until([&] { return at.world.nodes("/a").empty(); }));
}

TEST(guaranteed_remove, tells_the_observer_what_it_could_not_do) {
  {
    two_clients at;
    const auto before = at.made("/a");
    ASSERT_TRUE(at.create("/a/b"));
    guaranteed_remove(at.zk, "/a", before);
    ASSERT_TRUE(at.world.run_until([&] { return !at.seen->problems.empty(); }));
    EXPECT_EQ(at.seen->problems.front().message(), "guaranteed_remove /a: not_empty (the node has children)");
    guaranteed_remove(at.zk, "bad", before);
    ASSERT_TRUE(at.world.run_until([&] { return at.seen->problems.size() == 2; }));
    EXPECT_EQ(at.seen->problems.back().code(), errc::invalid_path);
    at.process.cut();
    guaranteed_remove(at.zk, "/a", before);
    at.zk.close();
    at.world.run_for(1s);
    ASSERT_EQ(at.seen->problems.size(), 3U);
    EXPECT_EQ(at.seen->problems.back().code(), errc::closed);
  }
  two_clients at(std::make_shared<recorder>(), session_loss::stay_closed);
  const auto before = at.made("/a");
  at.process.cut();
  guaranteed_remove(at.zk, "/a", before);
  ASSERT_TRUE(at.world.run_until([&] { return !at.seen->problems.empty(); }));
  EXPECT_EQ(at.seen->problems.front().code(), errc::session_lost);
}

TEST(guaranteed_remove, does_not_count_against_max_in_flight) {
  const auto watching = std::make_shared<recorder>();
  one_client at({.session_timeout = 4s, .max_in_flight = 1, .observer = watching});
  std::vector<stat_t> made;
  for (int i = 0; i < 10; ++i) made.push_back(at.create("/n" + std::to_string(i)).value().stat);
  for (int i = 0; i < 10; ++i) guaranteed_remove(at.zk, "/n" + std::to_string(i), made[static_cast<std::size_t>(i)]);
  EXPECT_TRUE(at.get("/"));  // asynchronous: would be overloaded
  EXPECT_TRUE(at.world.run_until([&] { return at.world.nodes("/n").empty(); }));
  EXPECT_TRUE(watching->problems.empty());
}

}  // namespace
}  // namespace zkr::testing
