#include <algorithm>

#include "server/replies.hpp"

// Requests that change the state: each is checked, becomes a transaction with a zxid of its own, even where it fails,
// and is applied; the events it causes stand in their outputs before its reply does.
namespace zkr::backend {

applied processor::commit(transaction& what, std::int64_t session, std::int32_t cxid, instant at,
                          std::vector<applied>* parts) {
  what.header = {session, cxid, state_.last_zxid() + 1, at.wall_ms};
  if (log_ != nullptr) log_->append(what);
  event_sender events(*this, current_, what.header.zxid);
  const applied result = state_.apply(what, events, parts);
  if (behind_ != nullptr) {
    behind_->append(what);
    const backend::session* of = sessions_.find(session);
    const connection* by = of != nullptr ? find(of->connection) : nullptr;
    if (!lags_ || (by != nullptr && by->sees != &current_)) catch_up();
  }
  return result;
}

void processor::catch_up() {
  member_view& seen = behind_->seen();
  behind_->catch_up([&](std::int64_t zxid) { return event_sender(*this, seen, zxid); });
}

void processor::fail_write(const call& of, errc code) {
  transaction failed{{}, error_record{code}};
  commit(failed, of.from.session->id, of.header.xid, of.at);
  reply_empty(of, code);
}

namespace {

std::size_t acl_bytes(const acl_list& list) noexcept {
  std::size_t bytes = 4;
  for (const acl_entry& one : list) bytes += 12 + one.scheme.size() + one.id.size();
  return bytes;
}

// What a record holds beyond the request that it was made from: "auth" in an ACL becomes every identity of the client.
struct growth {
  std::size_t operator()(const create_record& record) const noexcept { return acl_bytes(record.acl) + 32; }
  std::size_t operator()(const set_acl_record& record) const noexcept { return acl_bytes(record.acl); }
  std::size_t operator()(const multi_record& record) const {
    std::size_t bytes = 0;
    for (const operation_record& one : record.operations) bytes += std::visit(*this, one);
    return bytes;
  }
  template <typename Other>
  std::size_t operator()(const Other&) const noexcept {
    return 32;
  }
};

}  // namespace

// Larger ones could not be read again.
bool processor::fits_journal(const call& of, const transaction& what) const {
  if (log_ == nullptr && behind_ == nullptr) return true;
  return of.frame_bytes + std::visit(growth{}, what.record) <= largest_record_bytes;
}

void processor::create(call& of) {
  wire::create_request asked;
  wire::read(of.body, asked, of.header.type);
  if (!of.body.ok()) return fail_write(of, errc::marshalling_error);
  transaction what{{}, create_record()};
  auto& record = std::get<create_record>(what.record);
  const requester by{of.from.session->id, of.from.who};
  if (const errc code = plan_for(by).plan(asked, record); code != errc::ok) {
    return fail_write(of, code);
  }
  if (!fits_journal(of, what)) return fail_write(of, errc::marshalling_error);
  const applied result = commit(what, by.session, of.header.xid, of.at);
  reply_frame reply(*this, of);
  reply.body().string(record.path);
  if (asked.type != wire::opcode::create) reply.body().stat(result.stat);
}

void processor::remove(call& of) {
  wire::remove_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return fail_write(of, errc::marshalling_error);
  transaction what{{}, remove_record()};
  const requester by{of.from.session->id, of.from.who};
  const errc code = plan_for(by).plan(asked, std::get<remove_record>(what.record));
  if (code != errc::ok) return fail_write(of, code);
  commit(what, by.session, of.header.xid, of.at);
  reply_empty(of);
}

void processor::set_data(call& of) {
  wire::set_data_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return fail_write(of, errc::marshalling_error);
  transaction what{{}, set_data_record()};
  const requester by{of.from.session->id, of.from.who};
  const errc code = plan_for(by).plan(asked, std::get<set_data_record>(what.record));
  if (code != errc::ok) return fail_write(of, code);
  if (!fits_journal(of, what)) return fail_write(of, errc::marshalling_error);
  const applied result = commit(what, by.session, of.header.xid, of.at);
  reply_frame(*this, of).body().stat(result.stat);
}

void processor::set_acl(call& of) {
  wire::set_acl_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return fail_write(of, errc::marshalling_error);
  transaction what{{}, set_acl_record()};
  const requester by{of.from.session->id, of.from.who};
  const errc code = plan_for(by).plan(asked, std::get<set_acl_record>(what.record));
  if (code != errc::ok) return fail_write(of, code);
  if (!fits_journal(of, what)) return fail_write(of, errc::marshalling_error);
  const applied result = commit(what, by.session, of.header.xid, of.at);
  reply_frame(*this, of).body().stat(result.stat);
}

namespace {

bool has_null_path(const wire::multi_operation& operation) {
  return std::visit([](const auto& one) { return wire::is_null(one.path); }, operation);
}

bool is_unreadable(const operation_record& record) {
  const auto* error = std::get_if<error_record>(&record);
  return error != nullptr && error->code == errc::marshalling_error;
}

// What the result of an operation looks like follows what it made, not how it was asked for: a container or a TTL node
// answers as create2, a create2 of a plain node as create (until ZOOKEEPER-4026).
struct multi_result_writer {
  wire::writer& to;
  const wire::multi_operation& asked;
  const applied& result;
  compatibility compat;

