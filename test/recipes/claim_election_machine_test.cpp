#include "recipes/claim_election/claim_election_machine.hpp"

#include <fmt/format.h>

#include "recipes/machine_script.hpp"

// The table of recipes/claim_election/PROTOCOL.md, a test a row (or a few rows of one kind), named by its state.
namespace zkr::recipes::testing {
namespace {

constexpr std::int64_t ours = machine_script::session;
constexpr std::int64_t others = 0x99;
constexpr std::int64_t token = 500;  // czxid of our node

const lines look = {"read /epoch", "read /c watch"};
const std::string claim_4 = "commit [create /c ephemeral 'me', set /c 'me' 0, set /epoch '5' 3]";
const lines settle = {"sync /c", "read /epoch", "read /c watch"};
const lines examine = {"sync /c", "exists /epoch", "exists /c"};
const std::string resignation = "commit [check /epoch 4, remove /c 1]";
const lines prepare = {"create /epoch persistent '0'"};
const lines ask = {"grant /c 500 check /epoch 4", "exists /c watch"};
const lines ended_cancelled = {"cold", "emit failed cancelled", "finish"};

claim_election_options options() { return {.path = "/c", .id = "me", .epoch_path = "/epoch"}; }

reply_value epoch(std::string text, std::int32_t version, std::int64_t mzxid = 100) {
  return node{std::move(text), stat_of(0, 10, version, mzxid)};
}
reply_value leader() { return node{"other", stat_of(others, 400, 1)}; }
reply_value us(std::int32_t version = 1) { return node{"me", stat_of(ours, token, version)}; }
reply_value claimed(std::int64_t owner = ours) {
  return std::vector<transaction_result>{{"/c", {}}, {{}, stat_of(owner, token, 1)}, {{}, stat_of(0, 10, 4, token)}};
}
reply_value committed() { return std::vector<transaction_result>{{}, {}}; }
error refused(errc code, std::size_t index) {
  return error(code).set_sent(outcome::not_applied).set_failed_operation(index);
}

struct ClaimElectionMachine : ::testing::Test {
  std::shared_ptr<claim_register> claims = std::make_shared<claim_register>();
  machine_script m{make(options())};

  std::unique_ptr<machine> make(claim_election_options with, claim_patience patience = claim_patience::wait) {
    return std::make_unique<claim_election_machine>(std::move(with), patience, claims);
  }
  void restart(claim_patience patience = claim_patience::wait) { m.restart(make(options(), patience)); }

  void looking() { EXPECT_EQ(m.tell(start{}), look); }
  void following() {
    looking();
    EXPECT_EQ(m.answer("read /epoch", epoch("4", 3)), lines{});
    EXPECT_EQ(m.answer("read /c", leader()), lines{});
  }
  void preparing() {
    looking();
    EXPECT_EQ(m.answer("read /epoch", errc::no_node), lines{});
    EXPECT_EQ(m.answer("read /c", errc::no_node), prepare);
  }
  void claiming() {
    looking();
    EXPECT_EQ(m.answer("read /epoch", epoch("4", 3)), lines{});
    EXPECT_EQ(m.answer("read /c", errc::no_node), (lines{"warm", claim_4}));
  }
  void settling() {
    claiming();
    EXPECT_EQ(m.lose("commit"), settle);
    EXPECT_EQ(m.answer("sync", reply_value{}), lines{});
  }
  void granting() {
    claiming();
    EXPECT_EQ(m.answer("commit", claimed()), ask);
  }
  void held() {
    granting();
    EXPECT_EQ(m.tell(grant_given{}), lines{});
    EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), lines{});
  }
  void resigning() {
    held();
    EXPECT_EQ(m.tell(release{}), (lines{"end_grant", resignation}));
  }
  void examining() {
    resigning();
    EXPECT_EQ(m.lose("commit"), examine);
    EXPECT_EQ(m.answer("sync", reply_value{}), lines{});
  }
  void repairing() {
    resigning();
    EXPECT_EQ(m.answer("commit", refused(errc::no_node, 0)), examine);
    EXPECT_EQ(m.answer("exists /epoch", errc::no_node), lines{});
    EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), (lines{"create /epoch persistent '5'"}));
  }
  void pausing() {
    resigning();
    EXPECT_EQ(m.answer("commit", errc::no_auth), (lines{"emit report no_auth", "timer 1000ms"}));
  }
  void between_sessions() {
    following();
    EXPECT_EQ(m.tell(session_over{}), lines{});
  }
  void expect_silence_for_ever() {
    for (const event& what : std::initializer_list<event>{start{}, session_over{}, session_begun{}, grant_given{},
                                                          cancel{}, release{}, shut_down{}, suspended{}}) {
      EXPECT_EQ(m.tell(what), lines{});
    }
  }
};

