#include <gtest/gtest.h>

#include "client/access.hpp"

// Requests that a transport does not take: they have not left, so none of them may fail for it, and none be forgotten.
namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

/// Answers everything, but for the first `refusals` requests: it takes none of them, and loses and finds its connection
/// while it is asked.
class reluctant final : public transport::transport {
 public:
  reluctant(zkr::transport::sink& told, scheduler& clock, errc refusal, int refusals)
      : told_(told), clock_(clock), refusal_(refusal), left_(refusals) {}

  [[nodiscard]] zkr::transport::capabilities what_it_can() const noexcept override { return {.resends_auth = true}; }
  result<void> open() override {
    clock_.post([this] { connect(); });
    return {};
  }
  errc submit(std::uint64_t id, const wire::request& of, zkr::transport::watch_mode) override {
    if (left_ > 0) {
      --left_;
      told_.on_session_event({.connection = connection_, .at = clock_.now()});
      connect();
      return refusal_;
    }
    const bool looks = std::holds_alternative<wire::exists_request>(of);  // connect() does
    clock_.post([this, id, looks] {
      const zkr::transport::reply_info info{
          .connection = connection_, .submitted = clock_.now(), .received = clock_.now()};
      told_.on_reply(id, errc::ok, looks ? wire::reply(wire::stat_reply()) : wire::reply(wire::empty_reply()), info);
    });
    return errc::ok;
  }
  result<void> set_servers(const std::string&) override { return {}; }
  void close(unique_function<void()> done) override { clock_.post(std::move(done)); }

 private:
  void connect() {
    using kind = zkr::transport::session_event::kind;
    told_.on_session_event({.what = kind::connected,
                            .connection = ++connection_,
                            .at = clock_.now(),
                            .session_id = 1,
                            .session_timeout = 10s,
                            .resumed = connection_ > 1,
                            .handshake_submitted = clock_.now()});
  }

  zkr::transport::sink& told_;
  scheduler& clock_;
  const errc refusal_;
  int left_;
  std::uint64_t connection_ = 0;
};

class refusals : public ::testing::TestWithParam<errc> {};

TEST_P(refusals, of_a_connection_that_has_been_found_again_meanwhile) {
  auto connected = client_access::connect(
      {}, [](const zkr::transport::transport_options&, zkr::transport::sink& told, scheduler& clock) {
        return std::make_unique<reluctant>(told, clock, GetParam(), 3);
      });
  ASSERT_TRUE(connected) << connected.error().message();
  const auto added = connected->add_auth("digest", "user:secret", {.timeout = 10s});
  EXPECT_TRUE(added) << added.error().message();
  const auto removed = connected->remove("/a", any_version, {.timeout = 10s});
  EXPECT_TRUE(removed) << removed.error().message();
  EXPECT_EQ(connected->session().connection, 4U);
}

INSTANTIATE_TEST_SUITE_P(all, refusals,
                         ::testing::Values(errc::connection_loss, errc::invalid_state, errc::overloaded, errc::closing),
                         [](const auto& one) { return std::string(to_string(one.param)); });

}  // namespace
}  // namespace zkr::detail
