#include <gmock/gmock.h>

#include <optional>

#include "unit/transport/scripted_server.hpp"
#include "unit/transport/transport_fixture.hpp"

// Which servers a session goes to: lists that are changed, and names that move.
namespace zkr::transport {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using kind = session_event::kind;

class c_transport_servers : public transport_test {
 protected:
  ~c_transport_servers() override {
    if (tested) close();  // before the servers
    tested.reset();
  }

  std::vector<kind> kinds() const {
    std::vector<kind> all;
    for (const auto& one : sink.sessions()) all.push_back(one.what);
    return all;
  }

  /// The newest session is the first one, over another connection.
  void expect_same_session() const {
    ASSERT_GE(sink.sessions().size(), 2U);
    EXPECT_EQ(sink.sessions().back().session_id, sink.sessions().front().session_id);
    EXPECT_TRUE(sink.sessions().back().resumed);
  }
};

// libzookeeper alone compares addresses without ports, and would stay.
TEST_F(c_transport_servers, a_new_list_moves_the_session_to_another_port_of_the_same_address) {
  scripted_server one;
  scripted_server other;
  ASSERT_TRUE(open(one.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_TRUE(tested->set_servers(other.address()));
  ASSERT_TRUE(sink.wait_connected(2));
  EXPECT_EQ(ask(wire::remove_request{"/a"}).code, errc::ok);
  expect_same_session();
  EXPECT_THAT(kinds(), ElementsAre(kind::connected, kind::disconnected, kind::connected));
  EXPECT_EQ(one.connections(), 1);
  EXPECT_EQ(other.connections(), 1);
  close();
}

TEST_F(c_transport_servers, there_and_back_again) {
  scripted_server one;
  scripted_server other;
  ASSERT_TRUE(open(one.address()));
  for (std::size_t turn = 1; turn <= 10; ++turn) {
    ASSERT_TRUE(sink.wait_connected(turn));
    EXPECT_EQ(ask(wire::remove_request{"/a"}).code, errc::ok);
    ASSERT_TRUE(tested->set_servers(turn % 2 == 1 ? other.address() : one.address()));
  }
  ASSERT_TRUE(sink.wait_connected(11));
  expect_same_session();
  close();
}

TEST_F(c_transport_servers, a_connection_whose_server_is_still_named_stays) {
  std::optional<scripted_server> one(std::in_place);
  scripted_server other;
  ASSERT_TRUE(open(one->address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_TRUE(tested->set_servers(other.address() + "," + one->address()));
  EXPECT_EQ(ask(wire::remove_request{"/a"}).code, errc::ok);
  EXPECT_EQ(other.connections(), 0);
  EXPECT_THAT(kinds(), ElementsAre(kind::connected));
  one.reset();
  ASSERT_TRUE(sink.wait_connected(2));  // by the new list
  expect_same_session();
  EXPECT_EQ(other.connections(), 1);
  close();
}

TEST_F(c_transport_servers, what_is_outstanding_is_answered_before_the_server_is_left) {
  std::mutex mutex;
  std::optional<std::int32_t> asked;
  scripted_server one({.handshake = {},
                       .request =
                           [&](auto&, const wire::decoded_request& request) {
                             const std::scoped_lock lock(mutex);
                             asked = request.header.xid;
                           },
                       .receive_buffer = 0});
  scripted_server other;
  ASSERT_TRUE(open(one.address()));
  ASSERT_TRUE(sink.wait_connected());
  ASSERT_EQ(tested->submit(1001, wire::remove_request{"/a"}, watch_mode::none), errc::ok);
  ASSERT_TRUE(testing::eventually([&] {
    const std::scoped_lock lock(mutex);
    return asked.has_value();
  }));
  ASSERT_TRUE(tested->set_servers(other.address()));
  // The client keeps what is refused so until the next connection.
  EXPECT_EQ(tested->submit(1002, wire::remove_request{"/b"}, watch_mode::none), errc::overloaded);
  EXPECT_EQ(other.connections(), 0);
  one.send(reply_frame(*asked, wire::empty_reply()));
  EXPECT_EQ(sink.reply(1001)->code, errc::ok);
  ASSERT_TRUE(sink.wait_connected(2));
  EXPECT_EQ(ask(wire::remove_request{"/b"}).code, errc::ok);
  expect_same_session();
  close();
}

TEST_F(c_transport_servers, a_new_list_is_tried_at_once_where_there_is_no_connection) {
  std::optional<scripted_server> one(std::in_place);
  scripted_server other;
  ASSERT_TRUE(open(one->address()));
  ASSERT_TRUE(sink.wait_connected());
  one.reset();
  ASSERT_TRUE(sink.wait([](auto& all) { return all.count(kind::disconnected) == 1; }));
  ASSERT_TRUE(tested->set_servers(other.address()));
  ASSERT_TRUE(sink.wait_connected(2));
  expect_same_session();
  close();
}

TEST_F(c_transport_servers, a_new_list_is_tried_while_the_first_connection_is_made) {
  const reserved_port mute;
  mute.listen();
  scripted_server other;
  options.session_timeout = 60s;
  options.handshake_timeout = 60s;
  ASSERT_TRUE(open(mute.address()));
  ASSERT_TRUE(tested->set_servers(other.address()));
  ASSERT_TRUE(sink.wait_connected());
  close();
}

TEST_F(c_transport_servers, a_bad_list_is_refused_and_the_old_one_stays) {
  scripted_server server;
  ASSERT_TRUE(open(server.address()));
  ASSERT_TRUE(sink.wait_connected());
  EXPECT_EQ(tested->set_servers("").error().code(), errc::invalid_argument);
  EXPECT_EQ(tested->set_servers("127.0.0.1:0").error().code(), errc::invalid_argument);
  const auto unknown = tested->set_servers("no-such-host.invalid:2181");
  EXPECT_EQ(unknown.error().code(), errc::resolve_failed);
  EXPECT_THAT(unknown.error().message(), HasSubstr("no-such-host.invalid"));
  EXPECT_THAT(kinds(), ElementsAre(kind::connected));
  server.cut();
  ASSERT_TRUE(sink.wait_connected(2));
  expect_same_session();
  close();
  EXPECT_EQ(tested->set_servers(server.address()).error().code(), errc::closed);
}

TEST_F(c_transport_servers, watches_and_credentials_move_along) {
  std::mutex mutex;
  std::vector<wire::opcode> seen;
  scripted_server one({.handshake = {}, .request = [&](auto& on, const wire::decoded_request& request) {
                         if (request.header.type == wire::opcode::exists) {
                           return on.send(reply_frame(request.header.xid, wire::stat_reply()));
                         }
                         on.send(reply_frame(request.header.xid, wire::empty_reply()));
                       }});
  scripted_server other({.handshake = {}, .request = [&](auto& on, const wire::decoded_request& request) {
                           const std::scoped_lock lock(mutex);
                           seen.push_back(request.header.type);
                           on.send(reply_frame(request.header.xid, wire::empty_reply()));
                         }});
  ASSERT_TRUE(open(one.address()));
  ASSERT_TRUE(sink.wait_connected());
  EXPECT_EQ(ask(wire::auth_request{0, "digest", "user:secret"}).code, errc::ok);
  EXPECT_EQ(ask(wire::exists_request{"/a"}, watch_mode::one_shot).code, errc::ok);
  ASSERT_TRUE(tested->set_servers(other.address()));
  ASSERT_TRUE(sink.wait_connected(2));
  EXPECT_EQ(ask(wire::remove_request{"/x"}).code, errc::ok);
  close();
  const std::scoped_lock lock(mutex);
  EXPECT_THAT(seen, Contains(wire::opcode::auth));
  EXPECT_THAT(seen, Contains(wire::opcode::set_watches));
}

TEST_F(c_transport_servers, a_name_that_means_another_address_later_is_found) {
  std::optional<scripted_server> one(std::in_place);
  scripted_server other;
  // Shared: a lookup that is under way is not waited for, and may outlive this test.
  const auto moved = std::make_shared<std::atomic<bool>>(false);
  const auto lookups = std::make_shared<std::atomic<int>>(0);
  const auto port = [](const scripted_server& of) { return of.address().substr(of.address().find(':')); };
  options.hosts = "one" + port(*one) + ",other" + port(other);
  options.session_timeout = 3s;
  const auto find = [moved, lookups](const std::string& host) -> result<std::vector<std::string>> {
    ++*lookups;
    if (host == "one") return std::vector<std::string>{"127.0.0.1"};
    return std::vector<std::string>{*moved ? "127.0.0.1" : "127.0.0.2"};  // where nobody listens
  };
  tested = make_c_transport_with(options, sink, clock, {find, [](auto&) {}});
  ASSERT_TRUE(tested->open());
  ASSERT_TRUE(sink.wait_connected());
  const int before = *lookups;
  one.reset();
  ASSERT_TRUE(testing::eventually([&] { return *lookups >= before + 6; }));  // again and again
  EXPECT_EQ(other.connections(), 0);
  *moved = true;
  ASSERT_TRUE(sink.wait_connected(2));
  expect_same_session();
  close();
}

TEST_F(c_transport_servers, a_name_server_that_fails_costs_nothing_that_was_known) {
  scripted_server server;
  const auto broken = std::make_shared<std::atomic<bool>>(false);
  const auto failures = std::make_shared<std::atomic<int>>(0);
  options.hosts = "name" + server.address().substr(server.address().find(':'));
  const auto find = [broken, failures](const std::string&) -> result<std::vector<std::string>> {
    if (!*broken) return std::vector<std::string>{"127.0.0.1"};
    ++*failures;
    return error(errc::resolve_failed, {}, {}, "out of order");
  };
  tested = make_c_transport_with(options, sink, clock, {find, [](auto&) {}});
  ASSERT_TRUE(tested->open());
  ASSERT_TRUE(sink.wait_connected());
  *broken = true;
  server.cut();
  ASSERT_TRUE(sink.wait_connected(2));
  ASSERT_TRUE(testing::eventually([&] { return *failures >= 1; }));
  expect_same_session();
  close();
}

}  // namespace
}  // namespace zkr::transport
