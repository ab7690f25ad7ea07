#include <gtest/gtest.h>

#include <algorithm>

#include "sim/raw_client.hpp"

// The experiment that the SDK's lease rests on, on the simulated ensemble: of several rules for how long a session is
// certain after an acknowledgement, those that real servers refuted fail here too, and the one in use does not.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

constexpr duration timeout = 2s;
constexpr auto margin = timeout / 10;
constexpr auto spacing = timeout / 4 + 20ms;

/// How much later than promised sessions ended, at least.
struct slack {
  duration least = duration::max();
  int violations = 0;

  void add(duration one) {
    least = std::min(least, one);
    if (one < duration(0)) ++violations;
  }
};
struct findings {
  slack last_write;    ///< Counted from the acknowledged heartbeat itself.
  slack write_before;  ///< From the one before it, however close.
  slack last_read;     ///< From an acknowledged read.
  slack rule_in_use;   ///< From the one before the one before, each sent a while after an acknowledgement.
  int claims = 0;
};

enum class pace {
  steady,  ///< Every T/4, whatever is acknowledged.
  spaced,  ///< One at a time, and the next a while after the acknowledgement.
};

/// A session with a node of its own, and one kind of traffic.
class holder {
 public:
  holder(raw_world& in, std::size_t server, std::string path, pace how, bool writes)
      : in_(in), path_(std::move(path)), how_(how), writes_(writes), client_(in, server, timeout) {
    EXPECT_TRUE(in.run_until([&] { return client_.greeted(); }));
    EXPECT_EQ(client_.ask(1, raw_create(path_, wire::create_flags::ephemeral)), errc::ok);
  }

  [[nodiscard]] raw_client& client() { return client_; }

  /// Sends what is due, and takes note of what has come.
  void step() {
    const bool waits = sent_.size() > acknowledged_.size();
    const auto due = how_ == pace::steady ? (sent_.empty() ? in_.now() : sent_.back() + timeout / 4)
                                          : (acknowledged_.empty() ? in_.now() : acknowledged_.back() + spacing);
    if (!client_.closed() && in_.now() >= due && (how_ == pace::steady || !waits)) send();
    for (; seen_ < client_.answers().size(); ++seen_) {
      const auto& one = client_.answers()[seen_];
      if (one.xid == 1) continue;
      if (!holds(one)) over_ = true;
      if (!over_) acknowledged_.push_back(one.received);
    }
    if (!gone_ && !in_.is_there(path_)) gone_ = in_.now();
  }
  [[nodiscard]] bool gone() const { return gone_.has_value(); }

  /// What a rule promised: from the k-th acknowledgement on, T from when the one `back` before it was sent.
  void judge(slack& into, std::size_t back, int& claims) const {
    for (std::size_t k = back; k < acknowledged_.size(); ++k) {
      const auto valid_until = sent_[k - back] + timeout - margin;
      if (valid_until <= acknowledged_[k]) continue;
      into.add(*gone_ - valid_until);
      ++claims;
    }
  }

 private:
  void send() {
    const auto xid = static_cast<std::int32_t>(sent_.size()) + 2;
    sent_.push_back(in_.now());
    if (!writes_) return client_.send(xid, wire::exists_request{path_});
    wire::multi_request heartbeat;
    heartbeat.operations.emplace_back(wire::check_request{path_});
    client_.send(xid, heartbeat);
  }
  [[nodiscard]] bool holds(const raw_client::answer& one) const {
    if (one.code != errc::ok || !writes_) return one.code == errc::ok;
    const auto decoded = wire::decode_reply(one.body, wire::opcode::multi);
    return !std::holds_alternative<wire::error_result>(std::get<wire::multi_reply>(decoded.body).results.front());
  }

  raw_world& in_;
  const std::string path_;
  const pace how_;
  const bool writes_;
  raw_client client_;
  std::vector<time_point> sent_;
  std::vector<time_point> acknowledged_;
  std::size_t seen_ = 0;
  bool over_ = false;
  std::optional<time_point> gone_;
};

/// One of the faults, for a while.
struct fault {
  raw_world& at;
  std::vector<std::unique_ptr<holder>>& holders;
  std::size_t server;
  std::uint64_t kind;

