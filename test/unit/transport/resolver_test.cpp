#include "transport/resolver.hpp"

#include <gmock/gmock.h>

#include <map>

namespace zkr::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST(parse_hosts, takes_names_and_addresses_with_and_without_port) {
  const auto parsed = parse_hosts("zk1:2182, zk2 ,10.0.0.1:65535,[::1]:2183,[fe80::1%eth0],my_zoo-3.example");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
  EXPECT_THAT(*parsed, ElementsAre(server_name{"zk1", 2182}, server_name{"zk2", 2181}, server_name{"10.0.0.1", 65535},
                                   server_name{"::1", 2183}, server_name{"fe80::1%eth0", 2181},
                                   server_name{"my_zoo-3.example", 2181}));
}

TEST(parse_hosts, names_the_bad_entry) {
  const std::map<std::string, std::string> bad{
      {"", "an entry is empty"},
      {"zk1,,zk2", "an entry is empty"},
      {"zk1,", "an entry is empty"},
      {"zk1:", "\"zk1:\": the port"},
      {"zk1:0", "the port"},
      {"zk1:65536", "the port"},
      {"zk1:0x885", "the port"},
      {"zk1:21 81", "the port"},
      {"zk1:-1", "the port"},
      {"zk1:+1", "the port"},
      {":2181", "not a host name"},
      {"zk1/app", "not a host name"},
      {"zk 1", "not a host name"},
      {"::1", "in brackets"},
      {"fe80::1:2181", "in brackets"},
      {"[::1", "']' is missing"},
      {"[]:2181", "not an IPv6 address"},
      {"[zk1]:2181", "not an IPv6 address"},
      {"[10.0.0.1]:2181", "not an IPv6 address"},
      {"[::1]2181", "may follow"},
      {"[::1]:", "the port"},
      {"zk1;zk2", "not a host name"},
  };
  for (const auto& [hosts, why] : bad) {
    const auto parsed = parse_hosts(hosts);
    ASSERT_FALSE(parsed.has_value()) << hosts;
    EXPECT_EQ(parsed.error().code(), errc::invalid_argument) << hosts;
    EXPECT_THAT(parsed.error().message(), HasSubstr(why)) << hosts;
  }
}

resolver fixed(std::map<std::string, std::vector<std::string>> names) {
  return {[names = std::move(names)](const std::string& host) -> result<std::vector<std::string>> {
            const auto found = names.find(host);
            if (found == names.end()) return error(errc::resolve_failed, {}, {}, host + ": no such name");
            return found->second;
          },
          [](auto&) {}};
}

TEST(resolve, takes_all_families_and_drops_duplicates) {
  const auto found = resolve({{"localhost", 2181}, {"alias", 2181}, {"alias", 2182}},
                             fixed({{"localhost", {"127.0.0.1", "::1"}}, {"alias", {"127.0.0.1"}}}));
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(found->addresses, ElementsAre(server_address{"127.0.0.1", 2181}, server_address{"::1", 2181},
                                            server_address{"127.0.0.1", 2182}));
  EXPECT_TRUE(found->problems.empty());
}

TEST(resolve, goes_on_with_the_names_that_are_known) {
  const auto found = resolve({{"gone", 2181}, {"here", 2181}}, fixed({{"here", {"10.0.0.1"}}}));
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(found->addresses, ElementsAre(server_address{"10.0.0.1", 2181}));
  EXPECT_THAT(found->problems, ElementsAre("gone: no such name"));
}

TEST(resolve, fails_where_no_name_is_known_and_names_the_first) {
  const auto found = resolve({{"gone", 2181}, {"lost", 2181}}, fixed({}));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), errc::resolve_failed);
  EXPECT_THAT(found.error().message(), HasSubstr("gone"));
}

TEST(resolve, arranges_once) {
  auto how = fixed({{"a", {"10.0.0.1", "10.0.0.2", "10.0.0.3"}}});
  how.arrange = [](auto& all) { std::swap(all.front(), all.back()); };
  const auto found = resolve({{"a", 1}}, how);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->addresses.front().ip, "10.0.0.3");
}

TEST(look_up, knows_numeric_addresses_and_this_host) {
  EXPECT_THAT(look_up("127.0.0.1").value(), ElementsAre("127.0.0.1"));
  EXPECT_THAT(look_up("::1").value(), ElementsAre("::1"));
  EXPECT_THAT(look_up("localhost").value(), ::testing::Contains(::testing::AnyOf("127.0.0.1", "::1")));
}

TEST(look_up, names_what_it_does_not_find) {
  const auto found = look_up("no-such-host.invalid");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), errc::resolve_failed);
  EXPECT_THAT(found.error().message(), HasSubstr("no-such-host.invalid"));
}

TEST(shuffle, keeps_all_and_gives_each_its_turn_at_the_front) {
  const std::vector<server_address> all{{"10.0.0.1", 1}, {"10.0.0.2", 1}, {"10.0.0.3", 1}};
  std::map<std::string, int> first;
  for (int i = 0; i < 300; ++i) {
    auto some = all;
    shuffle(some);
    EXPECT_THAT(some, UnorderedElementsAre(all[0], all[1], all[2]));
    ++first[some.front().ip];
  }
  EXPECT_EQ(first.size(), 3U);  // 3 * (2/3)^300: never otherwise
}

TEST(in_order_of, keeps_the_order_and_puts_new_ones_last) {
  const std::vector<server_address> before{{"10.0.0.3", 1}, {"10.0.0.1", 1}, {"10.0.0.2", 1}};
  EXPECT_THAT(in_order_of(before, {{"10.0.0.9", 1}, {"10.0.0.1", 1}, {"10.0.0.8", 1}, {"10.0.0.3", 1}}),
              ElementsAre(server_address{"10.0.0.3", 1}, server_address{"10.0.0.1", 1}, server_address{"10.0.0.9", 1},
                          server_address{"10.0.0.8", 1}));
}

TEST(connect_string, is_of_odd_length_and_begins_where_it_is_told) {
  const std::vector<server_address> three{{"10.0.0.1", 1}, {"::1", 2}, {"10.0.0.3", 3}};
  EXPECT_EQ(connect_string(three, 0), "10.0.0.1:1,::1:2,10.0.0.3:3");
  EXPECT_EQ(connect_string(three, 4), "::1:2,10.0.0.3:3,10.0.0.1:1");
  const std::vector<server_address> two{{"10.0.0.1", 1}, {"10.0.0.2", 2}};
  EXPECT_EQ(connect_string(two, 0), "10.0.0.1:1,10.0.0.2:2,10.0.0.1:1");
  EXPECT_EQ(connect_string(two, 1), "10.0.0.2:2,10.0.0.1:1,10.0.0.2:2");
  EXPECT_EQ(connect_string({{"10.0.0.1", 1}}, 7), "10.0.0.1:1");
}

}  // namespace
}  // namespace zkr::transport