// ---- idle -----------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, idle_start_reads_epoch_and_node_in_one_flight) { looking(); }

TEST_F(ClaimElectionMachine, idle_once_reads_without_a_watch) {
  restart(claim_patience::once);
  EXPECT_EQ(m.tell(start{}), (lines{"read /epoch", "read /c"}));
}

TEST_F(ClaimElectionMachine, idle_cancel_or_shut_down_ends) {
  EXPECT_EQ(m.tell(cancel{}), (lines{"emit failed cancelled", "finish"}));
  expect_silence_for_ever();
  restart();
  EXPECT_EQ(m.tell(cancel{errc::timed_out}), (lines{"emit failed timed_out", "finish"}));
  restart();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
  expect_silence_for_ever();
}

TEST_F(ClaimElectionMachine, idle_ignores_sessions_before_the_start) {
  EXPECT_EQ(m.tell(session_over{}), lines{});
  EXPECT_EQ(m.tell(session_begun{}), lines{});
  looking();
}

// ---- looking --------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, looking_at_a_leader_follows) { following(); }

TEST_F(ClaimElectionMachine, looking_once_at_a_leader_ends_with_its_name) {
  restart(claim_patience::once);
  m.tell(start{});
  m.answer("read /epoch", epoch("4", 3));
  EXPECT_EQ(m.answer("read /c", leader()), (lines{"emit 1 400 'other'", "finish"}));
  expect_silence_for_ever();
}

TEST_F(ClaimElectionMachine, looking_at_a_node_of_our_session_follows_too) {
  looking();  // another campaign of this client's
  m.answer("read /epoch", epoch("4", 3));
  EXPECT_EQ(m.answer("read /c", us()), lines{});
  EXPECT_EQ(m.fire("read /c", watch_event_type::removed), look);
}

TEST_F(ClaimElectionMachine, looking_at_no_leader_claims) { claiming(); }
TEST_F(ClaimElectionMachine, looking_at_no_leader_and_no_epoch_prepares) { preparing(); }

TEST_F(ClaimElectionMachine, looking_at_an_epoch_that_is_no_number_fails) {
  for (const auto* text : {"", "x", "4x", " 4", "4\n", "-1", "9223372036854775807", "99999999999999999999"}) {
    restart();
    looking();
    m.answer("read /epoch", epoch(text, 3));
    EXPECT_EQ(m.answer("read /c", errc::no_node), (lines{"emit failed data_inconsistency", "finish"})) << text;
  }
}

TEST_F(ClaimElectionMachine, looking_at_a_leader_does_not_mind_the_epoch) {
  looking();
  m.answer("read /epoch", epoch("garbled", 3));
  EXPECT_EQ(m.answer("read /c", leader()), lines{});
  EXPECT_EQ(m.fire("read /c", watch_event_type::removed), look);
}

TEST_F(ClaimElectionMachine, looking_interrupted_looks_again) {
  looking();
  EXPECT_EQ(m.answer("read /c", errc::connection_loss), look);
  m.answer("read /epoch", errc::connection_loss);
  EXPECT_EQ(m.answer("read /c", errc::no_node), look);
  m.answer("read /epoch", errc::session_lost);
  EXPECT_EQ(m.answer("read /c", errc::no_node), lines{});
  EXPECT_EQ(m.answer("read /c", errc::session_lost), lines{});
}

