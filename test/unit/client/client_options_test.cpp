#include "zkrecipes/client_options.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace zkr {
namespace {

using namespace std::chrono_literals;

std::string complaint(const result<client_options>& made) {
  if (made) return "none";
  EXPECT_EQ(made.error().code(), errc::invalid_argument);
  return made.error().detail();
}
std::string uri_complaint(std::string_view uri) { return complaint(client_options::from_uri(uri)); }

TEST(client_options_uri, names_hosts_chroot_and_options) {
  const auto made = client_options::from_uri(
      "zk://h1,[::1]:2182/app/%C3%A4?session_timeout=20s&operation_timeout=1500ms&handshake_timeout=1s&loss_timeout=30s"
      "&start=background&on_session_loss=stay_closed&chroot=create&auth=digest:user:pass%26word&auth=ip:&max_in_flight="
      "7&max_watch_bytes=9"
      "&close_timeout=0s&tick_time=2s&follower_timeout=10s&lease_margin=3s&warn_before=4s");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->hosts, "h1,[::1]:2182/app/\xc3\xa4");
  EXPECT_EQ(made->session_timeout, 20s);
  EXPECT_EQ(made->operation_timeout, 1500ms);
  EXPECT_EQ(made->handshake_timeout, 1s);
  EXPECT_EQ(made->loss_timeout, 30s);
  EXPECT_EQ(made->start, start_mode::background);
  EXPECT_EQ(made->on_session_loss, session_loss::stay_closed);
  EXPECT_EQ(made->chroot, missing_chroot::create);
  ASSERT_EQ(made->auth.size(), 2U);
  EXPECT_EQ(made->auth[0].scheme, "digest");
  EXPECT_EQ(made->auth[0].credentials, "user:pass&word");
  EXPECT_EQ(made->auth[1].scheme, "ip");
  EXPECT_EQ(made->max_in_flight, 7U);
  EXPECT_EQ(made->max_watch_bytes, 9U);
  EXPECT_EQ(made->close_timeout, 0s);
  EXPECT_EQ(made->tick_time, 2s);
  EXPECT_EQ(made->follower_timeout, 10s);
  EXPECT_EQ(made->lease_margin, 3s);
  EXPECT_EQ(made->warn_before, 4s);
}

TEST(client_options_uri, what_is_not_named_has_its_default) {
  const auto made = client_options::from_uri("zk://h");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->hosts, "h");
  EXPECT_EQ(made->session_timeout, client_options().session_timeout);
  EXPECT_EQ(made->loss_timeout, std::nullopt);
  EXPECT_TRUE(client_options::from_uri("zk://h?"));
}

TEST(client_options_uri, what_is_wrong_is_named) {
  EXPECT_EQ(uri_complaint("http://h"), "uri: must begin with zk://");
  EXPECT_EQ(uri_complaint("zk://"), "hosts: no server is named");
  EXPECT_EQ(uri_complaint("zk://user:pw@h"), "uri: hosts: no user and password there; see auth");
  EXPECT_EQ(uri_complaint("zk://h?sesion_timeout=1s"), "uri: 'sesion_timeout' is no option");
  EXPECT_EQ(uri_complaint("zk://h?hosts=b"), "uri: 'hosts' is no option");
  EXPECT_EQ(uri_complaint("zk://h?start"), "uri: 'start' has no value");
  EXPECT_EQ(uri_complaint("zk://h?&start=wait"), "uri: '' is no option");
  EXPECT_EQ(uri_complaint("zk://h?start=wait&start=wait"), "uri: 'start' stands there twice");
  EXPECT_EQ(uri_complaint("zk://h?start=now"), "uri: start: must be wait or background");
  EXPECT_EQ(uri_complaint("zk://h?chroot=yes"), "uri: chroot: must be fail or create");
  EXPECT_EQ(uri_complaint("zk://h?on_session_loss="), "uri: on_session_loss: must be reopen or stay_closed");
  EXPECT_EQ(uri_complaint("zk://h?session_timeout=10"),
            "uri: session_timeout: must be a whole number with a unit, as 500ms or 10s");
  EXPECT_EQ(uri_complaint("zk://h?session_timeout=0s"), "session_timeout: must be 1 ms to 24 days");
  EXPECT_EQ(uri_complaint("zk://h?max_in_flight=-1"), "uri: max_in_flight: must be a whole number");
  EXPECT_EQ(uri_complaint("zk://h?max_in_flight=1x"), "uri: max_in_flight: must be a whole number");
  EXPECT_EQ(uri_complaint("zk://h?max_in_flight=20000"), "max_in_flight: must be 1 to 16384");
  EXPECT_EQ(uri_complaint("zk://h?max_watch_bytes=0"), "max_watch_bytes: must be 1 to 100000000");
  EXPECT_EQ(uri_complaint("zk://h/a//b"), uri_complaint("zk://h/a%2F%2Fb"));
  for (const auto* bad : {"%", "%2", "%zz", "%00", "%+1"}) {
    EXPECT_NE(uri_complaint(std::string("zk://h?auth=a:") + bad).find("two hexadecimal digits"), std::string::npos)
        << bad;
    EXPECT_NE(uri_complaint(std::string("zk://h/") + bad).find("two hexadecimal digits"), std::string::npos) << bad;
  }
  EXPECT_EQ(uri_complaint("zk://h?a\x1b[2J=1"), "uri: 'a...' is no option");
}

