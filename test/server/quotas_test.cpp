#include "server/quotas.hpp"

#include <gtest/gtest.h>

#include "server/processor_harness.hpp"

// Limits and usage below /zookeeper/quota.
namespace zkr::testing {
namespace {

using backend::parse_quota;
using wire::opcode;

backend::processor_options enforcing() {
  auto options = processor_harness::fast();
  options.quota = backend::quota_limits::enforced;
  return options;
}

class quotas : public ::testing::Test {
 protected:
  explicit quotas(backend::processor_options options = processor_harness::fast()) : server(std::move(options)) {}

  // As zkCli's setquota does, for a node below the root.
  void limit(const std::string& path, std::string_view text) {
    std::string made = "/zookeeper/quota";
    for (std::size_t end = 0; end != std::string::npos;) {
      end = path.find('/', end + 1);
      client.create("/zookeeper/quota" + path.substr(0, end));
    }
    made += path;
    ASSERT_EQ(client.create(made + "/zookeeper_limits", text).code(), errc::ok);
    ASSERT_EQ(client.create(made + "/zookeeper_stats", "count=-1,bytes=-1").code(), errc::ok);
  }
  std::string usage(const std::string& path) {
    const incoming read = client.get("/zookeeper/quota" + path + "/zookeeper_stats");
    return std::string(std::get<wire::get_data_reply>(read.as(opcode::get_data)).data.value_or("(null)"));
  }

