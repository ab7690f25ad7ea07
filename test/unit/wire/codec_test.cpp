#include "wire/codec.hpp"

#include <gtest/gtest.h>

#include "unit/wire/hex.hpp"

namespace zkr::wire {
namespace {

using zkr::testing::from_hex;

errc verdict(std::string_view hex) { return decode_request(from_hex(hex)).code; }

TEST(codec, an_unknown_type_is_told_from_a_malformed_body) {
  EXPECT_EQ(verdict("00000001 000003e7"), errc::unimplemented);
  EXPECT_EQ(verdict("00000001 00000014"), errc::unimplemented);  // deleteContainer: internal
  EXPECT_EQ(verdict("00000001 fffffff6"), errc::unimplemented);  // createSession: internal
  EXPECT_EQ(verdict("00000001 00000000"), errc::unimplemented);
  EXPECT_EQ(verdict("00000001 00000004"), errc::marshalling_error);
  EXPECT_EQ(decode_request(from_hex("00000001 000003e7")).header.xid, 1);
  EXPECT_EQ(decode_request(from_hex("00000001 0000")).header.type, opcode::notification);
}

TEST(codec, hostile_lengths_are_refused_without_allocating_for_them) {
  EXPECT_EQ(verdict("00000001 00000004 7fffffff 2f61 00"), errc::marshalling_error);
  EXPECT_EQ(verdict("00000001 00000004 fffffffe 2f61 00"), errc::marshalling_error);
  EXPECT_EQ(verdict("00000001 00000004 80000000 2f61 00"), errc::marshalling_error);
  EXPECT_EQ(verdict("00000001 00000007 00000001 2f 7fffffff"), errc::marshalling_error);                // ACLs
  EXPECT_EQ(verdict("00000001 00000065 0000000000000000 7fffffff 7fffffff"), errc::marshalling_error);  // paths
}

// Java's archive reads every negative count as an empty vector.
TEST(codec, negative_counts_are_empty) {
  EXPECT_EQ(verdict("00000001 00000007 00000001 2f ffffffff 00000000"), errc::ok);
  EXPECT_EQ(verdict("00000001 00000007 00000001 2f 80000000 00000000"), errc::ok);
}

TEST(codec, null_and_empty_strings_differ) {
  const std::string null_path = from_hex("00000001 00000004 ffffffff 00");
  const std::string empty_path = from_hex("00000001 00000004 00000000 00");
  EXPECT_TRUE(is_null(std::get<get_data_request>(decode_request(null_path).body).path));
  const std::string_view empty = std::get<get_data_request>(decode_request(empty_path).body).path;
  EXPECT_FALSE(is_null(empty));
  EXPECT_TRUE(empty.empty());
}

TEST(codec, null_and_empty_data_differ) {
  const std::string null_data = from_hex("00000001 00000005 00000001 2f ffffffff 00000000");
  const std::string empty_data = from_hex("00000001 00000005 00000001 2f 00000000 00000000");
  EXPECT_FALSE(std::get<set_data_request>(decode_request(null_data).body).data.has_value());
  EXPECT_TRUE(std::get<set_data_request>(decode_request(empty_data).body).data.has_value());
}

TEST(codec, any_byte_but_zero_is_true) {
  const std::string frame = from_hex("00000001 00000004 00000001 2f 07");
  EXPECT_TRUE(std::get<get_data_request>(decode_request(frame).body).watch);
}

TEST(codec, a_multi_takes_only_its_own_operations) {
  for (const char* type : {"00000007", "00000004", "00000008", "00000063", "0000000e", "ffffffff"}) {
    SCOPED_TRACE(type);
    EXPECT_EQ(verdict(std::string("00000001 0000000e ") + type +
                      " 00 ffffffff 00000001 2f 00000000 00000000 ffffffff 01 ffffffff"),
              errc::marshalling_error);
  }
  EXPECT_EQ(verdict("00000001 00000016 00000002 00 ffffffff 00000001 2f ffffffff ffffffff 01 ffffffff"),
            errc::marshalling_error);
  EXPECT_EQ(verdict("00000001 00000016 00000004 00 ffffffff 00000001 2f 00 ffffffff 01 ffffffff"), errc::ok);
  EXPECT_EQ(verdict("00000001 0000000e 00000002 00 ffffffff 00000001 2f ffffffff"), errc::marshalling_error);  // no end
}

TEST(codec, a_multi_reply_with_a_foreign_record_is_refused) {
  EXPECT_EQ(decode_reply(from_hex("00000063 00 00000000 ffffffff 01 ffffffff"), opcode::multi).code,
            errc::marshalling_error);
}

TEST(codec, replies_to_what_is_no_request_are_refused) {
  EXPECT_EQ(decode_reply("", static_cast<opcode>(999)).code, errc::marshalling_error);
  EXPECT_EQ(decode_reply("", opcode::create_session).code, errc::marshalling_error);
}

TEST(frame, needs_its_length_and_then_its_bytes) {
  const std::string bytes = from_hex("00000003 616263 00");
  for (std::size_t length = 0; length < 7; ++length) {
    const frame_split split = split_frame(std::string_view(bytes).substr(0, length));
    EXPECT_EQ(split.status, frame_status::need_more);
    EXPECT_EQ(split.wanted, length < 4 ? 4U : 7U);
  }
  const frame_split split = split_frame(bytes);
  EXPECT_EQ(split.status, frame_status::complete);
  EXPECT_EQ(split.frame, "abc");
  EXPECT_EQ(split.consumed, 7U);
}

TEST(frame, the_limit_is_inclusive) {
  EXPECT_EQ(split_frame(from_hex("000fffff")).status, frame_status::need_more);
  EXPECT_EQ(split_frame(from_hex("00100000")).status, frame_status::bad_length);
  EXPECT_EQ(split_frame(from_hex("ffffffff")).status, frame_status::bad_length);
  EXPECT_EQ(split_frame(from_hex("80000000")).status, frame_status::bad_length);
  EXPECT_EQ(split_frame(from_hex("00000005"), 4).status, frame_status::bad_length);
  const frame_split empty = split_frame(from_hex("00000000"));
  EXPECT_EQ(empty.status, frame_status::complete);
  EXPECT_TRUE(empty.frame.empty());
}

TEST(opcodes, only_reads_may_be_repeated) {
  EXPECT_TRUE(is_read(opcode::get_data));
  EXPECT_TRUE(is_read(opcode::sync));
  EXPECT_TRUE(is_read(opcode::multi_read));
  EXPECT_FALSE(is_read(opcode::multi));
  EXPECT_FALSE(is_read(opcode::create2));
  EXPECT_FALSE(is_read(opcode::close_session));
  EXPECT_FALSE(is_read(opcode::remove_watches));
}

}  // namespace
}  // namespace zkr::wire