TEST_F(ClaimElectionMachine, looking_refused_fails) {
  looking();
  EXPECT_EQ(m.answer("read /c", errc::no_auth), (lines{"emit failed no_auth", "finish"}));
  restart();
  looking();
  m.answer("read /epoch", errc::no_auth);
  EXPECT_EQ(m.answer("read /c", errc::no_node), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(ClaimElectionMachine, looking_cancel_ends) {
  looking();
  EXPECT_EQ(m.tell(cancel{}), (lines{"emit failed cancelled", "finish"}));
  expect_silence_for_ever();
}

// ---- preparing ------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, preparing_makes_all_parents_in_the_same_flight) {
  claim_election_options deep{.path = "/k/c", .id = "me", .epoch_path = "/k/l/e"};
  deep.parent_acl = {{perms::all, "auth", "p"}};
  m.restart(make(deep));
  m.tell(start{});
  m.answer("read /k/l/e", errc::no_node);
  EXPECT_EQ(m.answer("read /k/c", errc::no_node),
            (lines{"create /k persistent '' acl p", "create /k persistent '' acl p", "create /k/l persistent '' acl p",
                   "create /k/l/e persistent '0' acl p"}));
}

TEST_F(ClaimElectionMachine, preparing_made_claims_at_once) {
  preparing();
  EXPECT_EQ(m.answer("create", created{"/epoch", stat_of(0, 10)}),
            (lines{"warm", "commit [create /c ephemeral 'me', set /c 'me' 0, set /epoch '1' 0]"}));
}

TEST_F(ClaimElectionMachine, preparing_made_by_another_looks_again) {
  preparing();
  EXPECT_EQ(m.answer("create", errc::node_exists), look);
}

TEST_F(ClaimElectionMachine, preparing_in_doubt_looks_again) {
  preparing();
  EXPECT_EQ(m.lose("create"), look);
}

TEST_F(ClaimElectionMachine, preparing_fails_where_the_chroot_is_missing) {
  preparing();
  EXPECT_EQ(m.answer("create", errc::no_node), (lines{"emit failed no_node", "finish"}));
}

TEST_F(ClaimElectionMachine, preparing_again_where_somebody_removed_a_parent) {
  m.restart(make({.path = "/k/c", .id = "me", .epoch_path = "/k/e"}));
  m.tell(start{});
  m.answer("read /k/e", errc::no_node);
  const lines both = {"create /k persistent ''", "create /k/e persistent '0'"};
  EXPECT_EQ(m.answer("read /k/c", errc::no_node), both);
  EXPECT_EQ(m.answer("create /k p", errc::node_exists), lines{});
  EXPECT_EQ(m.answer("create /k/e", errc::no_node), both);
  EXPECT_EQ(m.answer("create /k p", errc::no_auth), lines{});
  EXPECT_EQ(m.answer("create /k/e", errc::no_node), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(ClaimElectionMachine, preparing_refused_fails) {
  preparing();
  EXPECT_EQ(m.answer("create", errc::no_auth), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(ClaimElectionMachine, preparing_cancel_ends) {
  preparing();
  EXPECT_EQ(m.tell(cancel{}), (lines{"emit failed cancelled", "finish"}));
}

// ---- claiming -------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, claiming_done_asks_for_the_grant) { granting(); }

TEST_F(ClaimElectionMachine, claiming_for_another_session_looks_again) {
  claiming();
  EXPECT_EQ(m.answer("commit", claimed(others)), look);
}

TEST_F(ClaimElectionMachine, claiming_beaten_looks_again) {
  for (const auto& why : {refused(errc::node_exists, 0), refused(errc::bad_version, 2), refused(errc::no_node, 2)}) {
    restart();
    claiming();
    EXPECT_EQ(m.answer("commit", why), look);
    m.answer("read /epoch", epoch("5", 4));
    EXPECT_EQ(m.answer("read /c", leader()), (lines{"cold"}));
  }
}

TEST_F(ClaimElectionMachine, claiming_without_a_parent_makes_it) {
  m.restart(make({.path = "/k/c", .id = "me", .epoch_path = "/e"}));
  m.tell(start{});
  m.answer("read /e", epoch("4", 3));
  m.answer("read /k/c", errc::no_node);
  const lines prepared = {"create /k persistent ''", "create /e persistent '0'"};
  EXPECT_EQ(m.answer("commit", refused(errc::no_node, 0)), prepared);
  EXPECT_EQ(m.answer("create /k", created{"/k", {}}), lines{});
  EXPECT_EQ(m.answer("create /e", errc::node_exists), (lines{"read /e", "read /k/c watch"}));
  // And where it cannot be made, it does not try for ever.
  m.answer("read /e", epoch("4", 3));
  m.answer("read /k/c", errc::no_node);
  EXPECT_EQ(m.answer("commit", refused(errc::no_node, 0)), prepared);
  EXPECT_EQ(m.answer("create /k", errc::no_auth), lines{});
  EXPECT_EQ(m.answer("create /e", errc::node_exists), (lines{"cold", "emit failed no_auth", "finish"}));
}

TEST_F(ClaimElectionMachine, claiming_takes_the_acl_from_the_options) {
  auto with_acl = options();
  with_acl.acl = {{perms::all, "auth", "of-node"}};
  m.restart(make(with_acl));
  m.tell(start{});
  m.answer("read /epoch", epoch("4", 3));
  auto claim = claim_4;
  const std::string_view creation = "create /c ephemeral 'me'";
  claim.insert(claim.find(creation) + creation.size(), " acl of-node");
  EXPECT_EQ(m.answer("read /c", errc::no_node), (lines{"warm", claim}));
}

TEST_F(ClaimElectionMachine, claiming_lost_reply_settles) { settling(); }

TEST_F(ClaimElectionMachine, claiming_not_applied_looks_again) {
  claiming();
  EXPECT_EQ(m.answer("commit", errc::connection_loss), look);
}

TEST_F(ClaimElectionMachine, claiming_refused_fails) {
  claiming();
  EXPECT_EQ(m.answer("commit", refused(errc::no_auth, 1)), (lines{"cold", "emit failed no_auth", "finish"}));
}

TEST_F(ClaimElectionMachine, claiming_of_a_dead_session_waits_for_the_next) {
  claiming();
  EXPECT_EQ(m.answer("commit", errc::session_expired), lines{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"cold"}));
  EXPECT_EQ(m.begin_session(0x52), look);
}

TEST_F(ClaimElectionMachine, claiming_cancel_waits_for_the_reply_and_resigns) {
  claiming();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("commit", claimed()), (lines{resignation}));
  EXPECT_EQ(m.answer("commit [check", committed()), ended_cancelled);
  expect_silence_for_ever();
}

TEST_F(ClaimElectionMachine, claiming_cancel_then_no_claim_ends) {
  for (const auto& why : {refused(errc::node_exists, 0), error(errc::connection_loss)}) {
    restart();
    claiming();
    m.tell(cancel{});
    EXPECT_EQ(m.answer("commit", why), ended_cancelled);
  }
  restart();
  claiming();
  m.tell(cancel{});
  EXPECT_EQ(m.answer("commit", claimed(others)), ended_cancelled);
}

// ---- settling -------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, settling_proven_by_epoch_and_owner_asks_for_the_grant) {
  settling();
  m.answer("read /epoch", epoch("5", 4, token));
  EXPECT_EQ(m.answer("read /c", us()), ask);
}

TEST_F(ClaimElectionMachine, settling_another_leads_follows) {
  settling();
  m.answer("read /epoch", epoch("5", 4, 400));
  EXPECT_EQ(m.answer("read /c", leader()), (lines{"cold"}));
  EXPECT_EQ(m.fire("read /c", watch_event_type::removed), look);
}

TEST_F(ClaimElectionMachine, settling_once_another_leads_ends_with_its_name) {
  restart(claim_patience::once);
  m.tell(start{});
  m.answer("read /epoch", epoch("4", 3));
  m.answer("read /c", errc::no_node);
  EXPECT_EQ(m.lose("commit"), (lines{"sync /c", "read /epoch", "read /c"}));
  m.answer("read /epoch", epoch("5", 4, 400));
  EXPECT_EQ(m.answer("read /c", leader()), (lines{"cold", "emit 1 400 'other'", "finish"}));
}

TEST_F(ClaimElectionMachine, settling_a_claim_that_another_campaign_has_taken_follows) {
  ASSERT_TRUE(claims->take(ours, token));
  settling();
  m.answer("read /epoch", epoch("5", 4, token));
  EXPECT_EQ(m.answer("read /c", us()), (lines{"cold"}));
}

TEST_F(ClaimElectionMachine, settling_ours_without_proof_is_removed_under_guard_before_another_try) {
  // Somebody wrote the epoch node after our claim.
  for (auto seen : {epoch("5", 4, 600), epoch("7", 4, token), epoch("5", 9, token), epoch("x", 4, token)}) {
    restart();
    settling();
    m.answer("read /epoch", seen);
    EXPECT_EQ(m.answer("read /c", us()), examine);
    m.answer("sync", reply_value{});
    m.answer("exists /epoch", stat_of(0, 10, 9));
    EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), (lines{"commit [check /epoch 9, remove /c 1]"}));
    EXPECT_EQ(m.answer("commit [check", committed()), look);
  }
}

