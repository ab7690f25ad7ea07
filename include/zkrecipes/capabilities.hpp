#pragma once

#include <cstddef>

namespace zkr {

/// What the transport below a client can do, known before anything is asked of it. What it cannot gives `unsupported`, with
/// the reason, or has no function here at all. Servers may lack more: an old one, or one without `extendedTypesEnabled`,
/// answers `unimplemented`.
///
/// libzookeeper-mt 3.8, as Debian has it: the defaults.
struct capabilities {
  bool transactions = true;
  bool containers = true;  ///< create_mode::container, outside of transactions.
  bool ttl = true;         ///< The two TTL modes, outside of transactions.
  /// Containers and TTL nodes in transactions: libzookeeper refuses the one, and aborts on the reply to the other.
  bool extended_transactions = false;
  /// Watches that stay after an event, and for whole subtrees (addWatch): libzookeeper has no function for them.
  /// `operations::watch` is made of one-shot watches.
  bool persistent_watches = false;
  bool multi_read = false;  ///< Several reads in one request: libzookeeper has no function for it.
  bool tls = false;         ///< Debian's package is built without OpenSSL.
  bool sasl = false;        ///< Debian's package is built without Cyrus SASL.
  /// Of a request, header and chroot included; larger ones give `too_large`. A server may take less (jute.maxbuffer).
  std::size_t largest_frame_bytes = 1'048'575;
};

}  // namespace zkr
