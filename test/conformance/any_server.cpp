#include "conformance/any_server.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "support/apache_server.hpp"
#include "zkrecipes/acl.hpp"
#include "zkrecipes/client.hpp"
#include "zkrecipes/server.hpp"

namespace zkr::testing {
namespace {

using namespace std::chrono_literals;

std::string super_digest() { return digest_id("super", "secret"); }

/// Started before the first test, ended after the last.
class environment final : public ::testing::Environment {
 public:
  void SetUp() override {
    if (server_is_apache()) {
      apache = std::make_unique<apache_server>(
          250ms, std::vector<std::string>{"zookeeper.enforceQuota=true", "znode.container.checkIntervalMs=200",
                                          "zookeeper.DigestAuthenticationProvider.superDigest=" + super_digest()});
      address = apache->connect_string();
    } else {
      bundled.emplace(server::start({.tick_time = 250ms,
                                     .reap_interval = 200ms,
                                     .max_connections_per_address = 0,
                                     .enforce_quota = true,
                                     .super_digest = super_digest()})
                          .value());
      address = bundled->connect_string();
    }
  }
  void TearDown() override {
    apache.reset();
    bundled.reset();
  }

  std::unique_ptr<apache_server> apache;
  std::optional<server> bundled;
  std::string address;
};

environment* const the_environment = dynamic_cast<environment*>(::testing::AddGlobalTestEnvironment(new environment));

}  // namespace

bool server_is_apache() {
  const char* kind = std::getenv("ZKR_TEST_SERVER");
  return kind != nullptr && std::string_view(kind) == "apache";
}

const std::string& server_under_test() { return the_environment->address; }

std::string own_folder() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto path = "/" + std::string(test->test_suite_name()) + "." + test->name();
  auto zk = client::connect({.hosts = server_under_test()}).value();
  (void)zk.create(path);
  return path;
}

}  // namespace zkr::testing
