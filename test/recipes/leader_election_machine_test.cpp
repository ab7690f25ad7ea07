#include "recipes/leader_election/leader_election_machine.hpp"

#include <fmt/format.h>

#include "recipes/machine_script.hpp"

// The table of recipes/leader_election/PROTOCOL.md, a test a row (or a few rows of one kind), named by its state.
namespace zkr::recipes::testing {
namespace {

constexpr std::int64_t ours = machine_script::session;
constexpr std::int64_t others = 0x99;

const std::string first = "_c_aa-latch-0000000001";
const std::string second = "_c_bb-latch-0000000002";
const std::string own = "_c_u1-latch-0000000007";
const std::string own_path = "/e/" + own;

const lines candidacy = {"create /e/_c_u1-latch- ephemeral_sequential 'me'", "list /e"};
const lines second_candidacy = {"create /e/_c_u2-latch- ephemeral_sequential 'me'", "list /e"};
const lines ended_cancelled = {"emit failed cancelled", "finish"};

reply_value made(const std::string& path, std::int64_t owner = ours, std::int64_t czxid = 70) {
  return created{path, stat_of(owner, czxid)};
}
reply_value names(std::vector<std::string> all) { return child_list{std::move(all), {}}; }
reply_value someone() { return node{"other", stat_of(others, 10)}; }

leader_election_options options() { return {.path = "/e", .id = "me"}; }

struct LeaderElectionMachine : ::testing::Test {
  machine_script m{std::make_unique<leader_election_machine>(options())};

