#include <gtest/gtest.h>

#include <algorithm>

#include "core/virtual_scheduler.hpp"
#include "server/listener.hpp"
#include "server/memory_network.hpp"
#include "server/storage/record_codec.hpp"

// What tells of a transaction leaves when the transaction is on the disk, and not before.
namespace zkr::testing {
namespace {

using namespace backend;

std::int64_t fixed_wall_ms() { return 1'700'000'000'000; }

/// A disk that the test moves.
class slow_journal final : public journal {
 public:
  void append(const transaction& what) override {
    last = what.header.zxid;
    std::string payload;
    append_payload(payload, what);
    largest_bytes = std::max(largest_bytes, payload.size());
  }
  void submit() override { submitted = last; }
  [[nodiscard]] std::int64_t durable() const noexcept override { return on_disk; }
  [[nodiscard]] bool is_behind() const noexcept override { return behind; }

  std::size_t largest_bytes = 0;
  std::int64_t last = 0;
  std::int64_t submitted = 0;
  std::int64_t on_disk = 0;
  bool behind = false;
};

class held_replies : public ::testing::Test {
 protected:
  held_replies() { door->start(); }

  std::shared_ptr<memory_wire> greeted() {
    auto on = network.connect();
    std::string hello;
    wire::append_connect_request_frame(hello, {0, 0, 10'000, 0, {}, false});
    network.send(on, hello);
    EXPECT_TRUE(on->from_server.empty()) << "its session is not on the disk";
    write_all();
    EXPECT_FALSE(on->from_server.empty());
    on->from_server.clear();
    return on;
  }
  void send(const std::shared_ptr<memory_wire>& on, const wire::request& request) {
    std::string bytes;
    wire::append_request_frame(bytes, ++xid, request);
    network.send(on, bytes);
  }
  void create(const std::shared_ptr<memory_wire>& on, std::string_view path) {
    wire::create_request request;
    request.path = path;
    request.acl = open_acl();
    send(on, request);
  }
  void write_all() { write(log.submitted); }
  void write(std::int64_t up_to) {
    log.on_disk = up_to;
    door->release();
    time.run_for(std::chrono::milliseconds(0));
  }

  detail::virtual_scheduler time;
  slow_journal log;
  processor core{{}, {time.now(), fixed_wall_ms()}, database(), &log};
  memory_network network{time};
  std::unique_ptr<listener> door =
      std::make_unique<listener>(core, time, network.make_acceptor(), listener_options(), fixed_wall_ms, &log);
  std::int32_t xid = 0;
};

TEST_F(held_replies, writes_wait_for_the_disk) {
  auto on = greeted();
  create(on, "/a");
  EXPECT_EQ(log.submitted, log.last);
  EXPECT_TRUE(on->from_server.empty());
  write_all();
  EXPECT_FALSE(on->from_server.empty());
}

TEST_F(held_replies, so_do_reads_and_events_of_others) {
  auto writer = greeted();
  auto reader = greeted();
  auto watcher = greeted();
  send(watcher, wire::exists_request{"/a", true});
  watcher->from_server.clear();
  create(writer, "/a");
  send(reader, wire::exists_request{"/a", false});
  EXPECT_TRUE(reader->from_server.empty());
  EXPECT_TRUE(watcher->from_server.empty());
  write_all();
  EXPECT_FALSE(reader->from_server.empty());
  EXPECT_FALSE(watcher->from_server.empty());
}

TEST_F(held_replies, reads_of_what_is_on_the_disk_do_not_wait) {
  auto on = greeted();
  send(on, wire::exists_request{"/a", false});
  EXPECT_FALSE(on->from_server.empty());
}

TEST_F(held_replies, leave_as_far_as_the_disk_has_come) {
  auto on = greeted();
  create(on, "/a");
  const std::int64_t first = log.submitted;
  create(on, "/b");
  create(on, "/c");
  write(first);
  const std::size_t one = on->from_server.size();
  EXPECT_GT(one, 0U);
  write(first + 1);
  EXPECT_EQ(on->from_server.size(), one);  // what piled up behind the first leaves as one
  write_all();
  EXPECT_EQ(on->from_server.size(), 3 * one);
}

TEST_F(held_replies, the_wait_for_the_disk_is_part_of_the_latency) {
  using std::chrono::milliseconds;
  auto on = greeted();
  auto gone = greeted();
  core.reset_statistics();
  create(on, "/a");
  create(gone, "/x");
  time.run_for(milliseconds(20));
  create(on, "/b");  // waits behind the first
  time.run_for(milliseconds(10));
  EXPECT_EQ(core.outstanding(), 3U);
  network.hang_up(gone);
  EXPECT_EQ(core.outstanding(), 2U);
  write_all();
  EXPECT_EQ(core.outstanding(), 0U);
  const timing& measured = core.statistics().latency;
  EXPECT_EQ(measured.count, 2U);
  EXPECT_EQ(measured.shortest, milliseconds(10));
  EXPECT_EQ(measured.longest, milliseconds(30));
  EXPECT_EQ(measured.sum, milliseconds(40));
}

TEST_F(held_replies, a_closed_session_hears_so_when_that_is_on_the_disk) {
  auto on = greeted();
  send(on, wire::close_session_request{});
  EXPECT_FALSE(on->server_gone);
  write_all();
  EXPECT_TRUE(on->server_gone);
}

// A larger entry could not be read again, by Apache or by us.
TEST_F(held_replies, records_that_could_not_be_read_again_are_not_made) {
  auto on = greeted();
  for (const char* who : {"ann:a", "bob:b", "eve:c"}) send(on, wire::auth_request{0, "digest", who});
  // Each "auth" becomes three identities: less than a frame, more than an entry.
  wire::multi_request many;
  std::vector<std::string> paths;
  for (int i = 0; i < 17'000; ++i) paths.push_back("/n" + std::to_string(i));
  for (const std::string& path : paths) {
    many.operations.emplace_back(wire::create_request{wire::opcode::create, path, "", {{31, "auth", ""}}, 0});
  }
  const std::size_t nodes = core.state().nodes().size();
  send(on, many);
  EXPECT_EQ(core.state().nodes().size(), nodes) << "refused as a whole";
  EXPECT_LT(log.largest_bytes, 1'000U);
  many.operations.resize(1'000);
  send(on, many);
  EXPECT_EQ(core.state().nodes().size(), nodes + 1'000);

  const std::string prefix = "/" + std::string(1'000, 'e');
  for (int i = 0; i < 2'200; ++i) {
    const std::string path = prefix + std::to_string(i);
    send(on, wire::create_request{wire::opcode::create, path, "", open_acl(), 1});
  }
  EXPECT_EQ(core.state().nodes().size(), nodes + 3'200);
  send(on, wire::close_session_request{});
  EXPECT_EQ(core.state().nodes().size(), nodes + 1'000) << "all of its nodes are gone";
  EXPECT_GT(log.largest_bytes, 1'900'000U) << "the end of a session names as many as it can";
  EXPECT_LE(log.largest_bytes, largest_payload_bytes);
}

TEST_F(held_replies, nothing_is_read_while_too_much_waits) {
  auto on = greeted();
  log.behind = true;
  create(on, "/a");
  create(on, "/b");
  const std::int64_t before = log.last;
  create(on, "/c");
  EXPECT_EQ(log.last, before);
  log.behind = false;
  write_all();
  EXPECT_GT(log.last, before);
}

}  // namespace
}  // namespace zkr::testing
