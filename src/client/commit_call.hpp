#pragma once

#include <algorithm>

#include "client/inner_calls.hpp"
#include "client/request_rules.hpp"
#include "client/typed_call.hpp"

namespace zkr::detail {

struct encode_transaction {
  transaction writes;

  wire::request operator()(const call&) const {
    wire::multi_request all;
    all.operations.reserve(writes.operations().size());
    for (const auto& one : writes.operations()) {
      all.operations.push_back(std::visit(*this, one));
      if (const auto* created = with_stat(one)) {
        all.operations.emplace_back(wire::set_data_request{.path = created->path, .data = created->data, .version = 0});
      }
    }
    return all;
  }
  /// The create that a set follows, for the sake of its stat; nullptr for all other operations.
  [[nodiscard]] static const transaction::create_op* with_stat(const transaction::operation& one) {
    const auto* created = std::get_if<transaction::create_op>(&one);
    return created != nullptr && created->with_stat ? created : nullptr;
  }
  /// The user's operation that operation `index` on the wire belongs to.
  [[nodiscard]] std::size_t origin(std::size_t index) const {
    const auto& all = writes.operations();
    std::size_t last = 0;  // on the wire, of the user's operation `of`
    for (std::size_t of = 0; of < all.size(); ++of, ++last) {
      if (with_stat(all[of]) != nullptr) ++last;
      if (index <= last) return of;
    }
    return all.size();
  }
  wire::multi_operation operator()(const transaction::check_op& one) const {
    return wire::check_request{one.path, one.version};
  }
  wire::multi_operation operator()(const transaction::create_op& one) const {
    const auto mode = wire_mode(one.options.mode);
    return wire::create_request{.type = wire::opcode::create,
                                .path = one.path,
                                .data = one.with_stat ? std::string_view("") : one.data,
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
  std::vector<std::size_t> with_stat = {};  ///< Where on the wire a set stands that belongs to the create before it.

  [[nodiscard]] static decode_transaction of(const transaction& writes) {
    decode_transaction made;
    std::size_t next = 0;
    for (const auto& one : writes.operations()) {
      ++next;
      if (encode_transaction::with_stat(one) != nullptr) made.with_stat.push_back(next++);
    }
    return made;
  }

  std::vector<transaction_result> operator()(const wire::reply& body) const {
    std::vector<transaction_result> all;
    const auto& results = std::get<wire::multi_reply>(body).results;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& one = results[i];
      auto& result = std::binary_search(with_stat.begin(), with_stat.end(), i) ? all.back() : all.emplace_back();
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
  commit_call(transaction&& writes, handler<std::vector<transaction_result>> done)
      : commit_call(decode_transaction::of(writes), std::move(writes), std::move(done)) {}

  /// Says which operation failed, with its path; a failed only_while() is `ownership_lost`.
  void refine(error& why, const wire::reply& body) const override {
    heartbeat_call::name_culprit(why, body);
    const auto& all = encode_.writes.operations();
    if (!why.failed_operation()) return;
    const auto index = encode_.origin(*why.failed_operation());
    if (index >= all.size()) return;
    const auto* check = std::get_if<transaction::check_op>(&all[index]);
    const auto code = check != nullptr && check->ownership ? errc::ownership_lost : why.code();
    const auto failed_path = std::visit([](const auto& one) { return one.path; }, all[index]);
    error precise(code, name, failed_path);
    if (why.sent()) precise.set_sent(why.outcome());
    why = std::move(precise.set_failed_operation(index));
  }

 private:
  commit_call(decode_transaction decode, transaction&& writes, handler<std::vector<transaction_result>> done)
      : typed_call({std::move(writes)}, std::move(decode), std::move(done)) {
    type = wire::opcode::multi;
    name = "commit";
  }
};

}  // namespace zkr::detail
