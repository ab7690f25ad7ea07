#pragma once

#include <string_view>

#include "transport/transport.hpp"

namespace zkr::transport {

/// Bytes of a request's frame, without its length: header and body.
[[nodiscard]] std::size_t frame_bytes(const wire::request& of, std::size_t chroot_bytes);

/// Whether the C library may see a request at all. It does not check what matters: one bad path in a transaction frees
/// memory twice, a container in one aborts the process when the reply comes, a path that leaves the chroot is sent.
///
/// @return ok; invalid_path, too_large, invalid_argument, or unsupported for what the library cannot do.
[[nodiscard]] errc check_request(const wire::request& of, watch_mode watch, std::string_view chroot,
                                 std::size_t largest_frame_bytes);

}  // namespace zkr::transport