TEST_F(ClaimElectionMachine, settling_a_node_of_our_session_that_nobody_has_is_removed_under_guard) {
  for (const auto& found : {node{"me", stat_of(ours, token, 2)}, node{"you", stat_of(ours, token, 1)}}) {
    restart();
    settling();
    m.answer("read /epoch", epoch("5", 4, token));
    EXPECT_EQ(m.answer("read /c", found), examine) << "written since, or another campaign's";
  }
}

TEST_F(ClaimElectionMachine, settling_not_applied_claims_again) {
  settling();
  m.answer("read /epoch", epoch("6", 5));
  EXPECT_EQ(m.answer("read /c", errc::no_node),
            (lines{"commit [create /c ephemeral 'me', set /c 'me' 0, set /epoch '7' 5]"}));
}

TEST_F(ClaimElectionMachine, settling_interrupted_settles_again) {
  settling();
  EXPECT_EQ(m.answer("sync", errc::connection_loss), settle);
  EXPECT_EQ(m.answer("read /c", errc::connection_loss), settle);
  m.answer("read /epoch", errc::connection_loss);
  EXPECT_EQ(m.answer("read /c", us()), settle);
  m.answer("read /epoch", errc::session_lost);
  EXPECT_EQ(m.answer("read /c", us()), lines{});
  EXPECT_EQ(m.answer("read /c", errc::session_lost), lines{});
}

