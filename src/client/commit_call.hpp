#pragma once

#include "client/inner_calls.hpp"
#include "client/request_rules.hpp"
#include "client/typed_call.hpp"

namespace zkr::detail {

struct encode_transaction {
  transaction writes;

  wire::request operator()(const call&) const {
    wire::multi_request all;
    all.operations.reserve(writes.operations().size());
    for (const auto& one : writes.operations()) all.operations.push_back(std::visit(*this, one));
    return all;
  }
  wire::multi_operation operator()(const transaction::check_op& one) const {
    return wire::check_request{one.path, one.version};
  }
  wire::multi_operation operator()(const transaction::create_op& one) const {
    const auto mode = wire_mode(one.options.mode);
    return wire::create_request{.type = wire::opcode::create,
                                .path = one.path,
                                .data = one.data,
                                .acl = one.options.acl.empty() ? open_acl() : one.options.acl,
                                .flags = static_cast<std::int32_t>(mode.flags)};
  }
  wire::multi_operation operator()(const transaction::set_op& one) const {
    return wire::set_data_request{.path = one.path, .data = one.data, .version = one.version};
  }
  wire::multi_operation operator()(const transaction::remove_op& one) const {
    return wire::remove_request{one.path, one.version};
  }
};

struct decode_transaction {
  std::vector<transaction_result> operator()(const wire::reply& body) const {
    std::vector<transaction_result> all;
    for (const auto& one : std::get<wire::multi_reply>(body).results) {
      auto& result = all.emplace_back();
      if (const auto* created = std::get_if<wire::create_reply>(&one)) {
        result.path = created->path;
        result.stat = created->stat.value_or(stat_t{});
      } else if (const auto* set = std::get_if<wire::stat_reply>(&one)) {
        result.stat = set->stat;
      }
    }
    return all;
  }
};

/// A transaction on its way.
class commit_call final : public typed_call<std::vector<transaction_result>, encode_transaction, decode_transaction> {
 public:
  commit_call(transaction writes, handler<std::vector<transaction_result>> done)
      : typed_call({std::move(writes)}, {}, std::move(done)) {
    type = wire::opcode::multi;
    name = "commit";
  }

  /// Says which operation failed, with its path; a failed only_while() is `ownership_lost`.
  void refine(error& why, const wire::reply& body) const override {
    heartbeat_call::name_culprit(why, body);
    const auto& all = encode_.writes.operations();
    if (!why.failed_operation() || *why.failed_operation() >= all.size()) return;
    const auto index = *why.failed_operation();
    const auto* check = std::get_if<transaction::check_op>(&all[index]);
    const auto code = check != nullptr && check->ownership ? errc::ownership_lost : why.code();
    const auto failed_path = std::visit([](const auto& one) { return one.path; }, all[index]);
    error precise(code, name, failed_path);
    if (why.sent()) precise.set_sent(why.outcome());
    why = std::move(precise.set_failed_operation(index));
  }
};

}  // namespace zkr::detail