  void operator()(const create_record& record) const {
    const bool special = record.kind == node_kind::container || record.kind == node_kind::ttl;
    const bool asked_create2 = std::get<wire::create_request>(asked).type != wire::opcode::create;
    const bool with_stat = special || (compat == compatibility::v3_9 && asked_create2);
    wire::write_multi_header(to, with_stat ? wire::opcode::create2 : wire::opcode::create);
    to.string(record.path);
    if (with_stat) to.stat(result.stat);
  }
  void operator()(const remove_record&) const { wire::write_multi_header(to, wire::opcode::remove); }
  void operator()(const set_data_record&) const {
    wire::write_multi_header(to, wire::opcode::set_data);
    to.stat(result.stat);
  }
  void operator()(const check_record&) const { wire::write_multi_header(to, wire::opcode::check); }
  void operator()(const error_record& record) const { wire::write_multi_error(to, record.code); }
};

}  // namespace

void processor::multi(call& of) {
  wire::multi_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return fail_write(of, errc::marshalling_error);
  if (std::any_of(asked.operations.begin(), asked.operations.end(), has_null_path)) {
    // Apache trips over it before anything is a transaction, and still sends the end of the results.
    reply_frame reply(*this, of, errc::marshalling_error);
    return wire::write_multi_end(reply.body());
  }
  const requester by{of.from.session->id, of.from.who};
  transaction what{{}, plan_for(by).plan(asked)};
  const auto& record = std::get<multi_record>(what.record);
  if (std::any_of(record.operations.begin(), record.operations.end(), is_unreadable)) {
    return fail_write(of, errc::marshalling_error);
  }
  if (!fits_journal(of, what)) return fail_write(of, errc::marshalling_error);
  std::vector<applied> parts;
  commit(what, by.session, of.header.xid, of.at, &parts);

  // A failed multi is a success that consists of errors: ok before the operation that failed, -2 behind it.
  reply_frame reply(*this, of);
  const bool failed = has_failed(record);
  for (std::size_t i = 0; i < record.operations.size(); ++i) {
    if (failed) {
      wire::write_multi_error(reply.body(), parts[i].code);
    } else {
      std::visit(multi_result_writer{reply.body(), asked.operations[i], parts[i], options_.compat},
                 record.operations[i]);
    }
  }
  wire::write_multi_end(reply.body());
}

// A standalone server has no ensemble to reconfigure; the request is a write all the same, once it can be read.
void processor::reconfig(call& of) {
  wire::reconfig_request asked;
  wire::read(of.body, asked);
  if (!of.body.ok()) return reply_empty(of, errc::marshalling_error);
  fail_write(of, errc::reconfig_disabled);
}

void processor::close_session(call& of) {
  tell("session_closed", of.from.session->id, of.from.peer);
  end_session(of.from.session->id, of.header.xid, of.at);
  reply_empty(of);
  close(of.from);
}

}  // namespace zkr::backend