TEST_F(ClaimElectionMachine, settling_refused_fails) {
  settling();
  EXPECT_EQ(m.answer("read /c", errc::no_auth), (lines{"cold", "emit failed no_auth", "finish"}));
}

TEST_F(ClaimElectionMachine, settling_cancel_resigns_what_is_ours) {
  settling();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  m.answer("read /epoch", epoch("5", 4, token));
  EXPECT_EQ(m.answer("read /c", us()), examine);
  m.answer("exists /epoch", stat_of(0, 10, 4));
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), (lines{resignation}));
  EXPECT_EQ(m.answer("commit [check", committed()), ended_cancelled);
}

TEST_F(ClaimElectionMachine, settling_cancel_ends_where_nothing_is_ours) {
  settling();
  m.tell(cancel{});
  m.answer("read /epoch", epoch("4", 3));
  EXPECT_EQ(m.answer("read /c", errc::no_node), ended_cancelled);
  restart();
  settling();
  m.tell(cancel{});
  m.answer("read /epoch", epoch("5", 4, 400));
  EXPECT_EQ(m.answer("read /c", leader()), ended_cancelled);
}

// ---- following ------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, following_any_change_looks_again) {
  for (const auto type : {watch_event_type::removed, watch_event_type::data_changed, watch_event_type::created}) {
    restart();
    following();
    EXPECT_EQ(m.fire("read /c", type), look);
  }
}

