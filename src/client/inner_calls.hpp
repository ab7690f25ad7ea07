#pragma once

#include "client/call.hpp"
#include "client/lease_keeper.hpp"
#include "zkrecipes/client_options.hpp"

// What the client sends of its own accord. Nobody waits for the answers.
namespace zkr::detail {

class inner_call : public call {
 public:
  inner_call() noexcept {
    internal = true;
    urgent = true;
  }
  void succeed(const wire::reply&) override {}
  void fail(error) override {}
  void deliver() override {}
};

/// A heartbeat of the lease (docs/leases.md): a transaction of checks, or a read of the root.
class heartbeat_call final : public inner_call {
 public:
  explicit heartbeat_call(lease_keeper::heartbeat beat) : beat_(std::move(beat)) {
    type = beat_.read ? wire::opcode::exists : wire::opcode::multi;
    name = "heartbeat";
    heartbeat = beat_.number;
  }

  [[nodiscard]] wire::request encode() const override {
    if (beat_.read) return wire::exists_request{.path = "/"};
    wire::multi_request all;
    for (const auto& one : beat_.checks.operations()) {
      const auto& check = std::get<transaction::check_op>(one);
      all.operations.emplace_back(wire::check_request{check.path, check.version});
    }
    return all;
  }
  void refine(error& why, const wire::reply& body) const override { name_culprit(why, body); }

  /// Finds the operation that failed a transaction: the first result whose error is neither ok nor the filler.
  static void name_culprit(error& why, const wire::reply& body) {
    const auto* reply = std::get_if<wire::multi_reply>(&body);
    if (reply == nullptr) return;
    for (std::size_t i = 0; i < reply->results.size(); ++i) {
      const auto* failed = std::get_if<wire::error_result>(&reply->results[i]);
      if (failed != nullptr && failed->code != errc::ok && failed->code != errc::runtime_inconsistency) {
        why.set_failed_operation(i);
        return;
      }
    }
  }

 private:
  const lease_keeper::heartbeat beat_;
};

class auth_call final : public inner_call {
 public:
  explicit auth_call(auth_entry entry) : entry_(std::move(entry)) {
    type = wire::opcode::auth;
    name = "add_auth";
  }
  [[nodiscard]] wire::request encode() const override {
    return wire::auth_request{.scheme = entry_.scheme, .credentials = entry_.credentials};
  }

 private:
  const auth_entry entry_;
};

/// Takes a path's watches off the server and out of libzookeeper's tables, once nobody wants them any more.
class remove_watches_call final : public inner_call {
 public:
  enum class kind : std::int32_t { children = 1, data = 2 };

  remove_watches_call(std::string of, kind which) : kind_(which) {
    type = wire::opcode::remove_watches;
    name = "remove_watches";
    path = std::move(of);
    urgent = false;  // in turn with the reads that set them
  }
  [[nodiscard]] wire::request encode() const override {
    return wire::remove_watches_request{.path = path, .kind = static_cast<std::int32_t>(kind_)};
  }

 private:
  const kind kind_;
};

class set_watches_call final : public inner_call {
 public:
  set_watches_call(std::int64_t zxid, const wire::string_list& data, const wire::string_list& exist,
                   const wire::string_list& child)
      : zxid_(zxid),
        data_(data.begin(), data.end()),
        exist_(exist.begin(), exist.end()),
        child_(child.begin(), child.end()) {
    type = wire::opcode::set_watches;
    name = "set_watches";
  }
  [[nodiscard]] wire::request encode() const override {
    wire::set_watches_request all;
    all.relative_zxid = zxid_;
    all.data.assign(data_.begin(), data_.end());
    all.exist.assign(exist_.begin(), exist_.end());
    all.child.assign(child_.begin(), child_.end());
    return all;
  }

 private:
  const std::int64_t zxid_;
  const std::vector<std::string> data_;
  const std::vector<std::string> exist_;
  const std::vector<std::string> child_;
};

}  // namespace zkr::detail
