#include "client/request_rules.hpp"

#include <string>

namespace zkr::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t header_bytes = 64;  // of a request beside its strings, generously
constexpr std::size_t operation_bytes = 48;

bool is_sequential(create_mode mode) noexcept {
  return mode == create_mode::persistent_sequential || mode == create_mode::ephemeral_sequential ||
         mode == create_mode::ttl_sequential;
}

std::size_t acl_bytes(const acl_list& acl) noexcept {
  std::size_t bytes = 32;
  for (const auto& entry : acl) bytes += 12 + entry.scheme.size() + entry.id.size();
  return bytes;
}

error refuse(errc code, std::string_view operation, std::string_view path, std::string why) {
  return error(code, operation, std::string(path), std::move(why));
}

std::optional<error> why_too_large(std::string_view operation, std::string_view path, std::size_t bytes,
                                   std::size_t largest) {
  if (bytes <= largest) return std::nullopt;
  return refuse(errc::too_large, operation, path,
                "the request has " + std::to_string(bytes) + " bytes, the server takes " + std::to_string(largest));
}

}  // namespace

wire_create_mode wire_mode(create_mode mode) noexcept {
  using wire::create_flags;
  using wire::opcode;
  switch (mode) {
    case create_mode::persistent: break;
    case create_mode::ephemeral: return {opcode::create2, create_flags::ephemeral};
    case create_mode::persistent_sequential: return {opcode::create2, create_flags::persistent_sequential};
    case create_mode::ephemeral_sequential: return {opcode::create2, create_flags::ephemeral_sequential};
    case create_mode::container: return {opcode::create_container, create_flags::container};
    case create_mode::ttl: return {opcode::create_ttl, create_flags::persistent_ttl};
    case create_mode::ttl_sequential: return {opcode::create_ttl, create_flags::persistent_sequential_ttl};
  }
  return {opcode::create2, create_flags::persistent};
}

std::optional<error> why_refuse_path(std::string_view operation, std::string_view path, path_kind kind) {
  auto checked = check_path(path, kind);
  if (checked) return std::nullopt;
  return refuse(errc::invalid_path, operation, path, checked.error().detail());
}

std::optional<error> why_refuse_write(std::string_view operation, std::string_view path, std::size_t data_bytes,
                                      std::size_t largest_bytes) {
  if (auto bad = why_refuse_path(operation, path)) return bad;
  return why_too_large(operation, path, header_bytes + path.size() + data_bytes, largest_bytes);
}

std::optional<error> why_refuse_create(std::string_view operation, std::string_view path, std::size_t data_bytes,
                                       const create_options& options, std::size_t largest_bytes) {
  const auto kind = is_sequential(options.mode) ? path_kind::sequential_stem : path_kind::node;
  if (auto bad = why_refuse_path(operation, path, kind)) return bad;
  const bool has_ttl = options.mode == create_mode::ttl || options.mode == create_mode::ttl_sequential;
  if (has_ttl) {
    // EphemeralType.TTL: 40 bits of milliseconds.
    if (options.ttl < 1ms || options.ttl > std::chrono::milliseconds((std::int64_t{1} << 40) - 1) ||
        options.ttl % 1ms != 0ms) {
      return refuse(errc::invalid_argument, operation, path, "ttl: must be whole milliseconds, 1 to 2^40-1");
    }
  } else if (options.ttl != duration::zero()) {
    return refuse(errc::invalid_argument, operation, path, "ttl: the mode takes none");
  }
  return why_too_large(operation, path, header_bytes + path.size() + data_bytes + acl_bytes(options.acl),
                       largest_bytes);
}

std::optional<error> why_refuse_transaction(const transaction& writes, std::size_t largest_bytes) {
  constexpr std::string_view name = "commit";
  const auto& all = writes.operations();
  if (all.empty()) return refuse(errc::invalid_argument, name, {}, "the transaction has no operation");
  std::size_t bytes = header_bytes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::optional<error> bad;
    if (const auto* check = std::get_if<transaction::check_op>(&all[i])) {
      if (check->ownership && check->path.empty()) {
        bad = refuse(errc::ownership_lost, name, {}, "only_while: the grant was moved from, or never given");
      } else {
        bad = why_refuse_path(name, check->path);
      }
      bytes += operation_bytes + check->path.size();
    } else if (const auto* create = std::get_if<transaction::create_op>(&all[i])) {
      const auto mode = create->options.mode;
      if (mode == create_mode::container || mode == create_mode::ttl || mode == create_mode::ttl_sequential) {
        bad = refuse(errc::unsupported, name, create->path,
                     "containers and TTL nodes cannot be created in a transaction (libzookeeper aborts on the reply)");
      } else if (create->with_stat && is_sequential(mode)) {
        bad = refuse(errc::unsupported, name, create->path,
                     "create_with_stat: the name of a sequential node is not known before it is created");
      } else {
        bad = why_refuse_create(name, create->path, create->data.size(), create->options, largest_bytes);
      }
      if (create->with_stat) bytes += operation_bytes + create->path.size();
      bytes += operation_bytes + create->path.size() + create->data.size() + acl_bytes(create->options.acl);
    } else if (const auto* set = std::get_if<transaction::set_op>(&all[i])) {
      bad = why_refuse_write(name, set->path, set->data.size(), largest_bytes);
      bytes += operation_bytes + set->path.size() + set->data.size();
    } else if (const auto* remove = std::get_if<transaction::remove_op>(&all[i])) {
      bad = why_refuse_path(name, remove->path);
      bytes += operation_bytes + remove->path.size();
    }
    if (bad) return bad->set_failed_operation(i);
  }
  return why_too_large(name, {}, bytes, largest_bytes);
}

}  // namespace zkr::detail
