#pragma once

#include <optional>
#include <string_view>

#include "wire/messages.hpp"
#include "zkrecipes/path.hpp"
#include "zkrecipes/transaction.hpp"

// What is refused before it is sent (C12): whatever the C library crashes on, the server answers by closing the
// connection, or ZooKeeper would silently do differently.
namespace zkr::detail {

struct wire_create_mode {
  wire::opcode type;
  wire::create_flags flags;
};
[[nodiscard]] wire_create_mode wire_mode(create_mode mode) noexcept;

[[nodiscard]] std::optional<error> why_refuse_path(std::string_view operation, std::string_view path,
                                                   path_kind kind = path_kind::node);
[[nodiscard]] std::optional<error> why_refuse_write(std::string_view operation, std::string_view path,
                                                    std::size_t data_bytes, std::size_t largest_bytes);
[[nodiscard]] std::optional<error> why_refuse_create(std::string_view operation, std::string_view path,
                                                     std::size_t data_bytes, const create_options& options,
                                                     std::size_t largest_bytes);
[[nodiscard]] std::optional<error> why_refuse_transaction(const transaction& writes, std::size_t largest_bytes);

}  // namespace zkr::detail
