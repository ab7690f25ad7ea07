#include <algorithm>

#include "server/paths.hpp"
#include "server/replies.hpp"

// Requests that look at the state (and may leave a watch), and those about the client itself.
namespace zkr::backend {

namespace {

// The fields of a message that would be made only to be encoded: a reply goes from the node into the output.
void write_data(wire::writer& to, const node& of) {
  if (of.null_data) {
    to.int32(-1);
  } else {
    to.string(of.data);
  }
}

void write_children(wire::writer& to, const node& of) {
  to.int32(of.num_children);
  for (const node* child = of.first_child; child != nullptr; child = child->next_sibling) to.string(child->name());
}

}  // namespace

void processor::exists(call& of) {
  wire::exists_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok() || wire::is_null(asked.path)) return reply_empty(of, errc::marshalling_error);
  if (has_nul(asked.path)) return reply_empty(of, errc::bad_arguments);
  const node* found = of.from.sees->state.nodes().find(asked.path);
  if (found != nullptr && options_.compat == compatibility::v3_9 &&
      !permits(of.from.sees->state.acl_of(*found), perms::read, of.from.who)) {
    return reply_empty(of, errc::no_auth);  // ZOOKEEPER-2590
  }
  if (found == nullptr) {
    reply_empty(of, errc::no_node);
  } else {
    reply_frame(*this, of).body().stat(client_stat(*found));
  }
  if (asked.watch) {
    of.from.sees->watched.add_data(asked.path, of.from.id);
    check_watch_limit(of.from);
  }
}

void processor::get_data(call& of) {
  wire::get_data_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok() || wire::is_null(asked.path)) return reply_empty(of, errc::marshalling_error);
  const node* found = of.from.sees->state.nodes().find(asked.path);
  if (found == nullptr) return reply_empty(of, errc::no_node);
  if (!permits(of.from.sees->state.acl_of(*found), perms::read, of.from.who)) return reply_empty(of, errc::no_auth);
  {
    reply_frame reply(*this, of);
    write_data(reply.body(), *found);
    reply.body().stat(client_stat(*found));
  }
  if (asked.watch) {
    of.from.sees->watched.add_data(asked.path, of.from.id);
    check_watch_limit(of.from);
  }
}

void processor::get_acl(call& of) {
  wire::get_acl_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok() || wire::is_null(asked.path)) return reply_empty(of, errc::marshalling_error);
  const node* found = of.from.sees->state.nodes().find(asked.path);
  if (found == nullptr) return reply_empty(of, errc::no_node);
  const acl_list& acl = of.from.sees->state.acl_of(*found);
  if (!permits(acl, perms::read | perms::admin, of.from.who)) return reply_empty(of, errc::no_auth);
  reply_frame reply(*this, of);
  reply.body().acl(permits(acl, perms::admin, of.from.who) ? acl : masked(acl));
  reply.body().stat(client_stat(*found));
}

void processor::get_children(call& of) {
  wire::get_children_request asked;
  wire::read(of.body, asked, of.header.type);
  if (!of.body.ok() || wire::is_null(asked.path)) return reply_empty(of, errc::marshalling_error);
  const node* found = of.from.sees->state.nodes().find(asked.path);
  if (found == nullptr) return reply_empty(of, errc::no_node);
  if (!permits(of.from.sees->state.acl_of(*found), perms::read, of.from.who)) return reply_empty(of, errc::no_auth);
  {
    reply_frame reply(*this, of);
    write_children(reply.body(), *found);
    if (asked.type == wire::opcode::get_children2) reply.body().stat(client_stat(*found));
  }
  if (asked.watch) {
    of.from.sees->watched.add_children(asked.path, of.from.id);
    check_watch_limit(of.from);
  }
}

// One server, one history: everything that was committed before is applied already, but by a member that lags.
void processor::sync(call& of) {
  wire::sync_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return reply_empty(of, errc::marshalling_error);
  if (of.from.sees != &current_) catch_up();
  reply_frame(*this, of).body().string(asked.path);
}

void processor::get_ephemerals(call& of) {
  wire::get_ephemerals_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return reply_empty(of, errc::marshalling_error);
  wire::string_list paths;
  for (const auto& [zxid, one] : of.from.sees->state.nodes().ephemerals_of(of.from.session->id)) {
    const std::string_view path = one->path;
    if (path.substr(0, asked.prefix.size()) == asked.prefix) paths.push_back(path);
  }
  reply_frame(*this, of).body().strings(paths);
}

void processor::get_all_children_number(call& of) {
  wire::get_all_children_number_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok() || wire::is_null(asked.path)) return reply_empty(of, errc::marshalling_error);
  const node* top = of.from.sees->state.nodes().find(asked.path);
  if (top == nullptr) return reply_empty(of, errc::no_node);
  if (!permits(of.from.sees->state.acl_of(*top), perms::read, of.from.who)) return reply_empty(of, errc::no_auth);
  std::int32_t count = 0;
  // Down to the first child, else to the next sibling of the nearest ancestor that has one.
  for (const node* at = top->first_child; at != nullptr;) {
    ++count;
    if (at->first_child != nullptr) {
      at = at->first_child;
      continue;
    }
    while (at != top && at->next_sibling == nullptr) at = at->parent;
    at = at == top ? nullptr : at->next_sibling;
  }
  // Apache counts by prefix, and "/" has that of "".
  if (asked.path.empty()) ++count;
  reply_frame(*this, of).body().int32(count);
}

