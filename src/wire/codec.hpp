#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "wire/reader.hpp"
#include "wire/writer.hpp"

// Messages <-> bytes. "Frame" below means the payload of one; `append_..._frame` writes the length before it.
namespace zkr::wire {

// ---- whole frames ---------------------------------------------------------------------------------------------------

struct decoded_request {
  /// ok; marshalling_error: the body is malformed; unimplemented: no request has this type (`header` holds in both).
  errc code = errc::ok;
  request_header header;
  request body;
};

/// Decodes a request behind the handshake. Bytes behind its body are ignored. A frame too short for the header gives
/// marshalling_error and a header of type `notification`.
[[nodiscard]] decoded_request decode_request(std::string_view frame);

struct decoded_reply {
  /// ok; marshalling_error: the body does not fit the request's type. The reply's own verdict is in its header.
  errc code = errc::ok;
  reply body;
};

/// Reads the header and leaves `frame` at the body; nothing where the frame is too short for one.
[[nodiscard]] std::optional<reply_header> decode_reply_header(std::string_view& frame);
/// Decodes the body of a reply whose header says ok, to a request of type `of`.
[[nodiscard]] decoded_reply decode_reply(std::string_view body, opcode of);
/// Decodes the body behind a header with xid_notification.
[[nodiscard]] std::optional<watcher_event> decode_event(std::string_view body);

[[nodiscard]] std::optional<connect_request> decode_connect_request(std::string_view frame);
[[nodiscard]] std::optional<connect_reply> decode_connect_reply(std::string_view frame);

void append_request_frame(std::string& out, std::int32_t xid, const request& body);
/// `body` is written only where the header's code is ok.
void append_reply_frame(std::string& out, const reply_header& header, const reply& body);
void append_event_frame(std::string& out, const watcher_event& event, std::int64_t zxid = -1);
void append_connect_request_frame(std::string& out, const connect_request& body);
void append_connect_reply_frame(std::string& out, const connect_reply& body);

// ---- headers and single records -------------------------------------------------------------------------------------
// For a server, which decodes into the type it needs and encodes without an intermediate message. The readers report
// failure through `reader::ok()`.

void write(writer& to, const request_header& header);
void write(writer& to, const reply_header& header);
[[nodiscard]] request_header read_request_header(reader& from);
[[nodiscard]] reply_header read_reply_header(reader& from);

void read(reader& from, create_request& into, opcode type);
void read(reader& from, remove_request& into);
void read(reader& from, exists_request& into);
void read(reader& from, get_data_request& into);
void read(reader& from, set_data_request& into);
void read(reader& from, get_acl_request& into);
void read(reader& from, set_acl_request& into);
void read(reader& from, get_children_request& into, opcode type);
void read(reader& from, sync_request& into);
void read(reader& from, check_request& into);
void read(reader& from, reconfig_request& into);
void read(reader& from, remove_watches_request& into, opcode type);
void read(reader& from, auth_request& into);
void read(reader& from, set_watches_request& into, opcode type);
void read(reader& from, sasl_request& into);
void read(reader& from, get_ephemerals_request& into);
void read(reader& from, get_all_children_number_request& into);
void read(reader& from, add_watch_request& into);
/// Fails for operations that may not stand in a multi: only types 1, 15, 19, 21, 2, 5 and 13 may.
void read(reader& from, multi_request& into);
/// Fails for anything but types 4 and 8.
void read(reader& from, multi_read_request& into);

/// Everything behind the header.
void write(writer& to, const request& body);

/// The results of a multi are records of this shape, ended by `write_multi_end`.
void write_multi_header(writer& to, opcode type, errc code = errc::ok);
void write_multi_end(writer& to);
void write_multi_error(writer& to, errc code);
void write(writer& to, const multi_reply& body);
void read(reader& from, multi_reply& into);

}  // namespace zkr::wire