  processor_harness server;
  processor_harness::client client = server.connect();
};
class enforced_quotas : public quotas {
 protected:
  enforced_quotas() : quotas(enforcing()) {}
};

TEST(quota_figures, are_read_as_apache_writes_them) {
  const auto limits = parse_quota("count=10,bytes=-1=;byteHardLimit=2000;countHardLimit=-1");
  EXPECT_EQ(limits.count, 10);
  EXPECT_EQ(limits.bytes, -1);
  EXPECT_EQ(limits.byte_hard_limit, 2000);
  EXPECT_EQ(limits.count_hard_limit, -1);
  EXPECT_EQ(parse_quota("count=5,bytes=4").bytes, 4);
  for (const char* odd : {"", "count", "count=", "count=x", "count=99999999999999999999", "=,;=", ",,,;"}) {
    EXPECT_EQ(parse_quota(odd).count, -1) << odd;
  }
}

TEST_F(quotas, count_what_is_there_and_what_comes_and_goes) {
  client.create("/a", "1234");
  client.create("/a/b", "12");
  client.create("/a/b/c", "1");
  client.create("/other", "123456789");
  limit("/a", "count=3,bytes=10");
  EXPECT_EQ(usage("/a"), "count=3,bytes=7");
  client.create("/a/d", "12345");
  EXPECT_EQ(usage("/a"), "count=4,bytes=12") << "soft limits warn, and nothing warns here";
  client.set("/a/d", "1");
  EXPECT_EQ(usage("/a"), "count=4,bytes=8");
  client.remove("/a/b/c");
  EXPECT_EQ(usage("/a"), "count=3,bytes=7");
  client.create("/ab", "12345");
  client.create("/other/x", "12345");
  EXPECT_EQ(usage("/a"), "count=3,bytes=7");
}

TEST_F(quotas, the_nearest_limit_counts) {
  client.create("/a");
  client.create("/a/b");
  limit("/a", "count=10,bytes=-1");
  limit("/a/b", "count=10,bytes=-1");
  client.create("/a/b/c", "1");
  client.create("/a/d", "12");
  EXPECT_EQ(usage("/a/b"), "count=2,bytes=1");
  EXPECT_EQ(usage("/a"), "count=3,bytes=2");
  client.remove("/zookeeper/quota/a/b/zookeeper_limits");
  client.create("/a/b/e", "123");
  EXPECT_EQ(usage("/a/b"), "count=2,bytes=1");
  EXPECT_EQ(usage("/a"), "count=4,bytes=5");
}

TEST_F(quotas, usage_changes_in_place) {
  client.create("/a");
  limit("/a", "count=3,bytes=10");
  const stat_t before = client.stat("/zookeeper/quota/a/zookeeper_stats");
  client.get("/zookeeper/quota/a/zookeeper_stats", true);
  client.create("/a/b", "0123456789");
  stat_t after = client.stat("/zookeeper/quota/a/zookeeper_stats");
  EXPECT_EQ(after.data_length, 16);
  after.data_length = before.data_length;
  EXPECT_EQ(after, before);
  EXPECT_TRUE(client.events().empty());
}

TEST_F(quotas, ends_of_sessions_and_containers_count) {
  client.create("/a");
  limit("/a", "count=9,bytes=9");
  auto other = server.connect();
  other.create("/a/e", "12", wire::create_flags::ephemeral);
  EXPECT_EQ(usage("/a"), "count=2,bytes=2");
  server.core.expire(other.session(), server.now);
  EXPECT_EQ(usage("/a"), "count=1,bytes=0");
}

TEST_F(quotas, of_the_root_and_without_figures_have_no_effect) {
  client.create("/zookeeper/quota/zookeeper_limits", "countHardLimit=1");
  EXPECT_EQ(client.create("/zookeeper/quota/zookeeper_stats", "x").code(), errc::ok);
  EXPECT_EQ(client.create("/a").code(), errc::ok);
  client.create("/zookeeper/quota/a");
  client.create("/zookeeper/quota/a/zookeeper_limits", "nonsense");
  EXPECT_EQ(client.create("/a/b", "1").code(), errc::ok) << "no figures of usage";
  client.create("/zookeeper/quota/gone");
  client.create("/zookeeper/quota/gone/zookeeper_stats", "");
  EXPECT_EQ(usage("/gone"), "count=0,bytes=0");
}

TEST_F(quotas, hard_limits_are_ignored_by_default) {
  client.create("/a");
  limit("/a", "count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=1");
  EXPECT_EQ(client.create("/a/b", "12345").code(), errc::ok);
  EXPECT_EQ(client.set("/a", "12345").code(), errc::ok);
}

TEST_F(enforced_quotas, refuse_what_exceeds_a_hard_limit) {
  client.create("/a");
  limit("/a", "count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=3");
  EXPECT_EQ(client.create("/a/b", "123456").code(), errc::quota_exceeded);
  EXPECT_EQ(client.create("/a/b", "12345").code(), errc::ok);
  EXPECT_EQ(client.set("/a/b", "123456").code(), errc::quota_exceeded);
  EXPECT_EQ(client.set("/a/b", "54321").code(), errc::ok) << "not more than before";
  EXPECT_EQ(client.create("/a/c", "1").code(), errc::quota_exceeded);
  EXPECT_EQ(client.create("/a/c", "").code(), errc::ok);
  EXPECT_EQ(client.create("/a/d", "").code(), errc::quota_exceeded) << "the third below /a";
  EXPECT_EQ(client.remove("/a/c"), errc::ok);
  EXPECT_EQ(client.create("/a/d", "").code(), errc::ok);
  EXPECT_EQ(usage("/a"), "count=3,bytes=5");
}

TEST_F(enforced_quotas, come_after_all_other_checks_of_create_and_before_the_version_of_set) {
  client.create("/a");
  client.create("/a/b");
  limit("/a", "countHardLimit=1,byteHardLimit=0");
  EXPECT_EQ(client.create("/a/b", "").code(), errc::node_exists);
  EXPECT_EQ(client.create("/a/c", "").code(), errc::quota_exceeded);
  EXPECT_EQ(client.set("/a/b", "1", 77).code(), errc::quota_exceeded);
  EXPECT_EQ(client.set("/a/none", "1").code(), errc::no_node);
}

TEST_F(enforced_quotas, soft_limits_refuse_nothing) {
  client.create("/a");
  limit("/a", "count=1,bytes=1");
  EXPECT_EQ(client.create("/a/b", "12345").code(), errc::ok);
}

TEST_F(quotas, a_path_of_a_hundred_thousand_elements_costs_little) {
  client.create("/a");
  limit("/a", "count=1,bytes=1");
  std::string deep = "/b";
  for (int i = 0; i < 100'000; ++i) deep += "/b";
  EXPECT_EQ(client.set(deep, "").code(), errc::no_node);
  EXPECT_FALSE(backend::exceeded_quota(server.core.state().nodes(), deep, 1, 1));
}

}  // namespace
}  // namespace zkr::testing
