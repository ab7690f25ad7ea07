#include <gtest/gtest.h>

#include <iostream>
#include <sstream>

#include "zkrecipes/recipes/claim_election.hpp"
#include "zkrecipes/recipes/leader_election.hpp"
#include "zkrecipes/server.hpp"

// The samples of docs/leader_election.md and docs/claim_election.md: what stands between "// sample x" and "// end".
// samples_test.py compares them.
namespace {

using namespace std::chrono_literals;

struct ElectionSamples : ::testing::Test {
  zkr::server server = zkr::server::start({.tick_time = 50ms}).value();
  zkr::client client = zkr::client::connect({.hosts = server.connect_string(), .session_timeout = 1s}).value();
  std::stop_source shutting_down;
};

TEST_F(ElectionSamples, leader_election) {
  int batches = 0;
  const auto work_on_next_batch = [&](zkr::duration) { return ++batches < 3; };

  // sample lead
  zkr::leader_election election(client, {.path = "/app/primary", .id = "host-1:8080"});

  auto won = election.campaign({.timeout = 1min, .stop = shutting_down.get_token()});
  if (!won) {
    std::cerr << "not elected: " << won.error().message() << '\n';
  } else {
    while (won->held() && work_on_next_batch(won->remaining())) {
    }
    if (auto verdict = won->resign(); !verdict) std::cerr << "led no longer: " << verdict.error().message() << '\n';
  }
  // end
  EXPECT_EQ(batches, 3);
}

TEST_F(ElectionSamples, run) {
  int reigns = 0;
  const auto serve_until = [&](const std::stop_token&) {
    if (++reigns == 2) shutting_down.request_stop();
  };
  zkr::leader_election election(client, {.path = "/app/primary", .id = "host-1:8080"});

  // sample run
  auto end = election.run(
      [&](zkr::leadership& lead) {
        serve_until(lead.lost());  // returns when lost() fires, or when it is done
      },
      {.stop = shutting_down.get_token()});
  // end
  EXPECT_EQ(end.error().code(), zkr::errc::cancelled);
}

TEST_F(ElectionSamples, observe) {
  zkr::leader_election election(client, {.path = "/app/primary", .id = "host-1:8080"});
  auto lead = election.campaign().value();
  std::ostringstream out;

  // sample participants
  auto candidates = election.participants();
  if (!candidates) {
    out << candidates.error().message() << '\n';
  } else {
    for (const auto& one : *candidates) out << one.id << (one.leads ? " leads\n" : " waits\n");
  }
  // end
  EXPECT_EQ(out.str(), "host-1:8080 leads\n");
}

TEST_F(ElectionSamples, claim) {
  ASSERT_TRUE(client.create("/partitions"));
  const auto release_plan = [] { return std::string("plan"); };

  // sample claim
  zkr::claim_election election(client, {.path = "/controller", .id = "broker-1", .epoch_path = "/controller_epoch"});

  auto lead = election.campaign({.timeout = 1min}).value();
  zkr::transaction write;
  write.only_while(lead).set("/partitions", release_plan());
  auto written = client.commit(std::move(write));
  if (!written && written.error().code() == zkr::errc::ownership_lost) {
    std::cerr << "another leads by now, nothing was written\n";
  }
  // end
  EXPECT_TRUE(written);
}

}  // namespace
