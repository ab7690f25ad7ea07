#include "server/four_letter_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// What operators' tools and clients read, in the shape they parse.
namespace zkr::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class four_letter_words_test : public ::testing::Test {
 protected:
  std::string ask(std::string_view word) {
    const backend::connection_id asker = server.core.open({}, server.now);
    const std::string text = backend::answer(word, server.core, facts, asker, server.now);
    server.core.disconnect(asker);
    return text;
  }
  processor_harness server;
  backend::server_facts facts{"127.0.0.1", 2181, 60, server.now.wall_ms};
  processor_harness::client client = server.connect();
};

TEST_F(four_letter_words_test, short_ones) {
  EXPECT_EQ(ask("ruok"), "imok");
  EXPECT_EQ(ask("isro"), "rw");
  EXPECT_EQ(ask("gtmk"), "306");
  EXPECT_EQ(ask("dirs"), "datadir_size: 0\nlogdir_size: 0\n");
}

TEST_F(four_letter_words_test, srvr_is_what_go_and_zk_server_sh_parse) {
  client.create("/a");
  EXPECT_EQ(ask("srvr"),
            "Zookeeper version: 3.8.0-zkrecipes, built on 02/25/2022 08:49 GMT\n"
            "Latency min/avg/max: 0/0/0\nReceived: 2\nSent: 2\nConnections: 1\nOutstanding: 0\nZxid: 0x2\n"
            "Mode: standalone\nNode count: 5\n");
}

TEST_F(four_letter_words_test, latencies_are_shown) {
  backend::unanswered two;
  two.add(server.now.now - std::chrono::milliseconds(30), 1);
  two.add(server.now.now - std::chrono::microseconds(2500), 1);
  server.core.answered(client.id(), two, server.now.now);
  // With the handshake's, which took no time.
  EXPECT_THAT(ask("srvr"), HasSubstr("Latency min/avg/max: 0/10/30\n"));
  EXPECT_THAT(ask("mntr"), HasSubstr("zk_avg_latency\t10.8333\nzk_min_latency\t0\nzk_max_latency\t30\n"));
  EXPECT_THAT(ask("cons"), HasSubstr("llat=2,minlat=0,avglat=10,maxlat=30)"));
  ask("srst");
  EXPECT_THAT(ask("srvr"), HasSubstr("Latency min/avg/max: 0/0/0\n"));
  ask("crst");
  EXPECT_THAT(ask("cons"), HasSubstr("llat=0,minlat=0,avglat=0,maxlat=0)"));
}

TEST_F(four_letter_words_test, stat_lists_the_clients) {
  EXPECT_THAT(ask("stat"), HasSubstr("GMT\nClients:\n /127.0.0.1:0[1](queued=0,recved=1,sent=1)\n\nLatency"));
}

TEST_F(four_letter_words_test, cons_leaves_out_who_asks) {
  client.exists("/a");
  EXPECT_THAT(
      ask("cons"),
      MatchesRegex(
          " /127.0.0.1:0\\[1\\]\\(queued=0,recved=2,sent=2,sid=0x[0-9a-f]+,lop=EXIS,est=[0-9]+,to=2000,lcxid=0x1,"
          "lzxid=0x1,lresp=[0-9]+,llat=0,minlat=0,avglat=0,maxlat=0\\)\n\n"));
}

TEST_F(four_letter_words_test, mntr_and_envi_name_the_version) {
  EXPECT_THAT(ask("mntr"), HasSubstr("zk_version\t3.8.0-"));
  EXPECT_THAT(ask("mntr"), HasSubstr("zk_server_state\tstandalone\n"));
  EXPECT_THAT(ask("mntr"), HasSubstr("zk_znode_count\t4\n"));
  EXPECT_THAT(ask("envi"), HasSubstr("Environment:\nzookeeper.version=3.8.0-"));
}

TEST_F(four_letter_words_test, conf_shows_the_limits) {
  EXPECT_THAT(ask("conf"), HasSubstr("clientPort=2181\n"));
  EXPECT_THAT(ask("conf"),
              HasSubstr("tickTime=100\nmaxClientCnxns=60\nminSessionTimeout=200\nmaxSessionTimeout=2000\n"));
}

TEST_F(four_letter_words_test, watches_by_number_session_and_path) {
  client.exists("/a", true);
  client.exists("/b", true);
  client.children("/", true);
  EXPECT_EQ(ask("wchs"), "1 connections watching 2 paths\nTotal watches:2\n");
  EXPECT_THAT(ask("wchc"), MatchesRegex("0x[0-9a-f]+\n\t/a\n\t/b\n\n"));
  EXPECT_THAT(ask("wchp"), MatchesRegex("/a\n\t0x[0-9a-f]+\n/b\n\t0x[0-9a-f]+\n\n"));
}

TEST_F(four_letter_words_test, dump_lists_sessions_and_their_nodes) {
  client.create("/e", "", wire::create_flags::ephemeral);
  EXPECT_THAT(ask("dump"), HasSubstr("Session Sets (1)/(1):\n1 expire at "));
  EXPECT_THAT(ask("dump"), HasSubstr("Sessions with Ephemerals (1):\n0x"));
  EXPECT_THAT(ask("dump"), HasSubstr(":\n\t/e\n"));
}

TEST_F(four_letter_words_test, counters_can_be_reset) {
  EXPECT_EQ(ask("srst"), "Server stats reset.\n");
  EXPECT_EQ(ask("crst"), "Connection stats reset.\n");
  EXPECT_THAT(ask("stat"), HasSubstr("(queued=0,recved=0,sent=0)"));
  EXPECT_THAT(ask("srvr"), HasSubstr("Received: 0\nSent: 0\n"));
}

TEST(word_lists, allow_what_they_name) {
  const backend::word_list some({"srvr", "ruok"});
  EXPECT_TRUE(some.allows("ruok"));
  EXPECT_FALSE(some.allows("mntr"));
  EXPECT_TRUE(backend::word_list({"*"}).allows("mntr"));
  EXPECT_FALSE(backend::is_four_letter_word("GET "));
  EXPECT_TRUE(backend::is_four_letter_word("stmk"));
}

}  // namespace
}  // namespace zkr::testing
