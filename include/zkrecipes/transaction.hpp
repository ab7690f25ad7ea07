#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "zkrecipes/create_options.hpp"
#include "zkrecipes/grant.hpp"
#include "zkrecipes/stat.hpp"

namespace zkr {

/// A list of writes that are applied together, in order, or not at all (ZooKeeper's multi).
///
/// Paths and modes are checked by `client::commit`. Containers and TTL nodes cannot be created in one (the C client
/// aborts on their results). A transaction without operations is refused.
class transaction {
 public:
  /// Fails the transaction unless the node exists with this data version. `any_version`: unless it exists.
  transaction& check(std::string path, std::int32_t version = any_version);
  transaction& create(std::string path, std::string data = {}, create_options options = {});
  /// The same, with the new node's metadata in `transaction_result::stat`, which ZooKeeper's multi has no operation for
  /// that the C client could send. Kafka's way: the node is created empty, and its data set at version 0, by two
  /// operations of the same transaction. So the stat is the node's own (`czxid` = `mzxid` = this transaction), but
  /// `version` is 1; watches see `created` and `data_changed`; and `options.acl` must let us write, else the transaction
  /// fails with no_auth. Not for sequential nodes (unsupported): their name is not known before.
  transaction& create_with_stat(std::string path, std::string data = {}, create_options options = {});
  transaction& set(std::string path, std::string data, std::int32_t version = any_version);
  transaction& remove(std::string path, std::int32_t version = any_version);
  /// Fails the transaction with `ownership_lost` unless `held` is still this very grant on the server.
  transaction& only_while(const grant& held);

  struct check_op {
    std::string path;
    std::int32_t version;
    bool ownership = false;  ///< From only_while(): a failure is `ownership_lost`.
  };
  struct create_op {
    std::string path;
    std::string data;
    create_options options;
    bool with_stat = false;  ///< From create_with_stat().
  };
  struct set_op {
    std::string path;
    std::string data;
    std::int32_t version;
  };
  struct remove_op {
    std::string path;
    std::int32_t version;
  };
  using operation = std::variant<check_op, create_op, set_op, remove_op>;
  [[nodiscard]] const std::vector<operation>& operations() const noexcept { return operations_; }

 private:
  std::vector<operation> operations_;
};

/// What one operation of a transaction gave.
struct transaction_result {
  std::string path;  ///< create: with the sequence number.
  stat_t stat;       ///< set, create_with_stat: after the write. Zero for the others.
};

}  // namespace zkr
