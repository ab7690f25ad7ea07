#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>

#include "differential/canonical.hpp"
#include "differential/random_requests.hpp"
#include "server/raw_client.hpp"
#include "support/apache_server.hpp"
#include "zkrecipes/server.hpp"

// The bundled server beside Apache ZooKeeper: the same random requests to both, and everything that they say compared.
namespace zkr::testing {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t sessions = 3;
constexpr std::int32_t timeout_ms = 30'000;

/// One server and the test's sessions on it.
class side {
 public:
  explicit side(std::uint16_t port) : port_(port) {
    for (auto& one : sessions_) begin(one);
  }

  /// A new connection; of the same session where it `resumes`.
  void reconnect(std::size_t which, bool resumes) {
    auto& one = sessions_[which];
    if (!resumes) one.id = 0;
    begin(one);
  }

  /// Sends all of them, then gives what comes back until the last of them is answered.
  std::vector<std::string> exchange(std::size_t which, const std::vector<random_request>& requests) {
    auto& one = sessions_[which];
    std::string bytes;
    for (const auto& request : requests) {
      auto what = request.what;
      // Each server has its own numbers.
      if (auto* watches = std::get_if<wire::set_watches_request>(&what))
        watches->relative_zxid = since_[watches->data.size() % 2];
      wire::append_request_frame(bytes, ++one.xid, what);
    }
    one.link->send(bytes);
    std::vector<std::string> said;
    auto xid = one.xid - static_cast<std::int32_t>(requests.size());
    for (const auto& request : requests) {
      if (!collect(one, ++xid, wire::type_of(request.what), said)) break;
      said.back() += "  <- " + text_of(request.what);
    }
    return said;
  }
  /// The events that have come to a session so far.
  std::vector<std::string> events(std::size_t which) { return exchange(which, {{wire::ping_request{}}}); }
  bool closed(std::size_t which) { return sessions_[which].link->is_closed(); }
  /// Sessions watch again from here on, or from the beginning.
  void mark() { since_[1] = last_zxid_; }

 private:
  struct one_session {
    std::unique_ptr<raw_client> link;
    std::int64_t id = 0;
    std::string password;
    std::int32_t xid = 0;
  };

  void begin(one_session& one) {
    one.link = std::make_unique<raw_client>(port_);
    one.id = one.link->greet({0, 0, timeout_ms, one.id, one.password, false});
    one.password = one.link->password;
    EXPECT_NE(one.id, 0);
    (void)text_.session(one.id);
  }

  /// Reads up to the reply to `xid`. @return false where the connection ended.
  bool collect(one_session& from, std::int32_t xid, wire::opcode type, std::vector<std::string>& said) {
    for (;;) {
      const auto frame = from.link->receive_frame();
      std::string_view body = frame;
      const auto header = wire::decode_reply_header(body);
      if (!header) {
        said.emplace_back("the connection ended");
        return false;
      }
      if (header->xid == wire::xid_notification) {
        said.push_back(text_.event(body, header->zxid));
        continue;
      }
      last_zxid_ = std::max(last_zxid_, header->zxid);
      said.push_back(fmt::format("{} {}", header->xid == xid, text_.reply(*header, body, type)));
      return true;
    }
  }

  const std::uint16_t port_;
  canonical text_;
  std::array<one_session, sessions> sessions_;
  std::int64_t last_zxid_ = 0;
  std::array<std::int64_t, 2> since_{};
};

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* set = std::getenv(name);
  return set != nullptr ? std::strtoull(set, nullptr, 10) : otherwise;
}

struct differential : ::testing::Test {
  // Nothing happens by itself: what is reaped when would be a difference.
  apache_server apache{milliseconds(2000), {"znode.container.checkIntervalMs=3600000"}};
  server bundled = server::start({.tick_time = milliseconds(2000), .reap_interval = std::chrono::hours(1)}).value();
  side theirs{apache.port()};
  side ours{bundled.port()};
  std::vector<std::string> history;  ///< Of this round.

  /// Sends a batch to both. @return false where they answered differently.
  bool same(std::size_t from, const std::vector<random_request>& batch) {
    for (const auto& one : batch) history.push_back(fmt::format("session {}: {}", from, text_of(one.what)));
    // The order in which a session's nodes go is nobody's promise.
    const bool in_order = !std::holds_alternative<wire::close_session_request>(batch.front().what);
    if (!compare(theirs.exchange(from, batch), ours.exchange(from, batch), in_order)) return false;
    for (std::size_t other = 0; other < sessions; ++other) {
      if (other == from) continue;
      if (compare(theirs.events(other), ours.events(other), in_order)) continue;
      std::cout << "  is what session " << other << " heard\n";
      return false;
    }
    return true;
  }

  bool compare(std::vector<std::string> expected, std::vector<std::string> seen, bool in_order) const {
    if (!in_order) {
      std::sort(expected.begin(), expected.end());
      std::sort(seen.begin(), seen.end());
    }
    if (expected == seen) return true;
    for (const auto& line : history) std::cout << "  " << line << '\n';
    for (std::size_t i = 0; i < std::max(expected.size(), seen.size()); ++i) {
      const auto& wanted = i < expected.size() ? expected[i] : "-";
      const auto& got = i < seen.size() ? seen[i] : "-";
      std::cout << (wanted == got ? "  both   " : "  apache ") << wanted << '\n';
      if (wanted != got) std::cout << "  ours   " << got << '\n';
    }
    return false;
  }

  /// One story on a tree of its own. @return how many requests it took; nothing where the servers differed.
  std::optional<std::size_t> play(std::uint64_t round) {
    random_requests script(round);
    history = {fmt::format("round {0}; ZKR_TEST_ROUND={0} plays it alone", round)};
    const auto root = fmt::format("/round-{}", round);
    script.begin_round(root);
    std::size_t sent = 1;
    if (!same(0, {{wire::create_request{wire::opcode::create2, root, "", {{perms::all, "world", "anyone"}}, 0, -1}}}))
      return {};
    for (int step = 0; step < 30; ++step) {
      const auto from = script.below(sessions);
      if (script.one_in(40)) {
        const bool ends = script.one_in(2);
        if (ends && !same(from, {{wire::close_session_request{}}})) return {};
        theirs.reconnect(from, !ends);
        ours.reconnect(from, !ends);
      }
      if (script.one_in(10)) {
        theirs.mark();
        ours.mark();
      }
      std::vector<random_request> batch;
      for (auto left = script.below(24) + 1; left > 0; --left) {
        auto one = script.next();
        const bool alone = one.alone;
        if (alone && !batch.empty()) break;
        batch.push_back(std::move(one));
        if (alone) break;
      }
      sent += batch.size();
      if (!same(from, batch)) return {};
    }
    return sent;
  }
};

TEST_F(differential, both_servers_say_the_same) {
  if (const auto round = number("ZKR_TEST_ROUND", 0); round != 0) {
    EXPECT_TRUE(play(round));
    return;
  }
  const auto wanted = number("ZKR_TEST_REQUESTS", 200'000);
  std::size_t sent = 0;
  std::uint64_t round = 0;
  while (sent < wanted) {
    const auto played = play(++round);
    ASSERT_TRUE(played) << "after " << sent << " requests";
    sent += *played;
  }
  std::cout << sent << " requests in " << round << " rounds: no difference\n";
}

}  // namespace
}  // namespace zkr::testing
