#include "exhaustive/frames.hpp"

#include "client/commit_call.hpp"
#include "client/request_rules.hpp"
#include "wire/codec.hpp"

namespace zkr::exhaustive {

using namespace recipes;

namespace {

detail::commit_call call_of(const commit& it) {
  auto writes = it.writes;
  return {std::move(writes), handler<std::vector<transaction_result>>([](const auto&) {})};
}

/// Makes frames: a request's views have to live until it is encoded.
struct framer {
  std::int32_t xid;

  [[nodiscard]] std::string frame(const wire::request& of) const {
    std::string text;
    wire::append_request_frame(text, xid, of);
    return text.substr(wire::frame_length_bytes);
  }
  std::string operator()(const create_node& it) const {
    const auto mode = detail::wire_mode(it.options.mode);
    return frame(wire::create_request{.type = mode.type,
                                      .path = it.path,
                                      .data = it.data,
                                      .acl = it.options.acl.empty() ? open_acl() : it.options.acl,
                                      .flags = static_cast<std::int32_t>(mode.flags)});
  }
  std::string operator()(const read_node& it) const { return frame(wire::get_data_request{it.path, it.watch}); }
  std::string operator()(const check_exists& it) const { return frame(wire::exists_request{it.path, it.watch}); }
  std::string operator()(const list_children& it) const {
    return frame(wire::get_children_request{.path = it.path, .watch = it.watch});
  }
  std::string operator()(const set_data& it) const {
    return frame(wire::set_data_request{.path = it.path, .data = it.data, .version = it.version});
  }
  std::string operator()(const remove_node& it) const { return frame(wire::remove_request{it.path, it.version}); }
  std::string operator()(const sync_node& it) const { return frame(wire::sync_request{it.path}); }
  std::string operator()(const commit& it) const {
    const auto call = call_of(it);
    return frame(call.encode());
  }
};

wire::opcode type_of(const operation& what) {
  if (const auto* it = std::get_if<create_node>(&what)) return detail::wire_mode(it->options.mode).type;
  if (std::holds_alternative<read_node>(what)) return wire::opcode::get_data;
  if (std::holds_alternative<check_exists>(what)) return wire::opcode::exists;
  if (std::holds_alternative<list_children>(what)) return wire::opcode::get_children2;
  if (std::holds_alternative<set_data>(what)) return wire::opcode::set_data;
  if (std::holds_alternative<remove_node>(what)) return wire::opcode::remove;
  if (std::holds_alternative<sync_node>(what)) return wire::opcode::sync;
  return wire::opcode::multi;
}

/// The code that fails a multi, which stands in its results; ok where it was applied.
errc code_of(const wire::reply& body) {
  const auto* multi = std::get_if<wire::multi_reply>(&body);
  if (multi == nullptr) return errc::ok;
  for (const auto& one : multi->results) {
    const auto* failed = std::get_if<wire::error_result>(&one);
    if (failed != nullptr && failed->code != errc::ok && failed->code != errc::runtime_inconsistency) {
      return failed->code;
    }
  }
  return errc::ok;
}

}  // namespace

std::string handshake_frame(std::int64_t session_id, const std::string& password, std::int64_t last_zxid,
                            std::int32_t timeout_ms) {
  std::string text;
  wire::append_connect_request_frame(text, {.last_zxid_seen = last_zxid,
                                            .timeout_ms = timeout_ms,
                                            .session_id = session_id,
                                            .password = password,
                                            .read_only = false});
  return text.substr(wire::frame_length_bytes);
}

std::string request_frame(std::int32_t xid, const operation& what) { return std::visit(framer{xid}, what); }

std::string set_watches_frame(std::int64_t last_zxid, const std::vector<std::string>& data,
                              const std::vector<std::string>& exist, const std::vector<std::string>& child) {
  wire::set_watches_request all;
  all.relative_zxid = last_zxid;
  all.data.assign(data.begin(), data.end());
  all.exist.assign(exist.begin(), exist.end());
  all.child.assign(child.begin(), child.end());
  return framer{wire::xid_set_watches}.frame(all);
}

std::optional<handshake_answer> take_handshake(std::string& output) {
  const auto split = wire::split_frame(output);
  if (split.status != wire::frame_status::complete) return std::nullopt;
  const auto reply = wire::decode_connect_reply(split.frame);
  if (!reply) return std::nullopt;
  handshake_answer answer{reply->session_id, std::string(reply->password)};
  output.erase(0, split.consumed);
  return answer;
}

std::vector<received> split(const std::string& output) {
  std::vector<received> all;
  std::string_view rest = output;
  for (auto next = wire::split_frame(rest); next.status == wire::frame_status::complete;
       next = wire::split_frame(rest)) {
    rest.remove_prefix(next.consumed);
    auto body = next.frame;
    const auto header = wire::decode_reply_header(body);
    auto& one = all.emplace_back();
    one.code = header->code;
    one.zxid = header->zxid;
    if (header->xid == wire::xid_notification) {
      const auto event = wire::decode_event(body);
      one.event = received::change{event->type, std::string(event->path)};
    } else {
      one.body = body;
    }
  }
  return all;
}

result<reply_value> decoded(const operation& asked, const received& answer) {
  if (answer.code != errc::ok) return error(answer.code).set_sent(outcome::not_applied);
  const auto reply = wire::decode_reply(answer.body, type_of(asked));
  const auto& body = reply.body;
  if (const auto code = code_of(body); code != errc::ok) {
    auto why = error(code).set_sent(outcome::not_applied);
    call_of(std::get<commit>(asked)).refine(why, body);
    return why;
  }
  if (const auto* it = std::get_if<commit>(&asked)) {
    return reply_value(detail::decode_transaction::of(it->writes)(body));
  }
  if (const auto* made = std::get_if<wire::create_reply>(&body)) {
    return reply_value(created{std::string(made->path), made->stat.value_or(stat_t{})});
  }
  if (const auto* read = std::get_if<wire::get_data_reply>(&body)) {
    return reply_value(node{std::string(read->data.value_or(std::string_view())), read->stat});
  }
  if (const auto* stat = std::get_if<wire::stat_reply>(&body)) return reply_value(stat->stat);
  if (const auto* list = std::get_if<wire::get_children_reply>(&body)) {
    return reply_value(child_list{{list->children.begin(), list->children.end()}, list->stat.value_or(stat_t{})});
  }
  return reply_value();
}

}  // namespace zkr::exhaustive