  void creating() { EXPECT_EQ(m.tell(start{}), candidacy); }
  void listing() {
    creating();
    EXPECT_EQ(m.answer("create", made(own_path)), lines{});
  }
  void settling() {
    creating();
    EXPECT_EQ(m.lose("create"), (lines{"sync /e", "list /e"}));
  }
  void verifying() {
    settling();
    EXPECT_EQ(m.answer("sync", reply_value{}), lines{});
    EXPECT_EQ(m.answer("list", names({first, own})), (lines{"exists " + own_path, "list /e"}));
  }
  /// Third in line.
  void arming() {
    listing();
    EXPECT_EQ(m.answer("list", names({second, own, first})), (lines{"read /e/" + second + " watch"}));
  }
  void waiting() {
    arming();
    EXPECT_EQ(m.answer("read", someone()), lines{});
  }
  void waiting_next_in_line() {
    listing();
    EXPECT_EQ(m.answer("list", names({own, first})), (lines{"warm", "read /e/" + first + " watch"}));
    EXPECT_EQ(m.answer("read", someone()), lines{});
  }
  void granting() {
    listing();
    EXPECT_EQ(m.answer("list", names({own})), (lines{"warm", "grant " + own_path + " 70 check " + own_path + " -1"}));
  }
  void held() {
    granting();
    EXPECT_EQ(m.tell(grant_given{}), lines{});
  }
  void releasing() {
    held();
    EXPECT_EQ(m.tell(release{}), (lines{"end_grant", "remove " + own_path + " -1", "cold"}));
  }
  void between_sessions() {
    waiting();
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

TEST_F(LeaderElectionMachine, idle_start_sends_create_and_list_in_one_flight) { creating(); }

TEST_F(LeaderElectionMachine, idle_cancel_ends) {
  EXPECT_EQ(m.tell(cancel{}), ended_cancelled);
  expect_silence_for_ever();
}

TEST_F(LeaderElectionMachine, idle_end_of_the_wait_says_so) {
  EXPECT_EQ(m.tell(cancel{errc::timed_out}), (lines{"emit failed timed_out", "finish"}));
}

TEST_F(LeaderElectionMachine, idle_shut_down_ends) {
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
  expect_silence_for_ever();
}

TEST_F(LeaderElectionMachine, idle_ignores_sessions_before_the_start) {
  EXPECT_EQ(m.tell(session_over{}), lines{});
  EXPECT_EQ(m.tell(session_begun{}), lines{});
  creating();
}

TEST_F(LeaderElectionMachine, idle_takes_acls_from_the_options) {
  auto with_acl = options();
  with_acl.acl = {{perms::all, "auth", "of-node"}};
  with_acl.parent_acl = {{perms::all, "auth", "of-parent"}};
  m.restart(std::make_unique<leader_election_machine>(with_acl));
  EXPECT_EQ(m.tell(start{}), (lines{candidacy[0] + " acl of-node", candidacy[1]}));
  EXPECT_EQ(m.answer("create", errc::no_node),
            (lines{"create /e container '' acl of-parent", candidacy[0] + " acl of-node", candidacy[1]}));
}

// ---- creating -------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, creating_created_waits_for_the_list) { listing(); }

TEST_F(LeaderElectionMachine, creating_created_for_another_session_removes_it_and_begins_anew) {
  creating();
  EXPECT_EQ(m.answer("create", made(own_path, others)),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
}

TEST_F(LeaderElectionMachine, creating_no_node_makes_containers_in_the_same_flight) {
  auto deep = options();
  deep.path = "/a/b/c";
  m.restart(std::make_unique<leader_election_machine>(deep));
  const lines flight = {"create /a/b/c/_c_u1-latch- ephemeral_sequential 'me'", "list /a/b/c"};
  EXPECT_EQ(m.tell(start{}), flight);
  const lines with_parents = {"create /a container ''", "create /a/b container ''", "create /a/b/c container ''",
                              flight[0], flight[1]};
  EXPECT_EQ(m.answer("create", errc::no_node), with_parents);
  EXPECT_EQ(m.answer("list", errc::no_node), lines{});
  EXPECT_EQ(m.answer("create /a c", errc::node_exists), lines{});
  EXPECT_EQ(m.answer("create /a/b c", errc::no_auth), lines{}) << "may exist nevertheless";
  EXPECT_EQ(m.answer("create /a/b/c c", made("/a/b/c")), lines{});
  // Somebody removed it in between: again, and no end of the campaign.
  EXPECT_EQ(m.answer("create /a/b/c/_c", errc::no_node), with_parents);
}

TEST_F(LeaderElectionMachine, creating_falls_back_to_persistent_directories) {
  for (const auto code : {errc::unimplemented, errc::unsupported}) {
    m.restart(std::make_unique<leader_election_machine>(options()));
    creating();
    EXPECT_EQ(m.answer("create", errc::no_node), (lines{"create /e container ''", candidacy[0], candidacy[1]}));
    EXPECT_EQ(m.answer("create /e container", code), lines{});
    EXPECT_EQ(m.answer("create /e/_c", errc::no_node), (lines{"create /e persistent ''", candidacy[0], candidacy[1]}));
    EXPECT_EQ(m.answer("create /e persistent", code), lines{});
    EXPECT_EQ(m.answer("create /e/_c", errc::no_node),
              (lines{fmt::format("emit failed {}", to_string(code)), "finish"}));
  }
}

TEST_F(LeaderElectionMachine, creating_fails_where_the_directory_cannot_be_made) {
  creating();
  m.answer("create", errc::no_node);
  EXPECT_EQ(m.answer("create /e container", errc::no_auth), lines{});
  EXPECT_EQ(m.answer("create /e/_c", errc::no_node), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(LeaderElectionMachine, creating_fails_where_the_chroot_is_missing) {
  creating();
  m.answer("create", errc::no_node);
  EXPECT_EQ(m.answer("create /e container", errc::no_node), lines{});
  EXPECT_EQ(m.answer("create /e/_c", errc::no_node), (lines{"emit failed no_node", "finish"}));
}

TEST_F(LeaderElectionMachine, creating_under_the_root_fails_where_the_chroot_is_missing) {
  m.restart(std::make_unique<leader_election_machine>(leader_election_options{.path = "/", .id = "me"}));
  const lines flight = {"create /_c_u1-latch- ephemeral_sequential 'me'", "list /"};
  EXPECT_EQ(m.tell(start{}), flight);
  EXPECT_EQ(m.answer("create", errc::no_node), flight);
  EXPECT_EQ(m.answer("create", errc::no_node), (lines{"emit failed no_node", "finish"}));
}

TEST_F(LeaderElectionMachine, creating_lost_reply_syncs_and_looks) { settling(); }

TEST_F(LeaderElectionMachine, creating_not_applied_is_sent_again) {
  for (const auto code : {errc::connection_loss, errc::session_moved, errc::throttled}) {
    m.restart(std::make_unique<leader_election_machine>(options()));
    creating();
    EXPECT_EQ(m.answer("create", code), candidacy);
  }
}

TEST_F(LeaderElectionMachine, creating_refused_fails) {
  for (const auto code : {errc::no_auth, errc::invalid_acl, errc::quota_exceeded, errc::overloaded}) {
    m.restart(std::make_unique<leader_election_machine>(options()));
    creating();
    EXPECT_EQ(m.answer("create", code), (lines{fmt::format("emit failed {}", to_string(code)), "finish"}));
    expect_silence_for_ever();
  }
}

TEST_F(LeaderElectionMachine, creating_of_a_dead_session_waits_for_the_next) {
  creating();
  EXPECT_EQ(m.answer("create", errc::session_expired), lines{});
  EXPECT_EQ(m.tell(session_over{}), lines{});
  EXPECT_EQ(m.begin_session(0x52), second_candidacy);
}

TEST_F(LeaderElectionMachine, creating_cancel_waits_for_the_reply_and_removes_the_node) {
  creating();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("create", made(own_path)), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
  expect_silence_for_ever();
}

TEST_F(LeaderElectionMachine, creating_cancel_then_refused_or_not_applied_ends) {
  for (const auto code : {errc::no_node, errc::no_auth, errc::connection_loss}) {
    m.restart(std::make_unique<leader_election_machine>(options()));
    creating();
    m.tell(cancel{});
    EXPECT_EQ(m.answer("create", code), ended_cancelled);
  }
}

TEST_F(LeaderElectionMachine, creating_cancel_then_lost_reply_settles) {
  creating();
  m.tell(cancel{});
  EXPECT_EQ(m.lose("create"), (lines{"sync /e", "list /e"}));
  EXPECT_EQ(m.answer("sync", reply_value{}), lines{});
  EXPECT_EQ(m.answer("list", names({first, own})), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

TEST_F(LeaderElectionMachine, creating_shut_down_ends) {
  creating();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
}

// ---- settling -------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, settling_not_found_creates_again_under_the_same_name) {
  settling();
  m.answer("sync", reply_value{});
  EXPECT_EQ(m.answer("list", names({first})), candidacy);
}

TEST_F(LeaderElectionMachine, settling_found_reads_its_owner) { verifying(); }

TEST_F(LeaderElectionMachine, settling_does_not_take_another_recipes_node_for_ours) {
  settling();
  EXPECT_EQ(m.answer("list", names({"_c_u1-lock-0000000003", "_c_u11-latch-0000000004"})), candidacy);
}

TEST_F(LeaderElectionMachine, settling_without_a_sync_looks_again) {
  settling();
  EXPECT_EQ(m.answer("sync", errc::connection_loss), (lines{"sync /e", "list /e"}));
}

TEST_F(LeaderElectionMachine, settling_no_directory_creates_again) {
  settling();
  EXPECT_EQ(m.answer("list", errc::no_node), candidacy);
}

TEST_F(LeaderElectionMachine, settling_failed_looks) {
  settling();
  EXPECT_EQ(m.answer("list", errc::connection_loss), (lines{"sync /e", "list /e"}));
  EXPECT_EQ(m.answer("list", errc::session_lost), lines{});
}

TEST_F(LeaderElectionMachine, settling_refused_fails) {
  settling();
  EXPECT_EQ(m.answer("list", errc::no_auth), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(LeaderElectionMachine, settling_cancel_decides_by_the_look) {
  settling();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("list", names({first})), ended_cancelled);
}

TEST_F(LeaderElectionMachine, settling_cancel_no_directory_ends) {
  settling();
  m.tell(cancel{});
  EXPECT_EQ(m.answer("list", errc::no_node), ended_cancelled);
}

// ---- verifying ------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, verifying_ours_takes_its_turn) {
  verifying();
  EXPECT_EQ(m.answer("exists", stat_of(ours, 70)), lines{});
  EXPECT_EQ(m.answer("list", names({own})), (lines{"warm", "grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_F(LeaderElectionMachine, verifying_another_sessions_node_is_removed_and_a_new_one_made) {
  verifying();
  EXPECT_EQ(m.answer("exists", stat_of(others, 70)),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
}

TEST_F(LeaderElectionMachine, verifying_gone_meanwhile_creates_again) {
  verifying();
  EXPECT_EQ(m.answer("exists", errc::no_node), candidacy);
}

TEST_F(LeaderElectionMachine, verifying_failed_looks) {
  verifying();
  EXPECT_EQ(m.answer("exists", errc::connection_loss), (lines{"exists " + own_path, "list /e"}));
  EXPECT_EQ(m.answer("exists", errc::session_lost), lines{});
}

TEST_F(LeaderElectionMachine, verifying_refused_removes_and_fails) {
  verifying();
  EXPECT_EQ(m.answer("exists", errc::no_auth), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(LeaderElectionMachine, verifying_cancel_removes_at_once) {
  verifying();
  EXPECT_EQ(m.tell(cancel{}), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("exists", stat_of(ours, 70)), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

// ---- listing --------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, listing_first_asks_for_the_grant) { granting(); }
TEST_F(LeaderElectionMachine, listing_second_warms_the_lease_and_watches_the_first) { waiting_next_in_line(); }
TEST_F(LeaderElectionMachine, listing_third_watches_its_predecessor_only) { waiting(); }

TEST_F(LeaderElectionMachine, listing_orders_by_sequence_right_across_the_overflow) {
  creating();
  m.answer("create", made("/e/_c_u1-latch--2147483647"));
  EXPECT_EQ(m.answer("list", names({"_c_u1-latch--2147483647", "_c_aa-latch-2147483647", "_c_bb-latch--2147483648",
                                    "_c_cc-latch--2147483646"})),
            (lines{"read /e/_c_bb-latch--2147483648 watch"}));
}

TEST_F(LeaderElectionMachine, listing_reports_what_it_cannot_parse_once_and_does_not_wait_for_it) {
  listing();
  EXPECT_EQ(m.answer("list", names({own, "notes", first, "_c_cc-latch-7"})),
            (lines{"emit report data_inconsistency", "emit report data_inconsistency", "warm",
                   "read /e/" + first + " watch"}));
  EXPECT_EQ(m.answer("read", errc::no_node), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", names({"notes", own, "more"})),
            (lines{"emit report data_inconsistency", "grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_F(LeaderElectionMachine, listing_removes_a_lost_create_of_its_own_that_came_true_late) {
  listing();
  const std::string stray = "_c_u1-latch-0000000006";
  EXPECT_EQ(m.answer("list", names({stray, own})),
            (lines{"remove /e/" + stray + " -1", "warm", "grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_F(LeaderElectionMachine, listing_without_its_own_node_begins_anew) {
  listing();
  EXPECT_EQ(m.answer("list", names({first})),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
  EXPECT_EQ(m.answer("remove", errc::no_node), lines{});
}

TEST_F(LeaderElectionMachine, listing_with_an_own_name_that_has_no_number_fails) {
  creating();
  m.answer("create", made("/e/_c_u1-latch-"));
  EXPECT_EQ(m.answer("list", names({"_c_u1-latch-"})),
            (lines{"emit report data_inconsistency", "remove /e/_c_u1-latch- -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed data_inconsistency", "finish"}));
}

TEST_F(LeaderElectionMachine, listing_no_directory_begins_anew) {
  listing();
  EXPECT_EQ(m.answer("list", errc::no_node),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
}

TEST_F(LeaderElectionMachine, listing_refused_removes_and_fails) {
  listing();
  EXPECT_EQ(m.answer("list", errc::no_auth), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed no_auth", "finish"}));
}

TEST_F(LeaderElectionMachine, listing_interrupted_lists_again) {
  listing();
  EXPECT_EQ(m.answer("list", errc::connection_loss), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", errc::session_lost), lines{});
}

TEST_F(LeaderElectionMachine, listing_cancel_removes) {
  listing();
  EXPECT_EQ(m.tell(cancel{}), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("list", names({own})), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

// ---- arming ---------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, arming_predecessor_gone_lists_again) {
  arming();
  EXPECT_EQ(m.answer("read", errc::no_node), (lines{"list /e"}));
}

TEST_F(LeaderElectionMachine, arming_unreadable_predecessor_is_watched_by_exists) {
  arming();
  EXPECT_EQ(m.answer("read", errc::no_auth), (lines{"exists /e/" + second + " watch"}));
  EXPECT_EQ(m.answer("exists", stat_of(others, 10)), lines{});
  EXPECT_EQ(m.fire("exists", watch_event_type::removed), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", names({own, first})), (lines{"warm", "exists /e/" + first + " watch"}));
  EXPECT_EQ(m.answer("exists", errc::no_node), (lines{"list /e"}));
}

TEST_F(LeaderElectionMachine, arming_refused_removes_and_fails) {
  arming();
  m.answer("read", errc::no_auth);
  EXPECT_EQ(m.answer("exists", errc::no_auth), (lines{"remove " + own_path + " -1"}));
}

TEST_F(LeaderElectionMachine, arming_interrupted_reads_again) {
  arming();
  EXPECT_EQ(m.answer("read", errc::connection_loss), (lines{"read /e/" + second + " watch"}));
  EXPECT_EQ(m.answer("read", errc::session_lost), lines{});
}

// ---- waiting --------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, waiting_predecessor_removed_lists_again) {
  waiting();
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /e"}));
}

TEST_F(LeaderElectionMachine, waiting_the_leader_removed_asks_for_the_grant_without_a_list) {
  waiting_next_in_line();
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_F(LeaderElectionMachine, waiting_other_changes_arm_the_watch_again) {
  for (const auto type :
       {watch_event_type::data_changed, watch_event_type::created, watch_event_type::children_changed}) {
    m.restart(std::make_unique<leader_election_machine>(options()));
    waiting();
    EXPECT_EQ(m.fire("read", type), (lines{"read /e/" + second + " watch"}));
  }
}

TEST_F(LeaderElectionMachine, waiting_ignores_the_end_of_its_watch) {
  waiting();
  EXPECT_EQ(m.fire("read", watch_event_type::session_lost), lines{});
  EXPECT_EQ(m.fire("read", watch_event_type::closed), lines{});
}

TEST_F(LeaderElectionMachine, waiting_stays_in_line_over_a_reconnect) {
  waiting();
  EXPECT_EQ(m.tell(suspended{}), lines{});
  EXPECT_EQ(m.tell(reconnected{}), lines{});
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /e"}));
}

TEST_F(LeaderElectionMachine, waiting_cancel_removes) {
  waiting_next_in_line();
  EXPECT_EQ(m.tell(cancel{}), (lines{"remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.fire("read", watch_event_type::removed), lines{});
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

TEST_F(LeaderElectionMachine, waiting_session_over_begins_anew_in_the_next) {
  between_sessions();
  EXPECT_EQ(m.fire("read", watch_event_type::removed), lines{});
  EXPECT_EQ(m.begin_session(0x52), second_candidacy);
  EXPECT_EQ(m.answer("create", made("/e/_c_u2-latch-0000000009", 0x52, 90)), lines{});
}

TEST_F(LeaderElectionMachine, between_sessions_cancel_or_shut_down_ends) {
  between_sessions();
  EXPECT_EQ(m.tell(cancel{}), ended_cancelled);
  m.restart(std::make_unique<leader_election_machine>(options()));
  between_sessions();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
}

// ---- granting -------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, granting_given_is_held) { held(); }

TEST_F(LeaderElectionMachine, granting_ended_begins_anew) {
  for (const auto code : {errc::ownership_lost, errc::no_node, errc::bad_version, errc::connection_loss}) {
    m.restart(std::make_unique<leader_election_machine>(options()));
    granting();
    EXPECT_EQ(m.tell(grant_ended{error(code)}),
              (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
  }
}

TEST_F(LeaderElectionMachine, granting_impossible_fails) {
  granting();
  EXPECT_EQ(m.tell(grant_ended{error(errc::unsupported)}), (lines{"remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed unsupported", "finish"}));
}

TEST_F(LeaderElectionMachine, granting_cancel_ends_the_grant_and_removes) {
  granting();
  EXPECT_EQ(m.tell(cancel{}), (lines{"end_grant", "remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.tell(grant_given{}), lines{});
  EXPECT_EQ(m.tell(release{}), lines{}) << "the late grant's own";
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

TEST_F(LeaderElectionMachine, granting_session_over_begins_anew) {
  granting();
  EXPECT_EQ(m.tell(session_over{}), (lines{"end_grant", "cold"}));
  EXPECT_EQ(m.begin_session(0x52), second_candidacy);
}

// ---- held -----------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, held_release_removes_its_own_path) {
  releasing();
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit released", "finish"}));
  expect_silence_for_ever();
}

TEST_F(LeaderElectionMachine, held_cancel_is_a_release) {
  held();
  EXPECT_EQ(m.tell(cancel{}), (lines{"end_grant", "remove " + own_path + " -1", "cold"}));
}

TEST_F(LeaderElectionMachine, held_ended_removes_the_node_and_ends) {
  held();
  EXPECT_EQ(m.tell(grant_ended{error(errc::ownership_lost)}), (lines{"remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.tell(release{}), lines{});
  EXPECT_EQ(m.answer("remove", errc::no_node), (lines{"emit released ownership_lost", "finish"}));
}

TEST_F(LeaderElectionMachine, held_session_over_ends) {
  held();
  EXPECT_EQ(m.tell(session_over{}), (lines{"cold", "emit released ownership_lost", "finish"}));
  expect_silence_for_ever();
}

TEST_F(LeaderElectionMachine, held_shut_down_ends) {
  held();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"cold", "emit released closed", "finish"}));
}

// ---- leaving --------------------------------------------------------------------------------------------------------

TEST_F(LeaderElectionMachine, leaving_lost_reply_removes_again) {
  releasing();
  EXPECT_EQ(m.lose("remove"), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", errc::no_node), (lines{"emit released", "finish"})) << "our own work";
}

TEST_F(LeaderElectionMachine, leaving_missing_node_is_a_lost_leadership) {
  releasing();
  EXPECT_EQ(m.answer("remove", errc::no_node), (lines{"emit released ownership_lost", "finish"}));
}

TEST_F(LeaderElectionMachine, leaving_refused_is_reported_once_and_tried_again) {
  releasing();
  EXPECT_EQ(m.answer("remove", errc::no_auth), (lines{"emit report no_auth", "timer 1000ms"}));
  EXPECT_EQ(m.elapse(), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", errc::no_auth), (lines{"timer 1000ms"}));
  EXPECT_EQ(m.elapse(), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit released", "finish"}));
}

TEST_F(LeaderElectionMachine, leaving_session_over_ends_without_a_verdict) {
  releasing();
  EXPECT_EQ(m.answer("remove", errc::session_expired), lines{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"emit released ownership_lost", "finish"}));
}

TEST_F(LeaderElectionMachine, leaving_shut_down_ends_without_a_verdict) {
  releasing();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit released closed", "finish"}));
}

TEST_F(LeaderElectionMachine, leaving_waits_for_strays_too) {
  listing();
  const std::string stray = "_c_u1-latch-0000000006";
  m.answer("list", names({stray, own}));
  m.tell(grant_given{});
  m.tell(release{});
  EXPECT_EQ(m.answer("remove " + own_path, reply_value{}), lines{});
  EXPECT_EQ(m.answer("remove /e/" + stray, reply_value{}), (lines{"emit released", "finish"}));
}

TEST_F(LeaderElectionMachine, leaving_after_a_confirmed_release_keeps_its_verdict) {
  listing();
  const std::string stray = "_c_u1-latch-0000000006";
  m.answer("list", names({stray, own}));
  m.tell(grant_given{});
  m.tell(release{});
  m.answer("remove " + own_path, reply_value{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"emit released", "finish"}));
}

}  // namespace
}  // namespace zkr::recipes::testing
