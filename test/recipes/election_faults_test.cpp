#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "recipes/claim_election/claim_election_machine.hpp"
#include "recipes/leader_election/leader_election_machine.hpp"
#include "recipes/machine_world.hpp"
#include "recipes/mutex/mutex_queue.hpp"
#include "recipes/shared_mutex/shared_mutex_queue.hpp"

// Both elections and the locks against a model of a server, with every fault between every two steps of a campaign; then with many
// candidates and faults at random. What is checked stands in machine_world: one end, nothing left behind, one holder at
// a time, a grant only for a node of the present session, growing tokens.
namespace zkr::recipes::testing {
namespace {

constexpr int many_steps = 3000;

// All pairs of faults are some hundred thousand campaigns: every 29th here, all with ZKR_TEST_EXHAUSTIVE=1.
const bool exhaustive = std::getenv("ZKR_TEST_EXHAUSTIVE") != nullptr;
const int stride = exhaustive ? 1 : 29;
const std::uint64_t seeds = exhaustive ? 2000 : 40;

/// One candidate, and rivals without a machine who give way whenever nothing else happens.
class campaign_world {
 public:
  machine_world world;
  int client = world.add_client();
  int candidate = -1;
  std::vector<std::function<void()>> rivals_leave = {};

  virtual ~campaign_world() = default;

  /// A little of what comes next. @return false where nothing does.
  bool advance() {
    if (world.step() || world.idle_step()) return true;
    if (world.finished(candidate)) return false;
    if (world.holds(candidate)) {
      world.tell(candidate, release{});
      return true;
    }
    if (rivals_leave.empty()) return false;
    rivals_leave.front()();
    rivals_leave.erase(rivals_leave.begin());
    return true;
  }