TEST_F(ClaimElectionMachine, following_ignores_the_end_of_its_watch_and_reconnects) {
  following();
  EXPECT_EQ(m.fire("read /c", watch_event_type::session_lost), lines{});
  EXPECT_EQ(m.fire("read /c", watch_event_type::closed), lines{});
  EXPECT_EQ(m.tell(suspended{}), lines{});
  EXPECT_EQ(m.tell(reconnected{}), lines{});
}

TEST_F(ClaimElectionMachine, following_cancel_ends) {
  following();
  EXPECT_EQ(m.tell(cancel{}), (lines{"emit failed cancelled", "finish"}));
  expect_silence_for_ever();
}

TEST_F(ClaimElectionMachine, following_session_over_looks_in_the_next) {
  between_sessions();
  EXPECT_EQ(m.fire("read /c", watch_event_type::removed), lines{});
  EXPECT_EQ(m.begin_session(0x52), look);
}

TEST_F(ClaimElectionMachine, between_sessions_cancel_or_shut_down_ends) {
  between_sessions();
  EXPECT_EQ(m.tell(cancel{}), (lines{"emit failed cancelled", "finish"}));
  restart();
  between_sessions();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
}

// ---- granting -------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, granting_given_is_held) { held(); }

TEST_F(ClaimElectionMachine, granting_ended_resigns_and_looks_again) {
  granting();
  EXPECT_EQ(m.tell(grant_ended{error(errc::ownership_lost)}), (lines{resignation}));
  EXPECT_EQ(m.answer("commit [check", committed()), look);
}

TEST_F(ClaimElectionMachine, granting_impossible_resigns_and_fails) {
  granting();
  EXPECT_EQ(m.tell(grant_ended{error(errc::unsupported)}), (lines{resignation}));
  EXPECT_EQ(m.answer("commit [check", committed()), (lines{"cold", "emit failed unsupported", "finish"}));
}

TEST_F(ClaimElectionMachine, granting_cancel_ends_the_grant_and_resigns) {
  granting();
  EXPECT_EQ(m.tell(cancel{}), (lines{"end_grant", resignation}));
  EXPECT_EQ(m.tell(grant_given{}), lines{});
  EXPECT_EQ(m.tell(release{}), lines{}) << "the late grant's own";
  EXPECT_EQ(m.answer("commit [check", committed()), ended_cancelled);
}

TEST_F(ClaimElectionMachine, granting_without_its_node_ends_the_grant_and_looks_again) {
  granting();
  EXPECT_EQ(m.answer("exists /c", errc::no_node), (lines{"end_grant", examine[0], examine[1], examine[2]}));
  EXPECT_EQ(m.answer("exists /c", errc::no_node), look);
}

TEST_F(ClaimElectionMachine, granting_session_over_looks_in_the_next) {
  granting();
  EXPECT_EQ(m.tell(session_over{}), (lines{"end_grant", "cold"}));
  EXPECT_TRUE(claims->take(ours, token)) << "dropped with the session";
  EXPECT_EQ(m.begin_session(0x52), look);
}

// ---- held -----------------------------------------------------------------------------------------------------------

TEST_F(ClaimElectionMachine, held_release_resigns) {
  resigning();
  EXPECT_EQ(m.answer("commit [check", committed()), (lines{"cold", "emit released", "finish"}));
  EXPECT_TRUE(claims->take(ours, token));
  expect_silence_for_ever();
}

TEST_F(ClaimElectionMachine, held_cancel_is_a_release) {
  held();
  EXPECT_EQ(m.tell(cancel{}), (lines{"end_grant", resignation}));
}

