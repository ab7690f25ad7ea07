#include "recipes/common/survey_machine.hpp"

#include "recipes/machine_script.hpp"

// The table in survey_machine.hpp.
namespace zkr::recipes::testing {
namespace {

const std::string first = "c-latch-0000000001";
const std::string second = "a-latch-0000000002";

struct SurveyMachine : ::testing::Test {
  std::shared_ptr<std::vector<participant>> found = std::make_shared<std::vector<participant>>();
  machine_script m{make(survey_scope::everybody)};

  std::unique_ptr<machine> make(survey_scope scope) {
    return std::make_unique<survey_machine>("/e", std::vector<std::string>{"latch-"}, scope, found);
  }
  static reply_value names() { return child_list{{second, "notes", first}, {}}; }
  static reply_value of(const std::string& id, std::int64_t czxid) { return node{id, stat_of(9, czxid)}; }
  const lines both = {"read /e/" + first, "read /e/" + second};
  const lines done = {"emit 1 0 ''", "finish"};

  void reading() {
    EXPECT_EQ(m.tell(start{}), (lines{"list /e"}));
    EXPECT_EQ(m.answer("list", names()), both);
  }
};

TEST_F(SurveyMachine, reads_all_in_one_flight_in_the_order_of_their_turn) {
  reading();
  EXPECT_EQ(m.answer("read /e/a", of("two", 20)), lines{});
  EXPECT_EQ(m.answer("read /e/c", of("one", 10)), done);
  EXPECT_EQ(*found, (std::vector<participant>{{"one", "/e/" + first, 10, true}, {"two", "/e/" + second, 20, false}}));
  EXPECT_EQ(m.tell(session_over{}), lines{});
}

TEST_F(SurveyMachine, leaves_out_who_is_gone) {
  reading();
  m.answer("read /e/c", errc::no_node);
  EXPECT_EQ(m.answer("read /e/a", of("two", 20)), done);
  EXPECT_EQ(*found, (std::vector<participant>{{"two", "/e/" + second, 20, true}}));
}

TEST_F(SurveyMachine, reads_the_leader_alone_and_its_follower_when_it_has_gone) {
  m.restart(make(survey_scope::leader));
  m.tell(start{});
  EXPECT_EQ(m.answer("list", names()), (lines{"read /e/" + first}));
  EXPECT_EQ(m.answer("read", errc::no_node), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", child_list{{second}, {}}), (lines{"read /e/" + second}));
  EXPECT_EQ(m.answer("read", errc::no_node), done);
  EXPECT_TRUE(found->empty());
}

TEST_F(SurveyMachine, nobody_is_an_answer) {
  m.tell(start{});
  EXPECT_EQ(m.answer("list", errc::no_node), done);
  m.restart(make(survey_scope::leader));
  m.tell(start{});
  EXPECT_EQ(m.answer("list", child_list{}), done);
}

TEST_F(SurveyMachine, lost_requests_go_out_again) {
  m.tell(start{});
  EXPECT_EQ(m.answer("list", errc::connection_loss), (lines{"list /e"}));
  m.answer("list", names());
  EXPECT_EQ(m.answer("read /e/c", errc::connection_loss), (lines{"read /e/" + first}));
  EXPECT_EQ(m.answer("read /e/c", errc::session_lost), lines{});
}

TEST_F(SurveyMachine, refused_requests_fail) {
  m.tell(start{});
  EXPECT_EQ(m.answer("list", errc::no_auth), (lines{"emit failed no_auth", "finish"}));
  m.restart(make(survey_scope::everybody));
  reading();
  EXPECT_EQ(m.answer("read /e/a", errc::no_auth), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(SurveyMachine, begins_again_in_the_next_session) {
  reading();
  EXPECT_EQ(m.tell(session_over{}), lines{});
  EXPECT_EQ(m.tell(session_begun{}), (lines{"list /e"}));
}

TEST_F(SurveyMachine, ends_with_its_wait_and_with_the_client) {
  reading();
  EXPECT_EQ(m.tell(cancel{errc::timed_out}), (lines{"emit failed timed_out", "finish"}));
  m.restart(make(survey_scope::everybody));
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
}

}  // namespace
}  // namespace zkr::recipes::testing
