#include "conformance/wire_client.hpp"

// Quotas, with hard limits in force.
namespace zkr::testing {
namespace {

using wire::opcode;

class quotas_conformance : public wire_conformance {
 protected:
  // As zkCli's setquota does.
  void limit(std::string_view path, std::string_view text) {
    std::string made = "/zookeeper/quota";
    for (std::size_t from = 0; from < path.size();) {
      const std::size_t end = std::min(path.find('/', from + 1), path.size());
      made.append(path.substr(from, end - from));
      zk.create(made);
      from = end;
    }
    EXPECT_EQ(zk.create(made + "/zookeeper_limits", text).code(), errc::ok);
    EXPECT_EQ(zk.create(made + "/zookeeper_stats", "count=-1,bytes=-1").code(), errc::ok);
  }
  std::string usage(const std::string& path) {
    const incoming read = zk.get("/zookeeper/quota" + path + "/zookeeper_stats");
    const wire::reply body = read.as(opcode::get_data);
    return std::string(std::get<wire::get_data_reply>(body).data.value_or("(null)"));
  }
};

TEST_F(quotas_conformance, usage_is_counted_in_place) {
  zk.create(at("a"), "1234");
  zk.create(at("a/b"), "12");
  limit(folder, "count=3,bytes=10");
  EXPECT_EQ(usage(folder), "count=3,bytes=6");
  const std::string node = "/zookeeper/quota" + folder + "/zookeeper_stats";
  const stat_t before = zk.stat(node);
  zk.get(node, true);
  zk.create(at("c"), "12345");
  EXPECT_EQ(usage(folder), "count=4,bytes=11") << "soft limits refuse nothing";
  zk.set(at("c"), "1");
  EXPECT_EQ(usage(folder), "count=4,bytes=7");
  zk.remove(at("a/b"));
  EXPECT_EQ(usage(folder), "count=3,bytes=5");
  stat_t after = zk.stat(node);
  EXPECT_EQ(after.data_length, 15);
  after.data_length = before.data_length;
  EXPECT_EQ(after, before);
  EXPECT_TRUE(zk.events().empty());
}

TEST_F(quotas_conformance, the_nearest_limit_counts) {
  zk.create(at("a"));
  limit(folder, "count=100,bytes=-1");
  limit(at("a"), "count=100,bytes=-1");
  zk.create(at("a/b"), "1");
  zk.create(at("c"), "12");
  EXPECT_EQ(usage(at("a")), "count=2,bytes=1");
  EXPECT_EQ(usage(folder), "count=3,bytes=2");
  EXPECT_EQ(zk.remove("/zookeeper/quota" + at("a") + "/zookeeper_limits"), errc::ok);
  zk.create(at("a/d"), "123");
  EXPECT_EQ(usage(at("a")), "count=2,bytes=1");
  EXPECT_EQ(usage(folder), "count=4,bytes=5");
}

TEST_F(quotas_conformance, hard_limits_refuse) {
  zk.create(at("a"), "1");
  limit(folder, "count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=3");
  EXPECT_EQ(zk.create(at("b"), "12345").code(), errc::quota_exceeded);
  EXPECT_EQ(zk.create(at("b"), "1234").code(), errc::ok);
  EXPECT_EQ(zk.create(at("c")).code(), errc::quota_exceeded);
  EXPECT_EQ(zk.create(at("b")).code(), errc::node_exists);
  EXPECT_EQ(zk.set(at("b"), "12345").code(), errc::quota_exceeded);
  EXPECT_EQ(zk.set(at("b"), "12345", 77).code(), errc::quota_exceeded) << "before the version";
  EXPECT_EQ(zk.set(at("b"), "4321").code(), errc::ok);
  const std::string x = at("a");
  const auto results = zk.multi({wire::remove_request{x, -1}, wire::set_data_request{at("b"), "12345", -1}});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(std::get<wire::error_result>(results[1]).code, errc::quota_exceeded)
      << "measured against what was used before the multi";
}

}  // namespace
}  // namespace zkr::testing
