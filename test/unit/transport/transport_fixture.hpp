#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/boot_scheduler.hpp"
#include "transport/c_transport.hpp"
#include "unit/transport/recording_sink.hpp"

namespace zkr::transport {

using namespace std::chrono_literals;

/// A transport, its sink and its scheduler. Servers are tried in the order of the list.
class transport_test : public ::testing::Test {
 protected:
  ~transport_test() override {
    if (tested) close();
    EXPECT_FALSE(sink.overlapped());
  }

  result<void> open(const std::string& hosts) {
    options.hosts = hosts;
    tested = make_c_transport_with(options, sink, clock, {look_up, [](auto&) {}});
    return tested->open();
  }

  void close() {
    bool done = false;
    tested->close([&] { done = true; });
    EXPECT_TRUE(done);
  }

  /// Submits and waits for the reply.
  kept_reply ask(const wire::request& of, watch_mode watch = watch_mode::none) {
    const auto id = ++last_id;
    const auto code = tested->submit(id, of, watch);
    if (code != errc::ok) return {id, code, wire::reply(), {}};
    const auto answer = sink.reply(id);
    EXPECT_TRUE(answer.has_value()) << "no reply";
    return answer.value_or(kept_reply(id, errc::timed_out, wire::reply(), {}));
  }

  detail::boot_scheduler clock{"zkr-test-clock"};
  recording_sink sink;
  transport_options options{
      .hosts = {}, .chroot = {}, .session_timeout = 6s, .handshake_timeout = 10s, .session_id = 0, .password = {}};
  std::unique_ptr<transport> tested;
  std::uint64_t last_id = 0;
};

}  // namespace zkr::transport
