#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "server/access.hpp"
#include "server/database.hpp"
#include "server/event_log.hpp"
#include "server/path_hash.hpp"
#include "server/transaction.hpp"
#include "wire/messages.hpp"

namespace zkr::backend {

/// Who asks.
struct requester {
  std::int64_t session = 0;
  const principals& who;
};

enum class ttl_nodes { enabled, disabled };
/// Whether writes beyond the hard limits of a quota fail.
enum class quota_limits { ignored, enforced };

/// Checks writes against the state, in Apache's order, and turns them into records. Changes nothing.
///
/// A multi's operations see what earlier ones will have done: an overlay holds the few facts about the nodes that the
/// multi touches. (The alternative, applying and undoing, would make the tree change before the transaction exists,
/// and would have to restore every field of every parent.) A single write has no overlay and allocates nothing for one.
class planner {
 public:
  /// @param events  gets quotas that are exceeded.
  planner(const database& state, const requester& by, ttl_nodes ttl, quota_limits quota, sasl_ids sasl,
          event_log& events) noexcept
      : state_(state), by_(by), ttl_(ttl), quota_(quota), sasl_(sasl), events_(events) {}

  /// `into` is the record where the result is ok.
  [[nodiscard]] errc plan(const wire::create_request& request, create_record& into);
  [[nodiscard]] errc plan(const wire::remove_request& request, remove_record& into);
  [[nodiscard]] errc plan(const wire::set_data_request& request, set_data_record& into);
  [[nodiscard]] errc plan(const wire::set_acl_request& request, set_acl_record& into);
  [[nodiscard]] errc plan(const wire::check_request& request, check_record& into);
  /// The operation that fails becomes an error record, and those behind it too (-2). One that cannot even be judged
  /// (marshalling_error) fails the whole request.
  [[nodiscard]] multi_record plan(const wire::multi_request& request);

 private:
  /// What a check needs to know about a node.
  struct facts {
    bool ephemeral = false;
    std::int32_t version = 0;
    std::int32_t aversion = 0;
    std::int32_t creations = 0;
    std::int32_t num_children = 0;
    std::int64_t data_bytes = 0;
    const acl_list* acl = nullptr;
  };
  /// A node as a multi's operations have left it; no facts: removed.
  struct pending {
    std::optional<facts> now;
    acl_list own_acl;
  };

  [[nodiscard]] std::optional<facts> look(std::string_view path) const;
  [[nodiscard]] bool fits_quota(std::string_view path, std::int64_t more_bytes, std::int64_t more_nodes) const;
  [[nodiscard]] bool allowed(const facts& at, std::int32_t permission) const noexcept;
  pending& remember(std::string_view path);
  void foresee(const create_record& record);
  void foresee(const remove_record& record);
  void foresee(const set_data_record& record);
  void foresee(const check_record&) {}
  template <typename Record, typename Request>
  operation_record plan_operation(const Request& request);

  const database& state_;
  const requester& by_;
  ttl_nodes ttl_;
  quota_limits quota_;
  sasl_ids sasl_;
  event_log& events_;
  bool in_multi_ = false;
  std::unordered_map<std::string, pending, path_hash, path_equal> overlay_;
};

}  // namespace zkr::backend
