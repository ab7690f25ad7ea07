#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/owner.hpp"
#include "wire/messages.hpp"
#include "zkrecipes/acl.hpp"
#include "zkrecipes/errc.hpp"

// What a write has become once it was checked: values only, nothing that depends on the state any more. Applying the
// same transactions to the same tree gives the same tree; Apache's log holds exactly these records.
namespace zkr::backend {

struct transaction_header {
  std::int64_t session = 0;
  std::int32_t cxid = 0;  ///< The client's xid; 0 for what the server does by itself.
  std::int64_t zxid = 0;
  std::int64_t time_ms = 0;
};

// Views point into the request's frame (or into the log).

struct create_record {
  wire::opcode type = wire::opcode::create;  ///< 1, 15, 19 or 21.
  std::string path;                          ///< With its sequence number.
  wire::buffer data;
  acl_list acl;
  node_kind kind = node_kind::persistent;
  std::int64_t ttl_ms = 0;
  std::int32_t parent_creations = -1;  ///< What the parent's counter becomes; -1: one more than it is.
};
struct remove_record {
  std::string_view path;
  bool reaped = false;  ///< By the server itself: a container or a TTL node.
};
struct set_data_record {
  std::string_view path;
  wire::buffer data;
  std::int32_t version = 0;  ///< The new one.
};
struct set_acl_record {
  std::string_view path;
  acl_list acl;
  std::int32_t version = 0;  ///< The new one.
};
struct check_record {
  std::string_view path;
  std::int32_t version = 0;
};
struct create_session_record {
  std::int32_t timeout_ms = 0;
};
struct close_session_record {
  std::vector<std::string> paths;  ///< The session's ephemeral nodes, in the order in which they go.
};
/// A request that failed: it has a zxid and changes nothing.
struct error_record {
  errc code = errc::ok;
};

using operation_record = std::variant<create_record, remove_record, set_data_record, check_record, error_record>;
/// Void as a whole where one of its records is an error.
struct multi_record {
  std::vector<operation_record> operations;
};

using transaction_record = std::variant<error_record, create_record, remove_record, set_data_record, set_acl_record,
                                        create_session_record, close_session_record, multi_record>;

struct transaction {
  transaction_header header;
  transaction_record record;
};

[[nodiscard]] bool has_failed(const multi_record& multi) noexcept;

}  // namespace zkr::backend
