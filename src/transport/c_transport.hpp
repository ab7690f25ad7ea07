#pragma once

#include "transport/resolver.hpp"
#include "transport/transport.hpp"

namespace zkr::transport {

/// The production transport: libzookeeper-mt, its asynchronous functions only.
///
/// What it does with what the seam leaves open, because of the library below:
/// - open() looks up the host names and blocks meanwhile. The addresses hold for the session; the attempts at a first
///   connection look them up anew. A `handshake_timeout` of zero or less leaves all waiting to the library (2/3 of the
///   session time-out a server), as does a resumed session.
/// - submit() refuses anything with `overloaded` beyond 20,000 requests in flight, and `auth` with connection_loss
///   while there is no connection. Once accepted it is repeated on every later one, whatever its reply. It is sent when
///   all earlier requests are answered, and later ones wait behind it: the library would put it into the middle of a
///   request that is half sent. Its reply has no connection number.
/// - The reply to set_acl is empty, that to a create inside a transaction has no stat.
/// - A re-attached session's `handshake_submitted` is the submission of the last request that was answered before.
/// - A sequential create of "/" under a chroot is an invalid_path: it would leave the chroot.
/// - The library's descriptors are not close-on-exec: whoever executes another program closes them.
/// - All one-shot watches go in one frame after a reconnect: beyond 1 MiB of paths a server cuts the connection, and
///   the session cannot be resumed any more (ZOOKEEPER-706).
[[nodiscard]] std::unique_ptr<transport> make_c_transport(const transport_options& options, sink& reports_to,
                                                          scheduler& clock);

/// The same with another way from names to addresses.
[[nodiscard]] std::unique_ptr<transport> make_c_transport_with(const transport_options& options, sink& reports_to,
                                                               scheduler& clock, resolver names);

}  // namespace zkr::transport