TEST_F(ClaimElectionMachine, held_node_removed_ends_the_grant_at_once) {
  held();
  EXPECT_EQ(m.fire("exists /c", watch_event_type::removed), (lines{"end_grant", examine[0], examine[1], examine[2]}));
  m.answer("exists /epoch", stat_of(0, 10, 4));
  EXPECT_EQ(m.tell(release{}), lines{});
  EXPECT_EQ(m.answer("exists /c", errc::no_node), (lines{"cold", "emit released ownership_lost", "finish"}));
}

TEST_F(ClaimElectionMachine, held_node_replaced_ends_the_grant_at_once) {
  held();
  EXPECT_EQ(m.fire("exists /c", watch_event_type::data_changed), (lines{"exists /c watch"}));
  EXPECT_EQ(m.answer("exists /c", stat_of(others, 900)), (lines{"end_grant", examine[0], examine[1], examine[2]}));
  EXPECT_EQ(m.answer("exists /c", stat_of(others, 900)), (lines{"cold", "emit released ownership_lost", "finish"}));
}

TEST_F(ClaimElectionMachine, held_other_changes_arm_the_watch_again) {
  held();
  EXPECT_EQ(m.fire("exists /c", watch_event_type::data_changed), (lines{"exists /c watch"}));
  EXPECT_EQ(m.answer("exists /c", errc::connection_loss), (lines{"exists /c watch"}));
  EXPECT_EQ(m.answer("exists /c", errc::session_lost), lines{});
  EXPECT_EQ(m.answer("exists /c", errc::no_auth), lines{});
  EXPECT_EQ(m.fire("exists /c", watch_event_type::session_lost), lines{});
}

TEST_F(ClaimElectionMachine, held_ended_resigns_and_ends) {
  held();
  EXPECT_EQ(m.tell(grant_ended{error(errc::ownership_lost)}), (lines{resignation}));
  EXPECT_EQ(m.answer("commit [check", committed()), (lines{"cold", "emit released ownership_lost", "finish"}));
}

TEST_F(ClaimElectionMachine, held_session_over_or_shut_down_ends) {
  held();
  EXPECT_EQ(m.tell(session_over{}), (lines{"cold", "emit released ownership_lost", "finish"}));
  expect_silence_for_ever();
  restart();
  held();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"cold", "emit released closed", "finish"}));
}

// ---- resigning, examining, repairing, pausing -----------------------------------------------------------------------

TEST_F(ClaimElectionMachine, resigning_lost_reply_examines) { examining(); }

TEST_F(ClaimElectionMachine, resigning_not_applied_resigns_again) {
  resigning();
  EXPECT_EQ(m.answer("commit [check", errc::connection_loss), (lines{resignation}));
}

TEST_F(ClaimElectionMachine, resigning_checked_in_vain_examines) {
  for (const auto& why : {refused(errc::bad_version, 0), refused(errc::no_node, 0), refused(errc::bad_version, 1)}) {
    restart();
    resigning();
    EXPECT_EQ(m.answer("commit [check", why), examine);
  }
}

TEST_F(ClaimElectionMachine, resigning_refused_is_reported_once_and_tried_again) {
  pausing();
  EXPECT_EQ(m.elapse(), examine);
  m.answer("exists /epoch", stat_of(0, 10, 4));
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), (lines{resignation}));
  EXPECT_EQ(m.answer("commit [check", errc::no_auth), (lines{"timer 1000ms"}));
}

TEST_F(ClaimElectionMachine, resigning_session_over_or_shut_down_ends_without_a_verdict) {
  resigning();
  EXPECT_EQ(m.answer("commit [check", errc::session_expired), lines{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"cold", "emit released ownership_lost", "finish"}));
  restart();
  resigning();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"cold", "emit released closed", "finish"}));
}

TEST_F(ClaimElectionMachine, examining_gone_after_a_lost_reply_was_our_own_work) {
  examining();
  m.answer("exists /epoch", stat_of(0, 10, 4));
  EXPECT_EQ(m.answer("exists /c", errc::no_node), (lines{"cold", "emit released", "finish"}));
}

