#pragma once

#include <cstdint>
#include <string_view>

#include "server/tree.hpp"

namespace zkr::backend {

/// Adler-32, going on from `so_far`.
[[nodiscard]] std::uint32_t adler32(std::string_view bytes, std::uint32_t so_far = 1) noexcept;

/// What a node adds to Apache's digest of a tree: a CRC-32 over path, data and stored numbers; 0 below /zookeeper.
[[nodiscard]] std::uint64_t digest_of(const node& one);
/// The sum over all nodes, modulo 2^64 (version 2 of the digest).
[[nodiscard]] std::uint64_t digest_of(const tree& nodes);
inline constexpr std::int32_t digest_version = 2;

/// Calls `visit` for every node, parents first, the last child before the others. (Then the nodes of an empty tree come
/// in the order in which Apache writes them.)
template <typename Visitor>
void walk(const tree& nodes, Visitor visit) {
  const node* at = &nodes.root();
  while (at != nullptr) {
    visit(*at);
    if (at->last_child != nullptr) {
      at = at->last_child;
      continue;
    }
    while (at != nullptr && at->previous_sibling == nullptr) at = at->parent;
    if (at != nullptr) at = at->previous_sibling;
  }
}

}  // namespace zkr::backend