  /// To the end. Fails where the machine hangs, or never stops.
  void run_out() {
    for (int i = 0; i < many_steps && world.broken().empty(); ++i) {
      if (!advance()) break;
    }
    ASSERT_TRUE(world.broken().empty()) << world.broken();
    ASSERT_TRUE(world.finished(candidate)) << "it hangs, or never ends:\n" << world.history();
    while (world.step()) {
    }
    EXPECT_EQ(world.node_of(candidate), "") << "it came back after the end:\n" << world.history();
  }
};

std::unique_ptr<machine> leader_machine(std::string path) {
  return std::make_unique<leader_election_machine>(leader_election_options{.path = std::move(path), .id = "me"});
}
std::unique_ptr<machine> mutex_machine(std::string path, queue_patience patience) {
  auto queue = mutex_queue({.path = std::move(path), .id = "me"});
  queue.patience = patience;
  return std::make_unique<queue_machine>(std::move(queue));
}

std::unique_ptr<machine> shared_mutex_machine(lock_mode mode) {
  return std::make_unique<queue_machine>(shared_mutex_queue({.path = "/e", .id = "me"}, mode));
}

/// Third in a queue, behind rivals with these names before the number.
class queue_campaign : public campaign_world {
 public:
  queue_campaign(std::unique_ptr<machine> algorithm, const std::vector<std::string>& rivals) {
    candidate = world.add_machine(client, std::move(algorithm));
    world.server.put("/e", "");
    const auto rival = world.server.open_session();
    for (const auto& name : rivals) {
      const auto made = world.server.apply(
          rival, -1, create_node{"/e/" + name, "rival", {.mode = create_mode::ephemeral_sequential}});
      const auto path = std::get<created>(*made).path;
      rivals_leave.emplace_back([this, path] { world.server.erase(path); });
    }
  }
};

class leader_campaign final : public queue_campaign {
 public:
  leader_campaign() : queue_campaign(leader_machine("/e"), {"_c_x-latch-", "_c_y-latch-"}) {}
};

class mutex_acquisition final : public queue_campaign {
 public:
  mutex_acquisition() : queue_campaign(mutex_machine("/e", queue_patience::wait), {"_c_x-lock-", "_c_y-lock-"}) {}
};

class writer_acquisition final : public queue_campaign {
 public:
  writer_acquisition()
      : queue_campaign(shared_mutex_machine(lock_mode::exclusive), {"_c_x-__WRIT__", "_c_y-__READ__"}) {}
};

class reader_acquisition final : public queue_campaign {
 public:
  reader_acquisition() : queue_campaign(shared_mutex_machine(lock_mode::shared), {"_c_x-__WRIT__", "_c_y-__WRIT__"}) {}
};

// In the next two the directory is missing.
class lonely_leader_campaign final : public campaign_world {
 public:
  lonely_leader_campaign() { candidate = world.add_machine(client, leader_machine("/a/e")); }
};

class mutex_trial final : public campaign_world {
 public:
  mutex_trial() { candidate = world.add_machine(client, mutex_machine("/a/e", queue_patience::once)); }
};

class claim_campaign : public campaign_world {
 public:
  explicit claim_campaign(claim_patience patience = claim_patience::wait) {
    world.growing = "/k/e";
    candidate = world.add_machine(client, std::make_unique<claim_election_machine>(
                                              claim_election_options{.path = "/k/c", .id = "me", .epoch_path = "/k/e"},
                                              patience, std::make_shared<claim_register>()));
  }
};

class contested_claim_campaign final : public claim_campaign {
 public:
  contested_claim_campaign() {
    world.server.put("/k", "");
    world.server.put("/k/e", "7");
    world.server.put("/k/c", "rival", world.server.open_session());
    rivals_leave.emplace_back([this] { world.server.erase("/k/c"); });
  }
};

class once_claim_campaign final : public claim_campaign {
 public:
  once_claim_campaign() : claim_campaign(claim_patience::once) {}
};

using maker = std::function<std::unique_ptr<campaign_world>()>;
using fault = std::pair<std::string, std::function<void(campaign_world&)>>;
using end = machine_world::after_session;

template <typename World>
maker make() {
  return [] { return std::make_unique<World>(); };
}

/// Meddling with the candidate's own node, and with everything else.
void tamper(campaign_world& in, const std::function<void()>& how) {
  in.world.tampered = true;
  how();
}

std::vector<fault> all_faults() {
  std::vector<fault> all;
  for (const std::size_t applied : {0U, 1U, 2U, 9U}) {
    const auto text = std::to_string(applied) + " writes applied";
    all.emplace_back("reconnect, " + text, [applied](campaign_world& in) { in.world.reconnect(in.client, applied); });
    all.emplace_back("reconnect to a lagging server, " + text, [applied](campaign_world& in) {
      in.world.lagging_servers = true;
      in.world.reconnect(in.client, applied);
      in.world.lagging_servers = false;
    });
    all.emplace_back("session over, " + text,
                     [applied](campaign_world& in) { in.world.end_session(in.client, applied, end::next_session); });
  }
  all.emplace_back("session over, grant first",
                   [](campaign_world& in) { in.world.end_session(in.client, 9, end::next_session, true); });
  all.emplace_back("session over for good",
                   [](campaign_world& in) { in.world.end_session(in.client, 1, end::shut_down); });
  all.emplace_back("cancel", [](campaign_world& in) { in.world.tell(in.candidate, cancel{}); });
  all.emplace_back("release", [](campaign_world& in) {
    if (in.world.holds(in.candidate)) in.world.tell(in.candidate, release{});
  });
  all.emplace_back("grant ended", [](campaign_world& in) { in.world.end_grant_of(in.candidate); });
  all.emplace_back("own node deleted", [](campaign_world& in) {
    tamper(in, [&] { in.world.server.erase(in.world.node_of(in.candidate)); });
  });
  all.emplace_back("own node written", [](campaign_world& in) {
    const auto path = in.world.node_of(in.candidate);
    if (!path.empty()) tamper(in, [&] { in.world.server.put(path, "graffiti"); });
  });
  all.emplace_back("own node replaced by a rival's", [](campaign_world& in) {
    const auto& nodes = in.world.server.nodes();
    if (nodes.count("/k/e") == 0 || nodes.count("/k/c") == 0) return;
    tamper(in, [&] {
      in.world.server.erase("/k/c");
      in.world.server.put("/k/c", "", in.world.server.open_session());
      in.world.server.put("/k/c", "usurper");  // as a claim leaves it, at version 1
      in.world.server.put("/k/e", "77");
      in.rivals_leave.assign(1, [&in] { in.world.server.erase("/k/c"); });
    });
  });
  all.emplace_back("everything deleted", [](campaign_world& in) {
    tamper(in, [&] {
      in.world.server.erase_all("/e");
      in.world.server.erase_all("/a");
      in.world.server.erase_all("/k");
    });
  });
  all.emplace_back("epoch deleted", [](campaign_world& in) { tamper(in, [&] { in.world.server.erase("/k/e"); }); });
  all.emplace_back("epoch written", [](campaign_world& in) {
    if (in.world.server.nodes().count("/k") != 0) tamper(in, [&] { in.world.server.put("/k/e", "41"); });
  });
  all.emplace_back("epoch garbled", [](campaign_world& in) {
    if (in.world.server.nodes().count("/k") != 0) tamper(in, [&] { in.world.server.put("/k/e", "forty"); });
  });
  all.emplace_back("predecessors deleted", [](campaign_world& in) {
    while (!in.rivals_leave.empty()) {
      in.rivals_leave.front()();
      in.rivals_leave.erase(in.rivals_leave.begin());
    }
  });
  all.emplace_back("predecessor written", [](campaign_world& in) {
    for (const auto* path : {"/e/_c_y-latch-0000000001", "/e/_c_y-lock-0000000001", "/e/_c_y-__READ__0000000001",
                             "/e/_c_y-__WRIT__0000000001", "/k/c"}) {
      const auto found = in.world.server.nodes().find(path);
      if (found != in.world.server.nodes().end() && found->second.creator < 0) in.world.server.put(path, "other");
    }
  });
  all.emplace_back("a child that is no candidate", [](campaign_world& in) {
    if (in.world.server.nodes().count("/e") != 0) in.world.server.put("/e/latch-x", "");
  });
  return all;
}

struct Elections : ::testing::TestWithParam<std::pair<std::string, maker>> {
  [[nodiscard]] std::unique_ptr<campaign_world> begin() const {
    auto in = GetParam().second();
    in->world.start_machine(in->candidate);
    return in;
  }
  /// How many steps a campaign has without any fault.
  [[nodiscard]] int length() const {
    auto in = begin();
    int steps = 0;
    while (in->advance()) ++steps;
    EXPECT_TRUE(in->world.broken().empty()) << in->world.broken();
    EXPECT_TRUE(in->world.finished(in->candidate));
    return steps;
  }
};

TEST_P(Elections, end_well_without_faults) {
  auto in = begin();
  in->run_out();
  EXPECT_TRUE(in->world.was_given(in->candidate)) << in->world.history();
  EXPECT_FALSE(in->world.said(in->candidate).back().problem);
  EXPECT_GT(length(), 3);
}

TEST_P(Elections, end_well_with_every_fault_at_every_step) {
  const int steps = length();
  for (const auto& [name, strike] : all_faults()) {
    for (int at = 0; at <= steps; ++at) {
      auto in = begin();
      for (int i = 0; i < at; ++i) in->advance();
      strike(*in);
      in->run_out();
      if (HasFailure()) FAIL() << "with \"" << name << "\" at step " << at;
    }
  }
}

TEST_P(Elections, end_well_with_every_pair_of_faults) {
  const int steps = length();
  int pair = 0;
  const auto faults = all_faults();
  for (const auto& [name, strike] : faults) {
    for (int at = 0; at <= steps; ++at) {
      for (const auto& [second_name, strike_again] : faults) {
        for (int later = 0; later < 6; ++later) {
          if (++pair % stride != 0) continue;
          auto in = begin();
          for (int i = 0; i < at; ++i) in->advance();
          strike(*in);
          for (int i = 0; i < later; ++i) in->advance();
          strike_again(*in);
          in->run_out();
          if (HasFailure()) {
            FAIL() << "with \"" << name << "\" at step " << at << " and \"" << second_name << "\" " << later
                   << " later";
          }
        }
      }
    }
  }
}

TEST_P(Elections, end_well_when_cancelled_or_shut_down_in_any_mess) {
  const int steps = length();
  int pair = 0;
  for (const bool shut : {false, true}) {
    for (const auto& [name, strike] : all_faults()) {
      for (int at = 0; at <= steps; ++at) {
        for (int later = 0; later < 6; ++later) {
          if (++pair % stride != 0) continue;
          auto in = begin();
          for (int i = 0; i < at; ++i) in->advance();
          strike(*in);
          for (int i = 0; i < later; ++i) in->advance();
          if (shut) {
            in->world.end_session(in->client, 9, end::shut_down);
            ASSERT_TRUE(in->world.finished(in->candidate)) << "at once";
          } else {
            in->world.tell(in->candidate, cancel{});
            in->rivals_leave.clear();  // nobody has to give way for it
          }
          in->run_out();
          if (HasFailure()) FAIL() << "with \"" << name << "\" at step " << at << ", " << later << " later";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, Elections,
                         ::testing::Values(std::pair("leader", make<leader_campaign>()),
                                           std::pair("lonely_leader", make<lonely_leader_campaign>()),
                                           std::pair("mutex", make<mutex_acquisition>()),
                                           std::pair("mutex_trial", make<mutex_trial>()),
                                           std::pair("writer", make<writer_acquisition>()),
                                           std::pair("reader", make<reader_acquisition>()),
                                           std::pair("claim", make<claim_campaign>()),
                                           std::pair("contested_claim", make<contested_claim_campaign>()),
                                           std::pair("once_claim", make<once_claim_campaign>())),
                         [](const auto& of) { return of.param.first; });

// ---- many candidates ------------------------------------------------------------------------------------------------

using add_candidate = std::function<int(machine_world&, int client)>;

/// Three clients with two candidates each; whoever finishes is followed by another until all have had enough.
void play(std::uint64_t seed, bool shared_nodes, const add_candidate& add) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  machine_world world(seed);
  std::mt19937_64 random(seed * 7919 + 1);
  world.shuffled = true;
  world.shared_nodes = shared_nodes;
  world.lagging_servers = random() % 2 == 0;
  std::vector<int> active;
  const auto join = [&](int client) {
    active.push_back(add(world, client));
    world.start_machine(active.back());
  };
  for (int client = 0; client < 3; ++client) {
    world.add_client();
    join(client);
    join(client);
  }
  int grants = 0;
  int quiet = 0;
  for (int i = 0; i < 1500 && world.broken().empty() && quiet < 2; ++i) {
    const bool moved = world.step() || world.idle_step();
    quiet = moved ? 0 : quiet + 1;
    const int client = static_cast<int>(random() % 3);
    const auto applied = random() % (world.writes_under_way(client) + 1);
    if (i < 1000) {
      switch (random() % 40) {
        case 0: world.reconnect(client, applied); break;
        case 1: world.end_session(client, applied, end::next_session, random() % 2 == 0); break;
        case 2: world.tell(active[random() % active.size()], cancel{}); break;
        case 3: world.end_grant_of(active[random() % active.size()]); break;
        default: break;
      }
    }
    for (auto& one : active) {
      if (world.holds(one) && (!moved || random() % 4 == 0)) {
        ++grants;
        quiet = 0;
        world.tell(one, release{});
      }
      if (world.finished(one) && i < 1000) {
        one = add(world, world.client_of(one));
        world.start_machine(one);
      }
    }
  }
  ASSERT_TRUE(world.broken().empty()) << world.broken();
  EXPECT_GT(grants, 5) << world.history();
  for (const auto one : active) ASSERT_TRUE(world.finished(one)) << "p" << one << " hangs:\n" << world.history();
  for (int one = 0; one < static_cast<int>(world.players()); ++one) {
    ASSERT_EQ(world.node_of(one), "") << "left behind by p" << one << ":\n" << world.history();
  }
}

TEST(ElectionsAtRandom, leader_election_has_one_leader_at_a_time) {
  for (std::uint64_t seed = 1; seed <= seeds && !::testing::Test::HasFailure(); ++seed) {
    play(seed, false, [](machine_world& world, int client) { return world.add_machine(client, leader_machine("/e")); });
  }
}

TEST(ElectionsAtRandom, mutex_has_one_holder_at_a_time) {
  for (std::uint64_t seed = 1; seed <= seeds && !::testing::Test::HasFailure(); ++seed) {
    std::mt19937_64 patient(seed);
    play(seed, false, [&patient](machine_world& world, int client) {
      const auto patience = patient() % 4 == 0 ? queue_patience::once : queue_patience::wait;
      return world.add_machine(client, mutex_machine("/e", patience));
    });
  }
}

TEST(ElectionsAtRandom, shared_mutex_has_one_writer_or_many_readers) {
  for (std::uint64_t seed = 1; seed <= seeds && !::testing::Test::HasFailure(); ++seed) {
    std::mt19937_64 mode(seed);
    play(seed, false, [&mode](machine_world& world, int client) {
      world.sharing = reader_marker;
      return world.add_machine(client,
                               shared_mutex_machine(mode() % 3 == 0 ? lock_mode::exclusive : lock_mode::shared));
    });
  }
}

TEST(ElectionsAtRandom, claim_election_has_one_leader_at_a_time) {
  for (std::uint64_t seed = 1; seed <= seeds && !::testing::Test::HasFailure(); ++seed) {
    const auto claims = std::make_shared<claim_register>();
    play(seed, true, [claims](machine_world& world, int client) {
      world.growing = "/e";
      return world.add_machine(client, std::make_unique<claim_election_machine>(
                                           claim_election_options{.path = "/c", .id = "one", .epoch_path = "/e"},
                                           claim_patience::wait, claims));
    });
  }
}

}  // namespace
}  // namespace zkr::recipes::testing
