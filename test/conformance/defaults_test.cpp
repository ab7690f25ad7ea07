#include <memory>
#include <optional>

#include "conformance/wire_client.hpp"
#include "support/apache_server.hpp"
#include "support/eventually.hpp"
#include "zkrecipes/server.hpp"

// Servers of their own: fresh, and with what the other tests' server has switched on or off the other way round. Hard
// limits of quotas are not in force, there are no TTL nodes, one word is answered, an address has four connections.
namespace zkr::testing {
namespace {

using namespace std::chrono_literals;
using wire::create_flags;
using wire::opcode;

class own_server {
 public:
  own_server() {
    if (server_is_apache()) {
      apache_ = std::make_unique<apache_server>(
          250ms, std::vector<std::string>(),
          std::vector<std::string>{"maxClientCnxns=4", "4lw.commands.whitelist=srvr", "extendedTypesEnabled=false"});
    } else {
      bundled_.emplace(server::start({.tick_time = 250ms,
                                      .max_connections_per_address = 4,
                                      .four_letter_words = {"srvr"},
                                      .allow_ttl_nodes = false})
                           .value());
    }
  }
  [[nodiscard]] server_port port() const { return {apache_ != nullptr ? apache_->port() : bundled_->port()}; }

 private:
  std::unique_ptr<apache_server> apache_;
  std::optional<server> bundled_;
};

class defaults_conformance : public ::testing::Test {
 protected:
  // One for all: Apache needs seconds to start.
  static void SetUpTestSuite() { one_ = std::make_unique<own_server>(); }
  static void TearDownTestSuite() { one_.reset(); }
  static server_port port() { return one_->port(); }

 private:
  static std::unique_ptr<own_server> one_;
};

std::unique_ptr<own_server> defaults_conformance::one_;

TEST(fresh_conformance, a_tree_of_which_nobody_has_changed_anything) {
  const own_server fresh;
  wire_client zk(fresh.port());
  const incoming first = zk.exists("/");
  EXPECT_EQ(first.header.zxid, 1) << "that of the session";
  const stat_t root = first.stat(opcode::exists);
  EXPECT_EQ(root, (stat_t{.cversion = -1, .num_children = 1}));
  EXPECT_EQ(zk.stat("/zookeeper"), (stat_t{.cversion = -2, .num_children = 2}));
  EXPECT_EQ(zk.stat("/zookeeper/quota"), stat_t());
  EXPECT_EQ(zk.stat("/zookeeper/config"), (stat_t{.aversion = -1}));
  EXPECT_EQ(zk.create("/a").header.zxid, 2);
  EXPECT_EQ(zk.stat("/").cversion, 0);
}

TEST_F(defaults_conformance, limits_of_quotas_refuse_nothing_and_usage_is_counted) {
  wire_client zk(port());
  const std::string quota = "/zookeeper/quota/q";
  zk.create("/q", "12");
  zk.create(quota);
  EXPECT_EQ(zk.create(quota + "/zookeeper_limits", "count=1,bytes=1=;byteHardLimit=3;countHardLimit=1").code(),
            errc::ok);
  EXPECT_EQ(zk.create(quota + "/zookeeper_stats", "count=-1,bytes=-1").code(), errc::ok);
  EXPECT_EQ(zk.create("/q/a", "12345").code(), errc::ok);
  EXPECT_EQ(zk.set("/q", "1234567").code(), errc::ok);
  const incoming read = zk.get(quota + "/zookeeper_stats");
  const wire::reply body = read.as(opcode::get_data);
  EXPECT_EQ(std::get<wire::get_data_reply>(body).data.value_or(""), "count=2,bytes=12");
}

TEST_F(defaults_conformance, there_are_no_ttl_nodes) {
  wire_client zk(port());
  EXPECT_EQ(zk.call(wire::create_request{opcode::create_ttl, "/ttl", "", open_acl(), 5, 1000}).code(),
            errc::unimplemented);
  EXPECT_EQ(zk.call(wire::create_request{opcode::create2, "/ttl", "", open_acl(), 5}).code(), errc::unimplemented);
  EXPECT_EQ(zk.call(wire::create_request{opcode::create, "/ttl", "", open_acl(), 6}).code(), errc::unimplemented);
  EXPECT_EQ(zk.create("/container", "", create_flags::container).code(), errc::ok);
}

TEST_F(defaults_conformance, words_that_are_not_listed_are_refused) {
  const auto ask = [](std::string_view word) {
    raw_client client(port().number);
    client.send(word);
    return client.receive_all();
  };
  EXPECT_EQ(ask("ruok"), "ruok is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(ask("isro"), "isro is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(ask("srvr").substr(0, 10), "Zookeeper ");
}

TEST_F(defaults_conformance, connections_beyond_the_limit_of_an_address_are_closed) {
  const auto serves = [](std::optional<wire_client>& client) {
    client.emplace(port());
    return client->session_id != 0;
  };
  std::optional<wire_client> four[4];
  for (auto& one : four) {
    // Those of other tests may not be gone yet.
    EXPECT_TRUE(eventually([&] { return serves(one); }));
  }
  {
    raw_client fifth(port().number);
    EXPECT_TRUE(fifth.is_closed());
  }
  EXPECT_EQ(four[0]->exists("/").code(), errc::ok);
  four[3].reset();
  EXPECT_TRUE(eventually([&] { return serves(four[3]); }));
}

}  // namespace
}  // namespace zkr::testing
