#include "recipes/common/queue_machine.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "recipes/leader_election/leader_election_machine.hpp"
#include "recipes/machine_script.hpp"
#include "recipes/mutex/mutex_queue.hpp"
#include "recipes/shared_mutex/shared_mutex_queue.hpp"

// The table of recipes/common/QUEUE.md, a test a row (or a few rows of one kind), named by its state; for each recipe
// that lines up so.
namespace zkr::recipes::testing {
namespace {

constexpr std::int64_t ours = machine_script::session;
constexpr std::int64_t others = 0x99;

reply_value made(const std::string& path, std::int64_t owner = ours, std::int64_t czxid = 70) {
  return created{path, stat_of(owner, czxid)};
}
reply_value names(std::vector<std::string> all) { return child_list{std::move(all), {}}; }
reply_value someone() { return node{"other", stat_of(others, 10)}; }

/// A recipe that lines up.
struct recipe {
  std::string name;
  std::string marker;
  std::unique_ptr<machine> (*make)(std::string path, acl_list acl, acl_list parent_acl);
};

struct QueueMachine : ::testing::TestWithParam<recipe> {
  /// Names are written as the election's; a recipe's own have its marker.
  static std::string n(std::string text) {
    constexpr std::string_view written = "latch-";
    for (auto at = text.find(written); at != std::string::npos; at = text.find(written, at + 1)) {
      text.replace(at, written.size(), GetParam().marker);
    }
    return text;
  }
  static std::unique_ptr<machine> make(std::string path = "/e", acl_list acl = {}, acl_list parent_acl = {}) {
    return GetParam().make(std::move(path), std::move(acl), std::move(parent_acl));
  }

  const std::string first = n("_c_aa-latch-0000000001");
  const std::string second = n("_c_bb-latch-0000000002");
  const std::string own = n("_c_u1-latch-0000000007");
  const std::string own_path = "/e/" + own;
  const lines candidacy = {n("create /e/_c_u1-latch- ephemeral_sequential 'me'"), "list /e"};
  const lines second_candidacy = {n("create /e/_c_u2-latch- ephemeral_sequential 'me'"), "list /e"};
  const lines ended_cancelled = {"emit failed cancelled", "finish"};

