#pragma once

#include "server/processor.hpp"

namespace zkr::backend {

/// A reply being written straight into its connection's output: the header at construction, the frame's length at the
/// end. Its zxid is the last one, which for a write is its own.
class processor::reply_frame {
 public:
  reply_frame(processor& server, const call& of, errc code = errc::ok)
      : reply_frame(server, of, of.header.xid, code, of.from.sees->state.last_zxid()) {}
  reply_frame(processor& server, const call& of, std::int32_t xid, errc code, std::int64_t zxid)
      : server_(server), to_(of.from), body_(of.from.output), start_(body_.begin_frame()) {
    wire::write(body_, wire::reply_header{xid, zxid, code});
    to_.last_zxid = zxid;
    to_.last_response_ms = of.at.wall_ms;
  }
  reply_frame(const reply_frame&) = delete;
  reply_frame& operator=(const reply_frame&) = delete;
  ~reply_frame() {
    body_.end_frame(start_);
    ++to_.sent;
    ++server_.statistics_.sent;
    server_.make_ready(to_);
  }

  [[nodiscard]] wire::writer& body() noexcept { return body_; }

 private:
  processor& server_;
  connection& to_;
  wire::writer body_;
  std::size_t start_;
};

/// Tells watchers of changes, each in its own connection's output.
///
/// Only those that may read the node are told (CVE-2024-23944): for a change of children, the parent. Who may not has
/// used up its watch all the same.
class processor::event_sender final : public change_sink {
 public:
  event_sender(processor& server, member_view& seen, std::int64_t zxid) : server_(server), seen_(seen), zxid_(zxid) {}

  void created(std::string_view path, acl_id acl, std::string_view parent, acl_id parent_acl) override;
  void removed(std::string_view path, acl_id acl, std::string_view parent, acl_id parent_acl) override;
  void data_changed(std::string_view path, acl_id acl) override;

 private:
  void tell(const watch_table::receivers& who, wire::event_type type, std::string_view path, acl_id acl);

  processor& server_;
  member_view& seen_;
  std::int64_t zxid_;
};

}  // namespace zkr::backend
