#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/acl_table.hpp"
#include "server/transaction.hpp"
#include "server/tree.hpp"

namespace zkr::backend {

/// Learns of every change, right after it was made; for removals, of what was there. Decides who is told: the lists are
/// those that guard the node and its parent at this moment.
class change_sink {
 public:
  virtual ~change_sink() = default;
  virtual void created(std::string_view path, acl_id acl, std::string_view parent, acl_id parent_acl) = 0;
  virtual void removed(std::string_view path, acl_id acl, std::string_view parent, acl_id parent_acl) = 0;
  virtual void data_changed(std::string_view path, acl_id acl) = 0;

 protected:
  change_sink() = default;
  change_sink(const change_sink&) = default;
  change_sink& operator=(const change_sink&) = default;
};

/// What a transaction, or one operation of a multi, came to.
struct applied {
  errc code = errc::ok;
  stat_t stat;  ///< Of the node that was created or changed.
};

/// The replicated state of a server: nodes, sessions with their time-outs, and the last zxid. `apply` is the only thing
/// that changes it, and depends on nothing but the state and the transaction.
class database {
 public:
  /// Nothing but what every server has.
  database() noexcept : database(0) {}
  explicit database(std::int64_t last_zxid) noexcept : last_zxid_(last_zxid) {}

  [[nodiscard]] const tree& nodes() const noexcept { return nodes_; }
  [[nodiscard]] const acl_table& acls() const noexcept { return acls_; }
  [[nodiscard]] const acl_list& acl_of(const node& of) const noexcept { return acls_.list(of.acl); }
  [[nodiscard]] std::int64_t last_zxid() const noexcept { return last_zxid_; }
  /// Time-outs in ms, by session.
  [[nodiscard]] const std::unordered_map<std::int64_t, std::int32_t>& sessions() const noexcept { return sessions_; }

  /// Applies a transaction. What does not fit the state (it happens when a log is replayed over a snapshot that is newer
  /// in parts) changes what Apache lets it change; the zxid counts in any case.
  /// @param parts  gets one entry for each operation of a multi.
  applied apply(const transaction& what, change_sink& changes, std::vector<applied>* parts = nullptr);
  /// A fault, not a transaction: the next sequential child of a node gets this number. @return false without the node.
  bool set_next_sequence(std::string_view path, std::int32_t number) noexcept;

  // What a snapshot holds, put into a new database.

  void restore_session(std::int64_t id, std::int32_t timeout_ms) { sessions_[id] = timeout_ms; }
  /// @return false where there can be no such node, or there is one already.
  bool restore_node(std::string_view path, node&& stored, const acl_list& acl);
  void restore_zxid(std::int64_t zxid) noexcept { last_zxid_ = zxid; }

 private:
  class applier;

  tree nodes_;
  acl_table acls_;
  std::unordered_map<std::int64_t, std::int32_t> sessions_;
  std::int64_t last_zxid_;
};

}  // namespace zkr::backend
