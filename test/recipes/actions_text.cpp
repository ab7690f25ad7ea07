#include "recipes/actions_text.hpp"

#include <fmt/format.h>

namespace zkr::recipes::testing {
namespace {

std::string_view mode_name(create_mode mode) {
  switch (mode) {
    case create_mode::persistent: return "persistent";
    case create_mode::ephemeral: return "ephemeral";
    case create_mode::persistent_sequential: return "persistent_sequential";
    case create_mode::ephemeral_sequential: return "ephemeral_sequential";
    case create_mode::container: return "container";
    case create_mode::ttl: return "ttl";
    case create_mode::ttl_sequential: return "ttl_sequential";
  }
  return "?";
}

struct operation_text {
  static std::string create(const std::string& path, const std::string& data, const create_options& options) {
    auto text = fmt::format("create {} {} '{}'", path, mode_name(options.mode), data);
    if (!options.acl.empty()) text += " acl " + options.acl.front().id;
    return text;
  }
  static std::string watched(std::string_view name, const std::string& path, bool watch) {
    return fmt::format("{} {}{}", name, path, watch ? " watch" : "");
  }
  std::string operator()(const create_node& it) const { return create(it.path, it.data, it.options); }
  std::string operator()(const read_node& it) const { return watched("read", it.path, it.watch); }
  std::string operator()(const check_exists& it) const { return watched("exists", it.path, it.watch); }
  std::string operator()(const list_children& it) const { return watched("list", it.path, it.watch); }
  std::string operator()(const set_data& it) const {
    return fmt::format("set {} '{}' {}", it.path, it.data, it.version);
  }
  std::string operator()(const remove_node& it) const { return fmt::format("remove {} {}", it.path, it.version); }
  std::string operator()(const sync_node& it) const { return fmt::format("sync {}", it.path); }
  std::string operator()(const commit& it) const {
    std::string text;
    for (const auto& write : it.writes.operations()) {
      if (!text.empty()) text += ", ";
      text += std::visit(*this, write);
    }
    return "commit [" + text + "]";
  }
  std::string operator()(const transaction::check_op& it) const {
    return fmt::format("check {} {}", it.path, it.version);
  }
  std::string operator()(const transaction::create_op& it) const { return create(it.path, it.data, it.options); }
  std::string operator()(const transaction::set_op& it) const {
    return fmt::format("set {} '{}' {}", it.path, it.data, it.version);
  }
  std::string operator()(const transaction::remove_op& it) const {
    return fmt::format("remove {} {}", it.path, it.version);
  }
};

struct action_text {
  std::string operator()(const request& it) const { return to_text(it.operation); }
  std::string operator()(const start_timer& it) const {
    return fmt::format("timer {}ms", std::chrono::duration_cast<std::chrono::milliseconds>(it.after).count());
  }
  std::string operator()(const stop_timer&) const { return "stop_timer"; }
  std::string operator()(const take_grant& it) const {
    return fmt::format("grant {} {} check {} {}", it.path, it.fencing_token, it.check_path, it.check_version);
  }
  std::string operator()(const end_grant&) const { return "end_grant"; }
  std::string operator()(const keep_lease_warm& it) const { return it.on ? "warm" : "cold"; }
  std::string operator()(const emit& it) const {
    std::string text = "emit ";
    switch (it.what) {
      case emit_failed: text += "failed"; break;
      case emit_released: text += "released"; break;
      case emit_report: text += "report"; break;
      default: text += fmt::format("{} {} '{}'", it.what, it.number, it.text); break;
    }
    if (it.problem) text += fmt::format(" {}", to_string(it.problem->code()));
    return text;
  }
  std::string operator()(const finish&) const { return "finish"; }
};

}  // namespace

std::string to_text(const operation& what) { return std::visit(operation_text{}, what); }
std::string to_text(const action& what) { return std::visit(action_text{}, what); }

}  // namespace zkr::recipes::testing
