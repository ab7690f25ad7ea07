#include <gmock/gmock.h>

#include "conformance/differences.hpp"
#include "conformance/wire_client.hpp"

// Four-letter words.
namespace zkr::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using words_conformance = wire_conformance;

std::string ask(std::string_view word) {
  raw_client client(port_under_test());
  client.send(word);
  return client.receive_all();
}

TEST_F(words_conformance, short_ones) {
  EXPECT_EQ(ask("ruok"), "imok");
  EXPECT_EQ(ask("ruok\n"), "imok");
  EXPECT_EQ(ask("isro"), "rw");
}

TEST_F(words_conformance, the_trace_mask_can_be_set) {
  EXPECT_EQ(ask(std::string("stmk") + std::string(7, '\0') + "\2"), "2");
  EXPECT_EQ(ask("gtmk"), "2");
  EXPECT_EQ(ask(std::string("stmk") + std::string("\0\0\0\0\0\0\1\x32", 8)), "306") << "as it was";
}

TEST_F(words_conformance, srvr_can_be_parsed_by_go_zookeeper) {
  // Its expressions, for the first two lines.
  const bool parsable = ::testing::Matches(ContainsRegex(
      "^Zookeeper version: [A-Za-z0-9.-]+, built on [0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2} [A-Za-z0-9:+-]+\n"
      "Latency min/avg/max: [0-9]+/[0-9]+/[0-9]+\n"))(ask("srvr"));
  EXPECT_EQ(parsable, differs("srvr-parsable"));
}

TEST_F(words_conformance, cons_and_the_connection_that_asks) {
  const bool listed = ::testing::Matches(ContainsRegex("\\[0\\]\\(queued=0,recved=1,sent=0\\)\n"))(ask("cons"));
  EXPECT_EQ(listed, !differs("asker-unlisted"));
}

TEST_F(words_conformance, may_come_in_pieces) {
  raw_client client(port_under_test());
  client.send("ru");
  client.send("ok");
  EXPECT_EQ(client.receive_all(), "imok");
}

TEST_F(words_conformance, after_the_handshake_they_are_garbage) {
  zk.bytes.send("ruok");
  EXPECT_TRUE(zk.is_closed());
}

TEST_F(words_conformance, srvr_and_stat) {
  const std::string srvr = ask("srvr");
  EXPECT_THAT(srvr, StartsWith("Zookeeper version: "));
  for (const char* line : {"\nLatency min/avg/max: [0-9]+/[0-9.]+/[0-9]+\n", "\nReceived: [0-9]+\n", "\nSent: [0-9]+\n",
                           "\nConnections: [0-9]+\n", "\nOutstanding: [0-9]+\n", "\nZxid: 0x[0-9a-f]+\n",
                           "\nMode: standalone\n", "\nNode count: [0-9]+\n"}) {
    EXPECT_THAT(srvr, ContainsRegex(line));
  }
  EXPECT_THAT(ask("stat"), ContainsRegex("\nClients:\n( /127.0.0.1:[0-9]+\\[[01]\\]\\(queued=[0-9]+,recved=[0-9]+,"
                                         "sent=[0-9]+\\)\n)+\nLatency "));
}

TEST_F(words_conformance, cons_tells_of_sessions) {
  EXPECT_THAT(ask("cons"),
              ContainsRegex(" /127.0.0.1:[0-9]+\\[1\\]\\(queued=0,recved=[0-9]+,sent=[0-9]+,sid=0x[0-9a-f]+,"
                            "lop=[A-Z0-9]+,est=[0-9]+,to=5000,lcxid=0x[0-9a-f]+,lzxid=0x[0-9a-f]+,"
                            "lresp=[0-9]+,llat=[0-9]+,minlat=[0-9]+,avglat=[0-9]+,maxlat=[0-9]+\\)\n"));
}

TEST_F(words_conformance, conf_and_mntr_and_envi) {
  const std::string conf = ask("conf");
  for (const char* line : {"clientPort=", "dataDir=", "dataLogDir=", "tickTime=250\n", "maxClientCnxns=0\n",
                           "minSessionTimeout=500\n", "maxSessionTimeout=5000\n", "serverId=0\n"}) {
    EXPECT_THAT(conf, HasSubstr(line));
  }
  const std::string mntr = ask("mntr");
  for (const char* key :
       {"zk_version", "zk_server_state", "zk_ephemerals_count", "zk_num_alive_connections", "zk_avg_latency",
        "zk_min_latency", "zk_max_latency", "zk_packets_received", "zk_packets_sent", "zk_outstanding_requests",
        "zk_znode_count", "zk_watch_count", "zk_approximate_data_size", "zk_open_file_descriptor_count",
        "zk_max_file_descriptor_count", "zk_global_sessions", "zk_uptime"}) {
    EXPECT_THAT(mntr, HasSubstr(std::string(key) + "\t"));
  }
  EXPECT_THAT(mntr, HasSubstr("zk_server_state\tstandalone\n"));
  const std::string envi = ask("envi");
  EXPECT_THAT(envi, StartsWith("Environment:\nzookeeper.version="));
  EXPECT_THAT(envi, HasSubstr("\nhost.name="));
  EXPECT_THAT(envi, HasSubstr("\njava.version="));
}

TEST_F(words_conformance, dump_tells_of_sessions_and_their_nodes) {
  zk.create(at("e"), "", wire::create_flags::ephemeral);
  const std::string dump = ask("dump");
  EXPECT_THAT(dump, StartsWith("SessionTracker dump:\nSession Sets ("));
  EXPECT_THAT(dump, ContainsRegex("\n[0-9]+ expire at "));
  EXPECT_THAT(dump, HasSubstr("\nephemeral nodes dump:\nSessions with Ephemerals ("));
  EXPECT_THAT(dump, HasSubstr("\n\t" + at("e") + "\n"));
}

TEST_F(words_conformance, watches_by_number_session_and_path) {
  zk.create(at("w"));
  zk.get(at("w"), true);
  EXPECT_THAT(ask("wchs"), ContainsRegex("^[0-9]+ connections watching [0-9]+ paths\nTotal watches:[0-9]+\n$"));
  EXPECT_THAT(ask("wchc"), ContainsRegex("0x[0-9a-f]+\n\t/"));
  EXPECT_THAT(ask("wchp"), ContainsRegex(at("w") + "\n\t0x[0-9a-f]+\n"));
}

TEST_F(words_conformance, counters_can_be_reset) {
  EXPECT_EQ(ask("crst"), "Connection stats reset.\n");
  EXPECT_EQ(ask("srst"), "Server stats reset.\n");
  EXPECT_THAT(ask("dirs"), ContainsRegex("^datadir_size: [0-9]+\nlogdir_size: [0-9]+\n$"));
}

}  // namespace
}  // namespace zkr::testing
