#include "transport/request_check.hpp"

#include <gtest/gtest.h>

#include "wire/codec.hpp"

namespace zkr::transport {
namespace {

using wire::opcode;

constexpr std::size_t limit = 1000;

errc check(const wire::request& of, std::string_view chroot = "", watch_mode watch = watch_mode::none) {
  return check_request(of, watch, chroot, limit);
}

wire::create_request create(std::string_view path, std::int32_t flags = 0, opcode type = opcode::create) {
  return {type, path, "", open_acl(), flags, -1};
}

TEST(check_request, frame_bytes_are_the_encoders) {
  const acl_list acl{{perms::all, "digest", "u:x"}, {perms::read, "world", "anyone"}};
  const std::vector<wire::request> all{
      wire::create_request{opcode::create, "/a", "data", acl, 0, -1},
      wire::create_request{opcode::create2, "/a", std::nullopt, acl, 0, -1},
      wire::create_request{opcode::create_container, "/a", "", {}, 4, -1},
      wire::create_request{opcode::create_ttl, "/a", "data", acl, 5, 1000},
      wire::remove_request{"/a"},
      wire::exists_request{"/a"},
      wire::get_data_request{"/a/b"},
      wire::set_data_request{"/a", "data"},
      wire::get_acl_request{"/a"},
      wire::set_acl_request{"/a", acl},
      wire::get_children_request{opcode::get_children, "/a"},
      wire::get_children_request{opcode::get_children2, "/a"},
      wire::sync_request{"/a"},
      wire::remove_watches_request{opcode::remove_watches, "/a", 1},
      wire::auth_request{0, "digest", "user:secret"},
      wire::multi_request{},
      wire::multi_request{{wire::create_request{opcode::create, "/a", "data", acl, 0, -1}, wire::remove_request{"/b"},
                           wire::set_data_request{"/c", "x"}, wire::check_request{"/d"}}},
  };
  for (const auto& one : all) {
    std::string bytes;
    wire::append_request_frame(bytes, 7, one);
    EXPECT_EQ(frame_bytes(one, 0), bytes.size() - wire::frame_length_bytes) << one.index();
  }
  EXPECT_EQ(frame_bytes(all[0], 10), frame_bytes(all[0], 0) + 10);
  EXPECT_EQ(frame_bytes(all.back(), 10), frame_bytes(all.back(), 0) + 40);
  EXPECT_EQ(frame_bytes(all[14], 10), frame_bytes(all[14], 0));
}

TEST(check_request, lets_through_what_the_library_can_do) {
  EXPECT_EQ(check(create("/a")), errc::ok);
  EXPECT_EQ(check(create("/a-", 2)), errc::ok);
  EXPECT_EQ(check(create("/", 2)), errc::ok);
  EXPECT_EQ(check(create("/a/", 3, opcode::create2)), errc::ok);
  EXPECT_EQ(check(create("/a", 4, opcode::create_container)), errc::ok);
  EXPECT_EQ(check(wire::create_request{opcode::create_ttl, "/a", "", {}, 6, 1}), errc::ok);
  EXPECT_EQ(check(wire::exists_request{"/"}, "/app", watch_mode::one_shot), errc::ok);
  EXPECT_EQ(check(wire::multi_request{}), errc::ok);
}

TEST(check_request, refuses_bad_paths) {
  using namespace std::string_view_literals;
  for (const auto path :
       {""sv, "a"sv, "/a/"sv, "//"sv, "/a//b"sv, "/a/../b"sv, "/."sv, "/a\0b"sv, "/a\x1f"sv, "/\xFF"sv}) {
    for (const auto* chroot : {"", "/app"}) {
      EXPECT_EQ(check(create(path), chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::remove_request{path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::exists_request{path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::get_data_request{path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::set_data_request{path, ""}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::get_acl_request{path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::set_acl_request{path, {}}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::get_children_request{opcode::get_children, path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::sync_request{path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::remove_watches_request{opcode::remove_watches, path}, chroot), errc::invalid_path) << path;
      EXPECT_EQ(check(wire::multi_request{{wire::check_request{path}}}, chroot), errc::invalid_path) << path;
    }
  }
  // The library would make it the chroot itself, and the number would stand behind the chroot's name.
  EXPECT_EQ(check(create("/", 2), "/app"), errc::invalid_path);
  EXPECT_EQ(check(create("/", 0), "/app"), errc::ok);
}

TEST(check_request, refuses_a_transaction_with_a_bad_path_anywhere) {
  for (std::size_t bad = 0; bad < 4; ++bad) {
    std::vector<wire::multi_operation> operations{wire::check_request{"/a"}, create("/b"),
                                                  wire::set_data_request{"/c", "x"}, wire::remove_request{"/d"}};
    std::visit([](auto& one) { one.path = "relative"; }, operations[bad]);
    EXPECT_EQ(check(wire::multi_request{operations}), errc::invalid_path);
    EXPECT_EQ(check(wire::multi_request{operations}, "/app"), errc::invalid_path);
  }
}

TEST(check_request, refuses_what_the_library_cannot_do) {
  EXPECT_EQ(check(create("/a", 4, opcode::create)), errc::unsupported);
  EXPECT_EQ(check(create("/a", 0, opcode::create_container)), errc::unsupported);
  EXPECT_EQ(check(create("/a", 0, opcode::create_ttl)), errc::unsupported);
  EXPECT_EQ(check(create("/a", 7)), errc::unsupported);
  EXPECT_EQ(check(create("/a", -1)), errc::unsupported);
  EXPECT_EQ(check(wire::create_request{opcode::create_ttl, "/a", "", {}, 5, 0}), errc::invalid_argument);
  EXPECT_EQ(check(wire::create_request{opcode::create_ttl, "/a", "", {}, 5, 0x100'0000'0000}), errc::invalid_argument);
  for (const auto type : {opcode::create2, opcode::create_container, opcode::create_ttl}) {
    const std::int32_t flags = type == opcode::create2 ? 0 : type == opcode::create_container ? 4 : 5;
    EXPECT_EQ(check(wire::multi_request{{create("/a", flags, type)}}), errc::unsupported);
  }
  EXPECT_EQ(check(wire::multi_request{{create("/a", 4)}}), errc::unsupported);
  EXPECT_EQ(check(wire::check_request{"/a"}), errc::unsupported);
  EXPECT_EQ(check(wire::multi_read_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::reconfig_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::add_watch_request{"/a"}), errc::unsupported);
  EXPECT_EQ(check(wire::who_am_i_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::ping_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::close_session_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::set_watches_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::sasl_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::get_ephemerals_request{}), errc::unsupported);
  EXPECT_EQ(check(wire::get_all_children_number_request{"/a"}), errc::unsupported);
  EXPECT_EQ(check(wire::remove_watches_request{opcode::check_watches, "/a"}), errc::unsupported);
  EXPECT_EQ(check(wire::remove_watches_request{opcode::remove_watches, "/a", 4}), errc::unsupported);
  EXPECT_EQ(check(wire::exists_request{"/a"}, "", watch_mode::persistent), errc::unsupported);
  EXPECT_EQ(check(wire::exists_request{"/a"}, "", watch_mode::recursive), errc::unsupported);
  EXPECT_EQ(check(wire::remove_request{"/a"}, "", watch_mode::one_shot), errc::invalid_argument);
}

TEST(check_request, refuses_texts_that_would_end_early) {
  using namespace std::string_literals;
  const acl_list cut{{perms::all, "digest", "u:x\0y"s}};
  EXPECT_EQ(check(wire::create_request{opcode::create, "/a", "", cut, 0, -1}), errc::invalid_argument);
  EXPECT_EQ(check(wire::set_acl_request{"/a", cut}), errc::invalid_argument);
  EXPECT_EQ(check(wire::auth_request{0, "", "x"}), errc::invalid_argument);
  EXPECT_EQ(check(wire::auth_request{0, "di\0gest"s, "x"}), errc::invalid_argument);
  EXPECT_EQ(check(wire::auth_request{0, "digest", "x\0y"s}), errc::ok);
}

TEST(check_request, counts_bytes_the_chroot_included) {
  const std::string data(limit - 8 - 6 - 4 - 4, 'x');
  EXPECT_EQ(check(wire::set_data_request{"/a", data}), errc::ok);
  EXPECT_EQ(check(wire::set_data_request{"/ab", data}), errc::too_large);
  EXPECT_EQ(check(wire::set_data_request{"/a", data}, "/x"), errc::too_large);
  EXPECT_EQ(check(wire::multi_request{{wire::set_data_request{"/a", data}}}), errc::too_large);
}

}  // namespace
}  // namespace zkr::transport