TEST_F(ClaimElectionMachine, examining_gone_without_our_doing_is_a_lost_leadership) {
  resigning();
  m.answer("commit [check", refused(errc::bad_version, 0));
  m.answer("exists /epoch", stat_of(0, 10, 5));
  EXPECT_EQ(m.answer("exists /c", stat_of(others, 900)), (lines{"cold", "emit released ownership_lost", "finish"}));
}

TEST_F(ClaimElectionMachine, examining_still_ours_resigns_with_what_it_saw) {
  examining();
  m.answer("exists /epoch", stat_of(0, 10, 8));
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 2)), (lines{"commit [check /epoch 8, remove /c 2]"}));
}

TEST_F(ClaimElectionMachine, examining_our_sessions_next_node_is_not_ours) {
  examining();
  m.answer("exists /epoch", stat_of(0, 10, 5));
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, 900, 1)), (lines{"cold", "emit released", "finish"}));
}

TEST_F(ClaimElectionMachine, examining_interrupted_examines_again) {
  examining();
  EXPECT_EQ(m.answer("sync", errc::connection_loss), examine);
  EXPECT_EQ(m.answer("exists /c", errc::connection_loss), examine);
  m.answer("exists /epoch", errc::connection_loss);
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), examine);
  m.answer("exists /epoch", errc::session_lost);
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), lines{});
  EXPECT_EQ(m.answer("exists /c", errc::session_lost), lines{});
}

TEST_F(ClaimElectionMachine, examining_refused_is_reported_and_tried_again) {
  examining();
  EXPECT_EQ(m.answer("exists /c", errc::no_auth), (lines{"emit report no_auth", "timer 1000ms"}));
  EXPECT_EQ(m.elapse(), examine);
  m.answer("exists /epoch", errc::no_auth);
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), (lines{"timer 1000ms"}));
}

TEST_F(ClaimElectionMachine, repairing_makes_the_missing_epoch_at_its_last_value) {
  repairing();
  EXPECT_EQ(m.answer("create", created{"/epoch", stat_of(0, 950)}), examine);
  m.answer("exists /epoch", stat_of(0, 950, 0));
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), (lines{"commit [check /epoch 0, remove /c 1]"}));
}

TEST_F(ClaimElectionMachine, repairing_made_by_another_or_in_doubt_examines) {
  for (const auto& why : {error(errc::node_exists), error(errc::connection_loss)}) {
    restart();
    repairing();
    EXPECT_EQ(m.answer("create", why), examine);
  }
  restart();
  repairing();
  EXPECT_EQ(m.lose("create"), examine);
}

TEST_F(ClaimElectionMachine, repairing_refused_is_reported_and_tried_again) {
  repairing();
  EXPECT_EQ(m.answer("create", errc::no_auth), (lines{"emit report no_auth", "timer 1000ms"}));
  EXPECT_EQ(m.elapse(), examine);
}

TEST_F(ClaimElectionMachine, repairing_makes_the_epochs_parents_too) {
  m.restart(make({.path = "/c", .id = "me", .epoch_path = "/k/e"}));
  m.tell(start{});
  m.answer("read /k/e", epoch("4", 3));
  m.answer("read /c", errc::no_node);
  m.answer("commit", claimed());
  m.tell(grant_given{});
  m.tell(release{});
  m.answer("commit [check", refused(errc::no_node, 0));
  m.answer("exists /k/e", errc::no_node);
  const lines both = {"create /k persistent ''", "create /k/e persistent '5'"};
  EXPECT_EQ(m.answer("exists /c", stat_of(ours, token, 1)), both);
  m.answer("create /k p", created{"/k", {}});
  EXPECT_EQ(m.answer("create /k/e", errc::no_node), both) << "removed in between";
  m.answer("create /k p", errc::no_auth);
  EXPECT_EQ(m.answer("create /k/e", errc::no_node), (lines{"emit report no_auth", "timer 1000ms"}));
}

TEST_F(ClaimElectionMachine, pausing_ends_with_the_session) {
  pausing();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"cold", "emit released ownership_lost", "finish"}));
}

}  // namespace
}  // namespace zkr::recipes::testing