  void cut(std::size_t from, std::size_t to) const { at.ensemble.wires().cut(from, to); }
  void begin() const {
    const auto leader = at.leader();
    const auto other = 3 - leader - (server == leader ? at.follower() : server);
    switch (kind) {
      case 0:
        for (const auto& one : holders) one->client().host().cut = true;
        break;
      case 1: at.ensemble.member(server).pause(); break;
      case 2: at.ensemble.member(leader).pause(); break;
      case 3:
        cut(server, leader);
        cut(leader, server);
        break;
      case 4: cut(server, leader); break;
      case 5: cut(leader, server); break;
      case 6:
        cut(leader, server);
        cut(server, leader);
        cut(leader, other);
        cut(other, leader);
        break;
      default: at.ensemble.member(leader).kill(); break;
    }
  }
  void end() const {
    for (const auto& one : holders) one->client().heal();
    at.ensemble.wires().heal();
    for (std::size_t i = 0; i < 3; ++i) {
      at.ensemble.member(i).resume();
      at.network.resumed(i);
    }
  }
};

void try_once(std::uint64_t seed, findings& into) {
  raw_world at(seed, 500ms, 8);
  const auto server = seed % 4 == 0 ? at.leader() : at.follower();
  std::vector<std::unique_ptr<holder>> holders;
  holders.push_back(std::make_unique<holder>(at, server, "/steady", pace::steady, true));
  holders.push_back(std::make_unique<holder>(at, server, "/read", pace::steady, false));
  holders.push_back(std::make_unique<holder>(at, server, "/spaced", pace::spaced, true));
  const fault what{at, holders, server, seed / 4 % 8};
  const auto begins = at.now() + 2s + at.base.between(0s, 1s);
  const auto ends = begins + at.base.between(timeout / 2, timeout + 800ms);
  bool begun = false;
  bool ended = false;
  const auto cut_for_good = ends + at.base.between(0s, 2s);
  const auto last = cut_for_good + 12s;
  while (at.now() < last) {
    at.run_for(2ms);
    if (!begun && at.now() >= begins) {
      what.begin();
      begun = true;
    }
    if (!ended && at.now() >= ends) {
      what.end();
      ended = true;
    }
    for (const auto& one : holders) {
      if (ended && at.now() >= cut_for_good) one->client().host().cut = true;
      one->step();
    }
    if (std::all_of(holders.begin(), holders.end(), [](const auto& one) { return one->gone(); })) break;
  }
  for (const auto& one : holders) ASSERT_TRUE(one->gone());
  holders[0]->judge(into.last_write, 0, into.claims);
  holders[0]->judge(into.write_before, 1, into.claims);
  holders[1]->judge(into.last_read, 0, into.claims);
  holders[2]->judge(into.rule_in_use, 2, into.claims);
}

TEST(sim_lease_rules, those_that_real_ensembles_refuted_fail_and_the_one_in_use_holds) {
  findings found;
  for (std::uint64_t seed = 1; seed <= 160; ++seed) {
    SCOPED_TRACE(seed);
    try_once(seed, found);
  }
  const auto in_timeouts = [](const slack& one) {
    return std::chrono::duration<double>(one.least) / std::chrono::duration<double>(timeout);
  };
  std::cout << found.claims << " claims; least slack in T (violations): last write " << in_timeouts(found.last_write)
            << " (" << found.last_write.violations << "), the write before " << in_timeouts(found.write_before) << " ("
            << found.write_before.violations << "), last read " << in_timeouts(found.last_read) << " ("
            << found.last_read.violations << "), in use " << in_timeouts(found.rule_in_use) << " ("
            << found.rule_in_use.violations << ")\n";
  EXPECT_GT(found.last_write.violations, 0);
  EXPECT_GT(found.write_before.violations, 0);
  EXPECT_GT(found.last_read.violations, 0);
  EXPECT_LT(in_timeouts(found.last_read), -0.5);
  EXPECT_EQ(found.rule_in_use.violations, 0);
  EXPECT_GT(found.claims, 2000);
}

}  // namespace
}  // namespace zkr::testing
