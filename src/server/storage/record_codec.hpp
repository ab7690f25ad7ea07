#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/transaction.hpp"

// Transactions <-> the payloads of Apache's log: header, record, and a digest of the tree that may be left out.
namespace zkr::backend {

/// Longest payload, string and buffer that Apache reads (twice its jute.maxbuffer).
inline constexpr std::size_t largest_payload_bytes = 2'097'150;

void append_payload(std::string& to, const transaction& what, std::optional<std::uint64_t> digest = std::nullopt);

struct decoded_payload {
  transaction what;
  std::optional<std::uint64_t> digest;
};

/// The views of the result point into `payload`. Nothing where it is not a whole record of a type that we know. A check
/// outside of a multi, which 3.8 writes and cannot read again, becomes a record that changes nothing.
[[nodiscard]] std::optional<decoded_payload> decode_payload(std::string_view payload);

}  // namespace zkr::backend
