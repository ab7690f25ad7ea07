#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "unit/wire/message_source.hpp"
#include "wire/codec.hpp"

// What is encoded and decoded encodes to the same bytes again; what is cut short anywhere is refused; and no bytes
// whatever make the decoders misbehave (the sanitizers watch).
namespace zkr::wire {
namespace {

using zkr::testing::message_source;

std::string encoded(std::int32_t xid, const request& body) {
  std::string frame;
  append_request_frame(frame, xid, body);
  return frame;
}

std::string encoded(const reply_header& header, const reply& body) {
  std::string frame;
  append_reply_frame(frame, header, body);
  return frame;
}

std::string_view payload(std::string_view frame) { return split_frame(frame).frame; }

RC_GTEST_PROP(codec_property, a_request_survives_the_round_trip, (std::vector<std::uint32_t> choices)) {
  message_source source(std::move(choices));
  const std::int32_t xid = source.int32();
  const request original = source.request();
  const std::string bytes = encoded(xid, original);
  const decoded_request decoded = decode_request(payload(bytes));
  RC_ASSERT(decoded.code == errc::ok);
  RC_ASSERT(decoded.header.xid == xid);
  RC_ASSERT(decoded.header.type == type_of(original));
  RC_ASSERT(type_of(decoded.body) == type_of(original));
  RC_ASSERT(encoded(xid, decoded.body) == bytes);
}

RC_GTEST_PROP(codec_property, a_request_cut_anywhere_is_malformed, (std::vector<std::uint32_t> choices)) {
  message_source source(std::move(choices));
  const std::string bytes = encoded(1, source.request());
  const std::string_view whole = payload(bytes);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    RC_ASSERT(decode_request(whole.substr(0, length)).code == errc::marshalling_error);
  }
}

RC_GTEST_PROP(codec_property, bytes_behind_a_request_are_ignored,
              (std::vector<std::uint32_t> choices, std::string junk)) {
  message_source source(std::move(choices));
  const request original = source.request();
  std::string bytes(payload(encoded(1, original)));
  bytes += junk;
  const decoded_request decoded = decode_request(bytes);
  RC_ASSERT(decoded.code == errc::ok);
  RC_ASSERT(encoded(1, decoded.body) == encoded(1, original));
}

RC_GTEST_PROP(codec_property, a_reply_survives_the_round_trip, (std::vector<std::uint32_t> choices)) {
  message_source source(std::move(choices));
  const reply_header header{source.int32(), source.int64(), errc::ok};
  const auto [original, of] = source.reply();
  const std::string bytes = encoded(header, original);
  std::string_view body = payload(bytes);
  const auto decoded_header = decode_reply_header(body);
  RC_ASSERT(decoded_header.has_value());
  RC_ASSERT(decoded_header->xid == header.xid);
  RC_ASSERT(decoded_header->zxid == header.zxid);
  const decoded_reply decoded = decode_reply(body, of);
  RC_ASSERT(decoded.code == errc::ok);
  RC_ASSERT(encoded(header, decoded.body) == bytes);
  for (std::size_t length = 0; length < body.size(); ++length) {
    RC_ASSERT(decode_reply(body.substr(0, length), of).code == errc::marshalling_error);
  }
}

RC_GTEST_PROP(codec_property, any_bytes_are_decoded_or_refused, (std::string bytes)) {
  static_cast<void>(decode_request(bytes));
  static_cast<void>(decode_connect_request(bytes));
  static_cast<void>(decode_connect_reply(bytes));
  static_cast<void>(decode_event(bytes));
  for (std::int32_t type = -12; type < 110; ++type) {
    static_cast<void>(decode_reply(bytes, static_cast<opcode>(type)));
    std::string request_bytes;
    writer to(request_bytes);
    write(to, request_header{1, static_cast<opcode>(type)});
    to.raw(bytes);
    static_cast<void>(decode_request(request_bytes));
  }
}

RC_GTEST_PROP(codec_property, a_request_with_one_changed_byte_is_decoded_or_refused,
              (std::vector<std::uint32_t> choices, std::uint32_t where, std::uint8_t what)) {
  message_source source(std::move(choices));
  std::string bytes(payload(encoded(1, source.request())));
  bytes[where % bytes.size()] = static_cast<char>(what);
  static_cast<void>(decode_request(bytes));
}

}  // namespace
}  // namespace zkr::wire