TEST(client_options_uri, secrets_are_not_repeated) {
  for (const auto* bad : {"zk://h?auth=hunter2", "zk://h?auth=:hunter2", "zk://h?auth=digest:u:hunter2%",
                          "zk://h?auth=digest:u:hunter2&start=hunter2", "zk://u:hunter2@h"}) {
    EXPECT_EQ(uri_complaint(bad).find("hunter2"), std::string::npos) << uri_complaint(bad);
  }
}

/// An environment variable while it lives.
class variable {
 public:
  variable(std::string name, const char* value) : name_(std::move(name)) { ::setenv(name_.c_str(), value, 1); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
};

TEST(client_options_environment, names_hosts_and_options) {
  const variable hosts("OPTS_SERVERS", "h1,h2/app");
  const variable timeout("OPTS_SESSION_TIMEOUT", "20s");
  const variable auth("OPTS_AUTH", "digest:u:p%");
  const auto made = client_options::from_env("OPTS_");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->hosts, "h1,h2/app");
  EXPECT_EQ(made->session_timeout, 20s);
  ASSERT_EQ(made->auth.size(), 1U);
  EXPECT_EQ(made->auth[0].credentials, "u:p%");
}

TEST(client_options_environment, what_is_wrong_is_named) {
  EXPECT_EQ(complaint(client_options::from_env("")), "environment: the prefix must not be empty");
  {
    const variable odd("OPTS_SESSION_TIMOUT", "1s");
    EXPECT_EQ(complaint(client_options::from_env("OPTS_")), "environment: 'OPTS_SESSION_TIMOUT' stands for no option");
  }
  {
    const variable odd("OPTS_start", "wait");
    EXPECT_EQ(complaint(client_options::from_env("OPTS_")), "environment: 'OPTS_start' stands for no option");
  }
  const variable bad("OPTS_START", "hunter2");
  EXPECT_EQ(complaint(client_options::from_env("OPTS_")), "environment: OPTS_START: must be wait or background");
}

TEST(client_options_environment, what_the_tool_gives_its_commands_is_passed_over) {
  const variable token("ZKR_FENCING_TOKEN", "1");
  const variable path("ZKR_PATH", "/a");
  const variable other("OPTS_PATH", "/a");
  const auto made = client_options::from_env();
  EXPECT_EQ(complaint(made).find("ZKR_FENCING_TOKEN"), std::string::npos);
  EXPECT_EQ(complaint(made).find("ZKR_PATH"), std::string::npos);
  EXPECT_EQ(complaint(client_options::from_env("OPTS_")), "environment: 'OPTS_PATH' stands for no option");
}

}  // namespace
}  // namespace zkr
