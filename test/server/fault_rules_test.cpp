#include "server/fault_rules.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "server/fault_board.hpp"
#include "server/fault_gate.hpp"

namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using backend::fault_rules;
using backend::fault_subject;

fault_subject create_of(std::string_view path, std::int64_t session = 7) {
  return {fault_point::create, session, {path}};
}

TEST(fault_rules, hit_the_nth_that_fits_and_so_many_after_it) {
  fault_rules table;
  const fault_id id = table.add({.at = fault_point::create, .path = "/a", .skip = 2, .times = 2});
  std::vector<bool> hit;
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(table.match(create_of("/b"))) << "another path";
    EXPECT_FALSE(table.match({fault_point::set, 7, {"/a"}})) << "another operation";
    const auto what = table.match(create_of("/a"));
    hit.push_back(what.has_value());
    if (what) table.done(what->id);
  }
  EXPECT_EQ(hit, (std::vector{false, false, true, true, false, false}));
  ASSERT_EQ(table.report().size(), 1U);
  EXPECT_EQ(table.report()[0].id, id);
  EXPECT_EQ(table.report()[0].matched, 6U);
  EXPECT_EQ(table.report()[0].fired, 2U);
}

TEST(fault_rules, find_by_kind_path_prefix_and_session) {
  struct {
    const char* what;
    fault_rule rule;
    fault_subject subject;
    bool fits;
  } const rows[] = {
      {"any request", {}, create_of("/a"), true},
      {"pings are no requests", {}, {fault_point::ping, 7}, false},
      {"unless asked for", {.at = fault_point::ping}, {fault_point::ping, 7}, true},
      {"requests without a name", {}, {fault_point::any_request, 7}, true},
      {"handshakes are no requests", {}, {fault_point::new_session}, false},
      {"nor connections", {}, {fault_point::connection}, false},
      {"a path is exact", {.path = "/a"}, create_of("/ab"), false},
      {"a prefix is text", {.path_prefix = "/a"}, create_of("/ab"), true},
      {"at its beginning", {.path_prefix = "/b"}, create_of("/a/b"), false},
      {"one path of a multi", {.at = fault_point::multi, .path = "/b"}, {fault_point::multi, 7, {"/a", "/b"}}, true},
      {"no path at all", {.path = "/a"}, {fault_point::auth, 7}, false},
      {"the session", {.session_id = 7}, create_of("/a", 7), true},
      {"another session", {.session_id = 7}, create_of("/a", 8), false},
  };
  for (const auto& row : rows) {
    fault_rules table;
    EXPECT_EQ(fault_rules::complaint(row.rule), nullptr) << row.what;
    table.add(row.rule);
    EXPECT_EQ(table.match(row.subject).has_value(), row.fits) << row.what;
  }
}

TEST(fault_rules, the_first_that_is_due_decides_and_the_others_keep_their_turn) {
  fault_rules table;
  const fault_id first = table.add({.action = fault_action::drop_request});
  const fault_id second = table.add({.action = fault_action::close_after});
  EXPECT_EQ(table.match(create_of("/a"))->id, first);
  EXPECT_EQ(table.match(create_of("/a"))->id, second);
  EXPECT_FALSE(table.match(create_of("/a")));
  EXPECT_EQ(table.report()[1].matched, 3U);
}

TEST(fault_rules, contradictions_are_named) {
  const auto says = [](fault_rule rule) {
    const char* what = fault_rules::complaint(rule);
    return std::string(what == nullptr ? "" : what).substr(0, 4);
  };
  EXPECT_EQ(says({}), "");
  EXPECT_EQ(says({.times = 0}), "time");
  EXPECT_EQ(says({.path = "a"}), "path");
  EXPECT_EQ(says({.path = "/a", .path_prefix = "/b"}), "path");
  EXPECT_EQ(says({.action = fault_action::delay_reply}), "dela");
  EXPECT_EQ(says({.action = fault_action::delay_reply, .delay = 25 * 24h}), "dela");
  EXPECT_EQ(says({.action = fault_action::drop_reply, .delay = 1ms}), "dela");
  EXPECT_EQ(says({.at = fault_point::connection}), "acti");
  EXPECT_EQ(says({.at = fault_point::get, .action = fault_action::refuse_session}), "acti");
  EXPECT_EQ(says({.at = fault_point::new_session, .action = fault_action::expire_session}), "acti");
  EXPECT_EQ(says({.at = fault_point::new_session, .path = "/a"}), "path");
  EXPECT_EQ(says({.at = fault_point::new_session, .session_id = 1}), "sess");
  EXPECT_EQ(says({.at = static_cast<fault_point>(99)}), "at: ");
  EXPECT_EQ(says({.action = static_cast<fault_action>(-1)}), "acti");
}

TEST(fault_board, waits_end_with_the_rule_the_count_or_the_deadline) {
  backend::fault_board board;
  EXPECT_FALSE(board.active());
  EXPECT_FALSE(board.wait(1, 0, 1ms)) << "there is no such rule";
  const fault_id id = board.add({.times = fault_rule::always});
  EXPECT_TRUE(board.active());
  EXPECT_FALSE(board.wait(id, 1, 1ms));
  std::thread firing([&] {
    for (int i = 0; i < 3; ++i) board.done(board.match(create_of("/a"))->id);
  });
  EXPECT_TRUE(board.wait(id, 3, 60s));
  firing.join();
  std::thread removing([&] { EXPECT_TRUE(board.remove(id)); });
  EXPECT_FALSE(board.wait(id, 4, std::chrono::milliseconds::max()));
  removing.join();
  EXPECT_FALSE(board.remove(id));
  EXPECT_FALSE(board.active());
}

TEST(output_hold, opens_from_the_front) {
  const time_point start(1h);
  backend::output_hold hold;
  EXPECT_EQ(hold.open(100, start), 100U);
  hold.add(10, start + 5ms);
  hold.add(30, start + 2ms);
  EXPECT_EQ(hold.open(100, start), 10U);
  hold.taken(10);
  EXPECT_EQ(hold.open(90, start + 4ms), 0U) << "what stands behind waits too";
  EXPECT_EQ(hold.open(90, start + 5ms), 90U);
  EXPECT_TRUE(hold.empty());
}

}  // namespace
}  // namespace zkr::testing
