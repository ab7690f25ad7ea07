#include "server/zoo_cfg.hpp"

#include <gtest/gtest.h>

#include "server/setting_rules.hpp"

// What Apache's zoo.cfg says to this server.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using backend::configuration;
using backend::server_settings;

server_settings settings_of(std::string_view text) {
  configuration from;
  EXPECT_EQ(from.read(text, "zoo.cfg"), "") << text;
  return from.settings();
}

std::string wrong_with(std::string_view text) {
  configuration from;
  return from.read(text, "zoo.cfg");
}

TEST(zoo_cfg, every_key_has_its_effect) {
  const server_settings read = settings_of(R"(
# The number of milliseconds of each tick
tickTime=1000
initLimit=10
syncLimit=5
dataDir = /var/lib/zookeeper
dataLogDir:/var/log/zk
clientPort 2182
clientPortAddress=::1
minSessionTimeout=100
maxSessionTimeout=90000
maxClientCnxns=7
maxCnxns=70
4lw.commands.whitelist=srvr, ruok,
jute.maxbuffer=0xfffff0
extendedTypesEnabled=False
enforceQuota=TRUE
znode.container.checkIntervalMs=250
zookeeper.DigestAuthenticationProvider.superDigest=super:hash=
snapCount=1000
fsync.warningthresholdms=20
preAllocSize=64
autopurge.snapRetainCount=5
autopurge.purgeInterval=24
zkrecipes.compatibility=3.9
)");
  EXPECT_EQ(read.server.tick_time, 1000ms);
  EXPECT_EQ(read.server.port, 2182);
  EXPECT_EQ(read.server.address, "::1");
  EXPECT_EQ(read.server.min_session_timeout, 100ms);
  EXPECT_EQ(read.server.max_session_timeout, 90'000ms);
  EXPECT_EQ(read.server.max_connections_per_address, 7U);
  EXPECT_EQ(read.server.max_connections, 70U);
  EXPECT_EQ(read.server.four_letter_words, (std::vector<std::string>{"srvr", "ruok"}));
  EXPECT_EQ(read.server.max_frame_bytes, 0xfffff0U);
  EXPECT_FALSE(read.server.allow_ttl_nodes);
  EXPECT_TRUE(read.server.enforce_quota);
  EXPECT_EQ(read.server.reap_interval, 250ms);
  EXPECT_EQ(read.server.super_digest, "super:hash=");
  EXPECT_EQ(read.server.compatibility, server_compatibility::apache_3_9);
  EXPECT_EQ(read.server.data_dir, "/var/lib/zookeeper");
  EXPECT_EQ(read.server.data_log_dir, "/var/log/zk");
  EXPECT_EQ(read.server.snap_count, 1000U);
  EXPECT_EQ(read.server.slow_fsync, 20ms);
  EXPECT_EQ(read.pre_alloc_kib, 64);
  EXPECT_EQ(read.server.snapshots_kept, 5U);
  EXPECT_EQ(read.purge_interval, 24h);
}

TEST(zoo_cfg, properties_of_java_may_have_their_prefix) {
  EXPECT_TRUE(settings_of("zookeeper.enforceQuota=true").server.enforce_quota);
  EXPECT_EQ(settings_of("zookeeper.snapCount=7").server.snap_count, 7U);
  EXPECT_EQ(wrong_with("zookeeper.tickTime=7"), "zoo.cfg:1: zookeeper.tickTime: there is no such key");
}

TEST(zoo_cfg, special_values) {
  EXPECT_EQ(settings_of("minSessionTimeout=-1").server.min_session_timeout, std::nullopt);
  EXPECT_EQ(settings_of("maxSessionTimeout=-1").server.max_session_timeout, std::nullopt);
  EXPECT_EQ(settings_of("maxClientCnxns=0").server.max_connections_per_address, 0U);
  EXPECT_EQ(settings_of("clientPortAddress=localhost").server.address, "127.0.0.1");
  EXPECT_EQ(settings_of("4lw.commands.whitelist=*").server.four_letter_words, (std::vector<std::string>{"*"}));
  EXPECT_TRUE(settings_of("4lw.commands.whitelist=").server.four_letter_words.empty());
  EXPECT_EQ(settings_of("tickTime=1\ntickTime=2").server.tick_time, 2ms);
}

TEST(zoo_cfg, lists_what_is_not_needed_once) {
  configuration from;
  ASSERT_EQ(from.read("syncLimit=5\ninitLimit=10\nadmin.idleTimeout=30000\nsyncLimit=6\n"
                      "zookeeper.forceSync=no\nstandaloneEnabled=true\nsslQuorum=false\n",
                      "zoo.cfg"),
            "");
  EXPECT_EQ(from.unneeded(), (std::vector<std::string>{"syncLimit", "initLimit", "admin.idleTimeout",
                                                       "zookeeper.forceSync", "standaloneEnabled", "sslQuorum"}));
}

TEST(zoo_cfg, bad_values_are_named_with_their_line) {
  for (const char* line : {"clientPort=65536",
                           "clientPort=-1",
                           "clientPort=2181x",
                           "clientPort=",
                           "clientPortAddress=example.org",
                           "clientPortAddress=",
                           "dataDir=",
                           "dataLogDir=",
                           "tickTime=0",
                           "tickTime=107374183",
                           "tickTime=2s",
                           "minSessionTimeout=0",
                           "minSessionTimeout=-2",
                           "maxSessionTimeout=2147483648",
                           "maxClientCnxns=-1",
                           "maxClientCnxns=99999999999999999999",
                           "maxCnxns=x",
                           "4lw.commands.whitelist=srvr,RUOK",
                           "4lw.commands.whitelist=srv",
                           "jute.maxbuffer=63",
                           "jute.maxbuffer=0x",
                           "extendedTypesEnabled=yes",
                           "enforceQuota=1",
                           "znode.container.checkIntervalMs=0",
                           "DigestAuthenticationProvider.superDigest=super",
                           "snapCount=1",
                           "preAllocSize=0",
                           "autopurge.snapRetainCount=0",
                           "autopurge.purgeInterval=-1",
                           "zkrecipes.compatibility=3.7"}) {
    const std::string key(line, std::string_view(line).find('='));
    const std::string said = wrong_with("# one\n" + std::string(line) + "\nsnapCount=9");
    EXPECT_EQ(said.rfind("zoo.cfg:2: " + key + ": ", 0), 0U) << line << ": " << said;
    EXPECT_EQ(said.find("no such key"), std::string::npos) << said;
  }
  EXPECT_EQ(wrong_with("clientPort=70000"), "zoo.cfg:1: clientPort: '70000' is no whole number from 0 to 65535");
  EXPECT_EQ(wrong_with("DigestAuthenticationProvider.superDigest=secret").find("secret"), std::string::npos);
}

TEST(zoo_cfg, what_cannot_be_honoured_stops_the_start) {
  for (const char* line :
       {"server.1=a:2888:3888", "group.1=1:2", "weight.1=1", "peerType=observer", "standaloneEnabled=false",
        "dynamicConfigFile=/x", "sslQuorum=true", "quorum.auth.enableSasl=true"}) {
    EXPECT_NE(wrong_with(line).find("ensemble"), std::string::npos) << line;
  }
  EXPECT_NE(wrong_with("secureClientPort=2182").find("TLS"), std::string::npos);
  for (const char* line : {"authProvider.1=x", "zookeeper.authProvider.sasl=x", "requireClientAuthScheme=sasl",
                           "enforce.auth.enabled=true"}) {
    EXPECT_NE(wrong_with(line).find("authentication"), std::string::npos) << line;
  }
  EXPECT_EQ(wrong_with("\ntickTmie=2000"), "zoo.cfg:2: tickTmie: there is no such key");
  EXPECT_EQ(wrong_with("clientport=2181"), "zoo.cfg:1: clientport: there is no such key");
  EXPECT_EQ(wrong_with("\n\na=\\uxxxx").rfind("zoo.cfg:3: ", 0), 0U);
}

TEST(zoo_cfg, later_settings_win_and_are_named) {
  configuration from;
  ASSERT_EQ(from.read("tickTime=1000\nclientPort=2182\n", "a/zoo.cfg"), "");
  ASSERT_EQ(from.set("clientPort", "0", "--port"), "");
  EXPECT_EQ(from.settings().server.port, 0);
  EXPECT_EQ(from.origin("clientPort"), "--port");
  EXPECT_EQ(from.origin("tickTime"), "a/zoo.cfg:1");
  EXPECT_EQ(from.origin("maxCnxns"), "default");
  EXPECT_EQ(from.set("clientPort", "x", "--port"), "--port: 'x' is no whole number from 0 to 65535");
  EXPECT_NE(from.set("no.key", "x", "--port"), "");
}

TEST(zoo_cfg, bounds_of_sessions_must_fit_each_other) {
  configuration from;
  ASSERT_EQ(from.read("minSessionTimeout=50000", "zoo.cfg"), "");
  EXPECT_EQ(from.check(), "zoo.cfg:1: minSessionTimeout: 50000 ms is more than maxSessionTimeout, 40000 ms (default)");
  ASSERT_EQ(from.set("maxSessionTimeout", "50000", "--max-session-timeout"), "");
  EXPECT_EQ(from.check(), "");
}

TEST(zoo_cfg, prints_what_it_reads) {
  configuration from;
  ASSERT_EQ(from.read("tickTime=100\ndataDir=/a\\\\b \\u00fc\nDigestAuthenticationProvider.superDigest=super:hash\n"
                      "4lw.commands.whitelist=srvr,ruok",
                      "zoo.cfg"),
            "");
  const std::string printed = from.print();
  EXPECT_NE(printed.find("# zoo.cfg:1\ntickTime=100\n"), std::string::npos) << printed;
  EXPECT_NE(printed.find("# default\nmaxSessionTimeout=2000\n"), std::string::npos) << printed;
  EXPECT_EQ(printed.find("super:hash"), std::string::npos);

  configuration again;
  ASSERT_EQ(again.read(printed, "printed"), "");
  for (const backend::setting_rule& one : backend::setting_rules()) {
    if (one.secret) continue;
    EXPECT_EQ(one.write(again.settings()), one.write(from.settings())) << one.key;
  }
  EXPECT_EQ(again.settings().server.data_dir, "/a\\b ü");
}

}  // namespace
}  // namespace zkr::testing