namespace {

// Reads that follow one another as one request: each stands alone.
class multi_reader {
 public:
  multi_reader(const database& state, const principals& who, wire::writer& to) : state_(state), who_(who), to_(to) {}

  void operator()(const wire::get_data_request& asked) const {
    const node* found = readable(asked.path);
    if (found == nullptr) return;
    wire::write_multi_header(to_, wire::opcode::get_data);
    write_data(to_, *found);
    to_.stat(client_stat(*found));
  }
  void operator()(const wire::get_children_request& asked) const {
    const node* found = readable(asked.path);
    if (found == nullptr) return;
    wire::write_multi_header(to_, wire::opcode::get_children);
    write_children(to_, *found);
  }

 private:
  const node* readable(std::string_view path) const {
    const node* found = state_.nodes().find(path);
    if (found == nullptr) {
      wire::write_multi_error(to_, errc::no_node);
    } else if (!permits(state_.acl_of(*found), perms::read, who_)) {
      wire::write_multi_error(to_, errc::no_auth);
      found = nullptr;
    }
    return found;
  }

  const database& state_;
  const principals& who_;
  wire::writer& to_;
};

bool has_null_path(const wire::multi_read_operation& operation) {
  return std::visit([](const auto& one) { return wire::is_null(one.path); }, operation);
}

bool consists_of_writes(wire::reader body) {
  wire::multi_request writes;
  wire::read(body, writes);
  return body.ok();
}

}  // namespace

void processor::multi_read(call& of) {
  wire::multi_read_request asked;
  const wire::reader unread = of.body;
  wire::read(of.body, asked);
  const bool only_writes = !of.body.ok() && consists_of_writes(unread);
  if (!of.body.ok() && !only_writes) return reply_empty(of, errc::marshalling_error);

  // What cannot be read at all ends the reply: with an error, and with the results until then.
  const auto& all = asked.operations;
  const auto end = only_writes ? all.begin() : std::find_if(all.begin(), all.end(), has_null_path);
  const bool bad = only_writes || end != all.end();
  {
    reply_frame reply(*this, of, bad ? errc::marshalling_error : errc::ok);
    const multi_reader read(of.from.sees->state, of.from.who, reply.body());
    for (auto operation = all.begin(); operation != end; ++operation) {
      // A small request can name a large node very often.
      if (of.from.output.size() > options_.max_output_bytes) break;
      std::visit(read, *operation);
    }
    wire::write_multi_end(reply.body());
  }
  close_if_over(of.from);
}

// ---- the client itself ----------------------------------------------------------------------------------------------

void processor::who_am_i(call& of) {
  reply_frame reply(*this, of);
  reply.body().int32(static_cast<std::int32_t>(of.from.who.size()));
  for (const principal& one : of.from.who) {
    reply.body().string(one.scheme);
    reply.body().string(user_name(one));
  }
}

// Applied at once and answered in its turn: Apache lets the answer overtake earlier ones, which no client needs.
void processor::auth(call& of) {
  wire::auth_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return give_up(of.from, "malformed request");
  const std::optional<principals> added =
      authenticate(asked.scheme, asked.credentials, of.from.peer.address, options_.super_digest);
  reply_empty(of, added ? errc::ok : errc::auth_failed, 0);
  if (!added) {
    ++statistics_.failed_auths;
    return give_up(of.from, "authentication failed");
  }
  principals& who = of.from.who;
  for (const principal& one : *added) {
    if (std::find(who.begin(), who.end(), one) == who.end()) who.push_back(one);
  }
}

void processor::sasl(call& of) {
  const auto answer = [&](errc code, std::optional<std::string_view> token) {
    reply_frame(*this, of, of.header.xid, code, 0).body().buffer(token);
  };
  // What Apache answers where none is configured is an empty success.
  if (options_.sasl_users.empty()) return answer(errc::ok, std::nullopt);
  wire::sasl_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok() || wire::is_null(asked.token)) return give_up(of.from, "malformed request");
  connection& from = of.from;
  if (from.sasl == nullptr) from.sasl = std::make_unique<digest_md5>(options_.sasl_users, random_nonce());
  const std::optional<std::string> token = from.sasl->respond(asked.token);
  if (!token) {
    answer(options_.require_sasl ? errc::session_closed_require_auth : errc::auth_failed, std::nullopt);
    ++statistics_.failed_auths;
    return give_up(from, "authentication failed");
  }
  if (!from.sasl->user().empty()) from.who.push_back({std::string(sasl_scheme), from.sasl->user()});
  answer(errc::ok, *token);
}

bool processor::may_ask(const call& of) const noexcept {
  if (!options_.require_sasl || of.header.type == wire::opcode::sasl || of.header.type == wire::opcode::auth)
    return true;
  const principals& who = of.from.who;
  return std::any_of(who.begin(), who.end(), [](const principal& one) { return one.scheme == sasl_scheme; });
}

}  // namespace zkr::backend