  machine_script m{make()};

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

TEST_P(QueueMachine, idle_start_sends_create_and_list_in_one_flight) { creating(); }

TEST_P(QueueMachine, idle_cancel_ends) {
  EXPECT_EQ(m.tell(cancel{}), ended_cancelled);
  expect_silence_for_ever();
}

TEST_P(QueueMachine, idle_end_of_the_wait_says_so) {
  EXPECT_EQ(m.tell(cancel{errc::timed_out}), (lines{"emit failed timed_out", "finish"}));
}

TEST_P(QueueMachine, idle_shut_down_ends) {
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
  expect_silence_for_ever();
}

TEST_P(QueueMachine, idle_ignores_sessions_before_the_start) {
  EXPECT_EQ(m.tell(session_over{}), lines{});
  EXPECT_EQ(m.tell(session_begun{}), lines{});
  creating();
}

TEST_P(QueueMachine, idle_takes_acls_from_the_options) {
  m.restart(make("/e", {{perms::all, "auth", "of-node"}}, {{perms::all, "auth", "of-parent"}}));
  EXPECT_EQ(m.tell(start{}), (lines{candidacy[0] + " acl of-node", candidacy[1]}));
  EXPECT_EQ(m.answer("create", errc::no_node),
            (lines{"create /e container '' acl of-parent", candidacy[0] + " acl of-node", candidacy[1]}));
}

// ---- creating -------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, creating_created_waits_for_the_list) { listing(); }

TEST_P(QueueMachine, creating_created_for_another_session_removes_it_and_begins_anew) {
  creating();
  EXPECT_EQ(m.answer("create", made(own_path, others)),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
}

TEST_P(QueueMachine, creating_no_node_makes_containers_in_the_same_flight) {
  m.restart(make("/a/b/c"));
  const lines flight = {n("create /a/b/c/_c_u1-latch- ephemeral_sequential 'me'"), "list /a/b/c"};
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

TEST_P(QueueMachine, creating_falls_back_to_persistent_directories) {
  for (const auto code : {errc::unimplemented, errc::unsupported}) {
    m.restart(make());
    creating();
    EXPECT_EQ(m.answer("create", errc::no_node), (lines{"create /e container ''", candidacy[0], candidacy[1]}));
    EXPECT_EQ(m.answer("create /e container", code), lines{});
    EXPECT_EQ(m.answer("create /e/_c", errc::no_node), (lines{"create /e persistent ''", candidacy[0], candidacy[1]}));
    EXPECT_EQ(m.answer("create /e persistent", code), lines{});
    EXPECT_EQ(m.answer("create /e/_c", errc::no_node),
              (lines{fmt::format("emit failed {}", to_string(code)), "finish"}));
  }
}

TEST_P(QueueMachine, creating_fails_where_the_directory_cannot_be_made) {
  creating();
  m.answer("create", errc::no_node);
  EXPECT_EQ(m.answer("create /e container", errc::no_auth), lines{});
  EXPECT_EQ(m.answer("create /e/_c", errc::no_node), (lines{"emit failed no_auth", "finish"}));
}

TEST_P(QueueMachine, creating_fails_where_the_chroot_is_missing) {
  creating();
  m.answer("create", errc::no_node);
  EXPECT_EQ(m.answer("create /e container", errc::no_node), lines{});
  EXPECT_EQ(m.answer("create /e/_c", errc::no_node), (lines{"emit failed no_node", "finish"}));
}

TEST_P(QueueMachine, creating_under_the_root_fails_where_the_chroot_is_missing) {
  m.restart(make("/"));
  const lines flight = {n("create /_c_u1-latch- ephemeral_sequential 'me'"), "list /"};
  EXPECT_EQ(m.tell(start{}), flight);
  EXPECT_EQ(m.answer("create", errc::no_node), flight);
  EXPECT_EQ(m.answer("create", errc::no_node), (lines{"emit failed no_node", "finish"}));
}

TEST_P(QueueMachine, creating_lost_reply_syncs_and_looks) { settling(); }

TEST_P(QueueMachine, creating_not_applied_is_sent_again) {
  for (const auto code : {errc::connection_loss, errc::session_moved, errc::throttled}) {
    m.restart(make());
    creating();
    EXPECT_EQ(m.answer("create", code), candidacy);
  }
}

TEST_P(QueueMachine, creating_refused_fails) {
  for (const auto code : {errc::no_auth, errc::invalid_acl, errc::quota_exceeded, errc::overloaded}) {
    m.restart(make());
    creating();
    EXPECT_EQ(m.answer("create", code), (lines{fmt::format("emit failed {}", to_string(code)), "finish"}));
    expect_silence_for_ever();
  }
}

TEST_P(QueueMachine, creating_of_a_dead_session_waits_for_the_next) {
  creating();
  EXPECT_EQ(m.answer("create", errc::session_expired), lines{});
  EXPECT_EQ(m.tell(session_over{}), lines{});
  EXPECT_EQ(m.begin_session(0x52), second_candidacy);
}

TEST_P(QueueMachine, creating_cancel_waits_for_the_reply_and_removes_the_node) {
  creating();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("create", made(own_path)), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
  expect_silence_for_ever();
}

TEST_P(QueueMachine, creating_cancel_then_refused_or_not_applied_ends) {
  for (const auto code : {errc::no_node, errc::no_auth, errc::connection_loss}) {
    m.restart(make());
    creating();
    m.tell(cancel{});
    EXPECT_EQ(m.answer("create", code), ended_cancelled);
  }
}

TEST_P(QueueMachine, creating_cancel_then_lost_reply_settles) {
  creating();
  m.tell(cancel{});
  EXPECT_EQ(m.lose("create"), (lines{"sync /e", "list /e"}));
  EXPECT_EQ(m.answer("sync", reply_value{}), lines{});
  EXPECT_EQ(m.answer("list", names({first, own})), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

TEST_P(QueueMachine, creating_shut_down_ends) {
  creating();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
}

// ---- settling -------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, settling_not_found_creates_again_under_the_same_name) {
  settling();
  m.answer("sync", reply_value{});
  EXPECT_EQ(m.answer("list", names({first})), candidacy);
}

TEST_P(QueueMachine, settling_found_reads_its_owner) { verifying(); }

TEST_P(QueueMachine, settling_does_not_take_another_recipes_node_for_ours) {
  settling();
  EXPECT_EQ(m.answer("list", names({"_c_u1-other-0000000003", n("_c_u11-latch-0000000004")})), candidacy);
}

TEST_P(QueueMachine, settling_without_a_sync_looks_again) {
  settling();
  EXPECT_EQ(m.answer("sync", errc::connection_loss), (lines{"sync /e", "list /e"}));
}

TEST_P(QueueMachine, settling_no_directory_creates_again) {
  settling();
  EXPECT_EQ(m.answer("list", errc::no_node), candidacy);
}

TEST_P(QueueMachine, settling_failed_looks) {
  settling();
  EXPECT_EQ(m.answer("list", errc::connection_loss), (lines{"sync /e", "list /e"}));
  EXPECT_EQ(m.answer("list", errc::session_lost), lines{});
}

TEST_P(QueueMachine, settling_refused_fails) {
  settling();
  EXPECT_EQ(m.answer("list", errc::no_auth), (lines{"emit failed no_auth", "finish"}));
}

TEST_P(QueueMachine, settling_cancel_decides_by_the_look) {
  settling();
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("list", names({first})), ended_cancelled);
}

TEST_P(QueueMachine, settling_cancel_no_directory_ends) {
  settling();
  m.tell(cancel{});
  EXPECT_EQ(m.answer("list", errc::no_node), ended_cancelled);
}

// ---- verifying ------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, verifying_ours_takes_its_turn) {
  verifying();
  EXPECT_EQ(m.answer("exists", stat_of(ours, 70)), lines{});
  EXPECT_EQ(m.answer("list", names({own})), (lines{"warm", "grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_P(QueueMachine, verifying_another_sessions_node_is_removed_and_a_new_one_made) {
  verifying();
  EXPECT_EQ(m.answer("exists", stat_of(others, 70)),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
}

TEST_P(QueueMachine, verifying_gone_meanwhile_creates_again) {
  verifying();
  EXPECT_EQ(m.answer("exists", errc::no_node), candidacy);
}

TEST_P(QueueMachine, verifying_failed_looks) {
  verifying();
  EXPECT_EQ(m.answer("exists", errc::connection_loss), (lines{"exists " + own_path, "list /e"}));
  EXPECT_EQ(m.answer("exists", errc::session_lost), lines{});
}

TEST_P(QueueMachine, verifying_refused_removes_and_fails) {
  verifying();
  EXPECT_EQ(m.answer("exists", errc::no_auth), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed no_auth", "finish"}));
}

TEST_P(QueueMachine, verifying_cancel_removes_at_once) {
  verifying();
  EXPECT_EQ(m.tell(cancel{}), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("exists", stat_of(ours, 70)), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

// ---- listing --------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, listing_first_asks_for_the_grant) { granting(); }
TEST_P(QueueMachine, listing_second_warms_the_lease_and_watches_the_first) { waiting_next_in_line(); }
TEST_P(QueueMachine, listing_third_watches_its_predecessor_only) { waiting(); }

TEST_P(QueueMachine, listing_orders_by_sequence_right_across_the_overflow) {
  creating();
  m.answer("create", made(n("/e/_c_u1-latch--2147483647")));
  EXPECT_EQ(m.answer("list", names({n("_c_u1-latch--2147483647"), n("_c_aa-latch-2147483647"),
                                    n("_c_bb-latch--2147483648"), n("_c_cc-latch--2147483646")})),
            (lines{n("read /e/_c_bb-latch--2147483648 watch")}));
}

TEST_P(QueueMachine, listing_reports_what_it_cannot_parse_once_and_does_not_wait_for_it) {
  listing();
  EXPECT_EQ(m.answer("list", names({own, "notes", first, n("_c_cc-latch-7")})),
            (lines{"emit report data_inconsistency", "emit report data_inconsistency", "warm",
                   "read /e/" + first + " watch"}));
  EXPECT_EQ(m.answer("read", errc::no_node), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", names({"notes", own, "more"})),
            (lines{"emit report data_inconsistency", "grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_P(QueueMachine, listing_removes_a_lost_create_of_its_own_that_came_true_late) {
  listing();
  const std::string stray = n("_c_u1-latch-0000000006");
  EXPECT_EQ(m.answer("list", names({stray, own})),
            (lines{"remove /e/" + stray + " -1", "warm", "grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_P(QueueMachine, listing_without_its_own_node_begins_anew) {
  listing();
  EXPECT_EQ(m.answer("list", names({first})),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
  EXPECT_EQ(m.answer("remove", errc::no_node), lines{});
}

TEST_P(QueueMachine, listing_with_an_own_name_that_has_no_number_fails) {
  creating();
  m.answer("create", made(n("/e/_c_u1-latch-")));
  EXPECT_EQ(m.answer("list", names({n("_c_u1-latch-")})),
            (lines{"emit report data_inconsistency", n("remove /e/_c_u1-latch- -1")}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed data_inconsistency", "finish"}));
}

TEST_P(QueueMachine, listing_no_directory_begins_anew) {
  listing();
  EXPECT_EQ(m.answer("list", errc::no_node),
            (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
}

TEST_P(QueueMachine, listing_refused_removes_and_fails) {
  listing();
  EXPECT_EQ(m.answer("list", errc::no_auth), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed no_auth", "finish"}));
}

TEST_P(QueueMachine, listing_interrupted_lists_again) {
  listing();
  EXPECT_EQ(m.answer("list", errc::connection_loss), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", errc::session_lost), lines{});
}

TEST_P(QueueMachine, listing_cancel_removes) {
  listing();
  EXPECT_EQ(m.tell(cancel{}), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("list", names({own})), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

// ---- arming ---------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, arming_predecessor_gone_lists_again) {
  arming();
  EXPECT_EQ(m.answer("read", errc::no_node), (lines{"list /e"}));
}

TEST_P(QueueMachine, arming_unreadable_predecessor_is_watched_by_exists) {
  arming();
  EXPECT_EQ(m.answer("read", errc::no_auth), (lines{"exists /e/" + second + " watch"}));
  EXPECT_EQ(m.answer("exists", stat_of(others, 10)), lines{});
  EXPECT_EQ(m.fire("exists", watch_event_type::removed), (lines{"list /e"}));
  EXPECT_EQ(m.answer("list", names({own, first})), (lines{"warm", "exists /e/" + first + " watch"}));
  EXPECT_EQ(m.answer("exists", errc::no_node), (lines{"list /e"}));
}

TEST_P(QueueMachine, arming_refused_removes_and_fails) {
  arming();
  m.answer("read", errc::no_auth);
  EXPECT_EQ(m.answer("exists", errc::no_auth), (lines{"remove " + own_path + " -1"}));
}

TEST_P(QueueMachine, arming_interrupted_reads_again) {
  arming();
  EXPECT_EQ(m.answer("read", errc::connection_loss), (lines{"read /e/" + second + " watch"}));
  EXPECT_EQ(m.answer("read", errc::session_lost), lines{});
}

// ---- waiting --------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, waiting_predecessor_removed_lists_again) {
  waiting();
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /e"}));
}

TEST_P(QueueMachine, waiting_the_leader_removed_asks_for_the_grant_without_a_list) {
  waiting_next_in_line();
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"grant " + own_path + " 70 check " + own_path + " -1"}));
}

TEST_P(QueueMachine, waiting_other_changes_arm_the_watch_again) {
  for (const auto type :
       {watch_event_type::data_changed, watch_event_type::created, watch_event_type::children_changed}) {
    m.restart(make());
    waiting();
    EXPECT_EQ(m.fire("read", type), (lines{"read /e/" + second + " watch"}));
  }
}

TEST_P(QueueMachine, waiting_ignores_the_end_of_its_watch) {
  waiting();
  EXPECT_EQ(m.fire("read", watch_event_type::session_lost), lines{});
  EXPECT_EQ(m.fire("read", watch_event_type::closed), lines{});
}

TEST_P(QueueMachine, waiting_stays_in_line_over_a_reconnect) {
  waiting();
  EXPECT_EQ(m.tell(suspended{}), lines{});
  EXPECT_EQ(m.tell(reconnected{}), lines{});
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /e"}));
}

TEST_P(QueueMachine, waiting_cancel_removes) {
  waiting_next_in_line();
  EXPECT_EQ(m.tell(cancel{}), (lines{"remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.fire("read", watch_event_type::removed), lines{});
  EXPECT_EQ(m.tell(cancel{}), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

TEST_P(QueueMachine, waiting_session_over_begins_anew_in_the_next) {
  between_sessions();
  EXPECT_EQ(m.fire("read", watch_event_type::removed), lines{});
  EXPECT_EQ(m.begin_session(0x52), second_candidacy);
  EXPECT_EQ(m.answer("create", made(n("/e/_c_u2-latch-0000000009"), 0x52, 90)), lines{});
}

TEST_P(QueueMachine, between_sessions_cancel_or_shut_down_ends) {
  between_sessions();
  EXPECT_EQ(m.tell(cancel{}), ended_cancelled);
  m.restart(make());
  between_sessions();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit failed closed", "finish"}));
}

// ---- granting -------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, granting_given_is_held) { held(); }

TEST_P(QueueMachine, granting_ended_begins_anew) {
  for (const auto code : {errc::ownership_lost, errc::no_node, errc::bad_version, errc::connection_loss}) {
    m.restart(make());
    granting();
    EXPECT_EQ(m.tell(grant_ended{error(code)}),
              (lines{"remove " + own_path + " -1", second_candidacy[0], second_candidacy[1]}));
  }
}

TEST_P(QueueMachine, granting_impossible_fails) {
  granting();
  EXPECT_EQ(m.tell(grant_ended{error(errc::unsupported)}), (lines{"remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit failed unsupported", "finish"}));
}

TEST_P(QueueMachine, granting_cancel_ends_the_grant_and_removes) {
  granting();
  EXPECT_EQ(m.tell(cancel{}), (lines{"end_grant", "remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.tell(grant_given{}), lines{});
  EXPECT_EQ(m.tell(release{}), lines{}) << "the late grant's own";
  EXPECT_EQ(m.answer("remove", reply_value{}), ended_cancelled);
}

TEST_P(QueueMachine, granting_session_over_begins_anew) {
  granting();
  EXPECT_EQ(m.tell(session_over{}), (lines{"end_grant", "cold"}));
  EXPECT_EQ(m.begin_session(0x52), second_candidacy);
}

// ---- held -----------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, held_release_removes_its_own_path) {
  releasing();
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit released", "finish"}));
  expect_silence_for_ever();
}

TEST_P(QueueMachine, held_cancel_is_a_release) {
  held();
  EXPECT_EQ(m.tell(cancel{}), (lines{"end_grant", "remove " + own_path + " -1", "cold"}));
}

TEST_P(QueueMachine, held_ended_removes_the_node_and_ends) {
  held();
  EXPECT_EQ(m.tell(grant_ended{error(errc::ownership_lost)}), (lines{"remove " + own_path + " -1", "cold"}));
  EXPECT_EQ(m.tell(release{}), lines{});
  EXPECT_EQ(m.answer("remove", errc::no_node), (lines{"emit released ownership_lost", "finish"}));
}

TEST_P(QueueMachine, held_session_over_ends) {
  held();
  EXPECT_EQ(m.tell(session_over{}), (lines{"cold", "emit released ownership_lost", "finish"}));
  expect_silence_for_ever();
}

TEST_P(QueueMachine, held_shut_down_ends) {
  held();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"cold", "emit released closed", "finish"}));
}

// ---- leaving --------------------------------------------------------------------------------------------------------

TEST_P(QueueMachine, leaving_lost_reply_removes_again) {
  releasing();
  EXPECT_EQ(m.lose("remove"), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", errc::no_node), (lines{"emit released", "finish"})) << "our own work";
}

TEST_P(QueueMachine, leaving_missing_node_is_a_lost_leadership) {
  releasing();
  EXPECT_EQ(m.answer("remove", errc::no_node), (lines{"emit released ownership_lost", "finish"}));
}

TEST_P(QueueMachine, leaving_refused_is_reported_once_and_tried_again) {
  releasing();
  EXPECT_EQ(m.answer("remove", errc::no_auth), (lines{"emit report no_auth", "timer 1000ms"}));
  EXPECT_EQ(m.elapse(), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", errc::no_auth), (lines{"timer 1000ms"}));
  EXPECT_EQ(m.elapse(), (lines{"remove " + own_path + " -1"}));
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"emit released", "finish"}));
}

TEST_P(QueueMachine, leaving_session_over_ends_without_a_verdict) {
  releasing();
  EXPECT_EQ(m.answer("remove", errc::session_expired), lines{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"emit released ownership_lost", "finish"}));
}

TEST_P(QueueMachine, leaving_shut_down_ends_without_a_verdict) {
  releasing();
  EXPECT_EQ(m.tell(shut_down{}), (lines{"emit released closed", "finish"}));
}

TEST_P(QueueMachine, leaving_waits_for_strays_too) {
  listing();
  const std::string stray = n("_c_u1-latch-0000000006");
  m.answer("list", names({stray, own}));
  m.tell(grant_given{});
  m.tell(release{});
  EXPECT_EQ(m.answer("remove " + own_path, reply_value{}), lines{});
  EXPECT_EQ(m.answer("remove /e/" + stray, reply_value{}), (lines{"emit released", "finish"}));
}

TEST_P(QueueMachine, leaving_after_a_confirmed_release_keeps_its_verdict) {
  listing();
  const std::string stray = n("_c_u1-latch-0000000006");
  m.answer("list", names({stray, own}));
  m.tell(grant_given{});
  m.tell(release{});
  m.answer("remove " + own_path, reply_value{});
  EXPECT_EQ(m.tell(session_over{}), (lines{"emit released", "finish"}));
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, QueueMachine,
    ::testing::Values(recipe{"leader_election", "latch-",
                             [](std::string path, acl_list acl, acl_list parent_acl) -> std::unique_ptr<machine> {
                               return std::make_unique<leader_election_machine>(leader_election_options{
                                   std::move(path), "me", std::move(acl), std::move(parent_acl)});
                             }},
                      recipe{"mutex", "lock-",
                             [](std::string path, acl_list acl, acl_list parent_acl) -> std::unique_ptr<machine> {
                               return std::make_unique<queue_machine>(mutex_queue(
                                   {.path = std::move(path), .id = "me", .acl = acl, .parent_acl = parent_acl}));
                             }}),
    [](const auto& of) { return of.param.name; });

// ---- what the mutex has beside ----------------------------------------------------------------------------------------

struct MutexQueue : ::testing::Test {
  const std::string own = "_c_u1-lock-0000000007";
  const std::string own_path = "/m/" + own;
  const lines grant = {"warm", "grant " + own_path + " 70 check " + own_path + " -1"};

  /// Up to the reply that lists the directory.
  static machine_script listing(queue_patience patience, std::vector<std::string> extra = {}) {
    auto queue = mutex_queue({.path = "/m", .extra_lock_patterns = std::move(extra)});
    queue.patience = patience;
    return machine_script(std::make_unique<queue_machine>(std::move(queue)));
  }
  void begin(machine_script& m) const {
    EXPECT_EQ(m.tell(start{}), (lines{"create /m/_c_u1-lock- ephemeral_sequential ''", "list /m"}));
    EXPECT_EQ(m.answer("create", made(own_path)), lines{});
  }
};

TEST_F(MutexQueue, once_and_taken_says_so_and_removes_its_node) {
  auto m = listing(queue_patience::once);
  begin(m);
  EXPECT_EQ(m.answer("list", names({own, "_c_x-lock-0000000006"})),
            (lines{"emit 1 0 ''", "remove " + own_path + " -1"}));
  EXPECT_EQ(m.tell(grant_given{}), lines{});
  EXPECT_EQ(m.answer("remove", reply_value{}), (lines{"finish"}));
}

TEST_F(MutexQueue, once_and_taken_does_not_try_in_the_next_session) {
  auto m = listing(queue_patience::once);
  begin(m);
  m.answer("list", names({own, "_c_x-lock-0000000006"}));
  EXPECT_EQ(m.tell(session_over{}), (lines{"finish"}));
}

TEST_F(MutexQueue, once_and_free_asks_for_the_grant) {
  auto m = listing(queue_patience::once);
  begin(m);
  EXPECT_EQ(m.answer("list", names({own, "_c_x-lock-0000000008"})), grant);
}

TEST_F(MutexQueue, waits_for_go_always_and_for_kazoo_where_its_pattern_is_given) {
  const auto all = names({"2f__lock__0000000006", "_c_2f-lock-0000000005", own});
  auto m = listing(queue_patience::wait);
  begin(m);
  EXPECT_EQ(m.answer("list", all),
            (lines{"emit report data_inconsistency", "warm", "read /m/_c_2f-lock-0000000005 watch"}));
  auto with_kazoo = listing(queue_patience::wait, {"__lock__"});
  begin(with_kazoo);
  EXPECT_EQ(with_kazoo.answer("list", all), (lines{"read /m/2f__lock__0000000006 watch"}));
  EXPECT_EQ(with_kazoo.answer("read", errc::no_node), (lines{"list /m"}));
  EXPECT_EQ(with_kazoo.answer("list", names({"2f__lock__0000000004", own})),
            (lines{"warm", "read /m/2f__lock__0000000004 watch"}));
  with_kazoo.answer("read", someone());
  EXPECT_EQ(with_kazoo.fire("read", watch_event_type::removed), (lines{"list /m"}))
      << "by which rules others line up is not known";
}

// ---- what the shared mutex has beside ---------------------------------------------------------------------------------

struct SharedMutexQueue : ::testing::Test {
  const std::string writer_1 = "_c_a-__WRIT__0000000001";
  const std::string reader_2 = "_c_b-__READ__0000000002";
  const std::string writer_3 = "_c_c-__WRIT__0000000003";
  const std::string reader_4 = "_c_d-__READ__0000000004";
  std::string own;
  machine_script m{nullptr};

  /// Has number 5, and asks for the list.
  void listing(lock_mode mode) {
    const std::string stem = mode == lock_mode::shared ? "_c_u1-__READ__" : "_c_u1-__WRIT__";
    own = stem + "0000000005";
    m.restart(std::make_unique<queue_machine>(shared_mutex_queue({.path = "/s"}, mode)));
    EXPECT_EQ(m.tell(start{}), (lines{"create /s/" + stem + " ephemeral_sequential ''", "list /s"}));
    EXPECT_EQ(m.answer("create", made("/s/" + own)), lines{});
  }
  [[nodiscard]] std::string grant() const { return "grant /s/" + own + " 70 check /s/" + own + " -1"; }
};

TEST_F(SharedMutexQueue, a_reader_passes_readers) {
  listing(lock_mode::shared);
  EXPECT_EQ(m.answer("list", names({own, reader_4, reader_2})), (lines{"warm", grant()}));
}

TEST_F(SharedMutexQueue, a_reader_watches_the_last_writer_before_it) {
  listing(lock_mode::shared);
  const std::string later = "_c_e-__WRIT__0000000006";
  EXPECT_EQ(m.answer("list", names({later, own, reader_4, writer_3, reader_2, writer_1})),
            (lines{"read /s/" + writer_3 + " watch"}));
  m.answer("read", someone());
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /s"}));
  EXPECT_EQ(m.answer("list", names({later, own, reader_4, writer_1})),
            (lines{"warm", "read /s/" + writer_1 + " watch"}))
      << "writer 3 gave up waiting";
  m.answer("read", someone());
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /s"}));
  EXPECT_EQ(m.answer("list", names({later, own, reader_4})), (lines{grant()}));
}

TEST_F(SharedMutexQueue, a_writer_waits_for_readers_and_writers) {
  listing(lock_mode::exclusive);
  EXPECT_EQ(m.answer("list", names({own, reader_4, writer_3})), (lines{"read /s/" + reader_4 + " watch"}));
  m.answer("read", someone());
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /s"}));
  EXPECT_EQ(m.answer("list", names({own, writer_3})), (lines{"warm", "read /s/" + writer_3 + " watch"}));
}

TEST_F(SharedMutexQueue, readers_wait_for_others_whose_pattern_is_given) {
  auto queue = shared_mutex_queue({.path = "/s", .extra_lock_patterns = {"lock-"}}, lock_mode::shared);
  m.restart(std::make_unique<queue_machine>(std::move(queue)));
  m.tell(start{});
  m.answer("create", made("/s/_c_u1-__READ__0000000005"));
  EXPECT_EQ(m.answer("list", names({"_c_u1-__READ__0000000005", reader_4, "_c_x-lock-0000000003"})),
            (lines{"warm", "read /s/_c_x-lock-0000000003 watch"}));
}

TEST_F(SharedMutexQueue, takes_acls_from_the_options) {
  auto queue = shared_mutex_queue(
      {.path = "/s", .acl = {{perms::all, "auth", "of-node"}}, .parent_acl = {{perms::all, "auth", "of-parent"}}},
      lock_mode::exclusive);
  m.restart(std::make_unique<queue_machine>(std::move(queue)));
  const auto flight = m.tell(start{});
  ASSERT_EQ(flight.size(), 2U);
  EXPECT_THAT(flight[0], ::testing::EndsWith(" acl of-node"));
  EXPECT_THAT(m.answer("create", errc::no_node), ::testing::Contains("create /s container '' acl of-parent"));
}

TEST_F(SharedMutexQueue, a_writer_waits_on_for_the_writer_that_became_a_reader) {
  listing(lock_mode::exclusive);
  EXPECT_EQ(m.answer("list", names({own, writer_3})), (lines{"warm", "read /s/" + writer_3 + " watch"}));
  m.answer("read", someone());
  EXPECT_EQ(m.fire("read", watch_event_type::removed), (lines{"list /s"})) << "no grant on a notification alone";
  const std::string downgraded = "_c_f-__READ__0000000003";
  EXPECT_EQ(m.answer("list", names({own, downgraded})), (lines{"read /s/" + downgraded + " watch"}));
}

}  // namespace
}  // namespace zkr::recipes::testing
