#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zkr::wire {

/// jute.maxbuffer's default (0xfffff): the longest frame that servers and clients accept, without its length.
inline constexpr std::size_t max_frame_bytes = 1'048'575;
inline constexpr std::size_t frame_length_bytes = 4;

enum class frame_status {
  complete,
  need_more,
  bad_length,  ///< Negative or over the limit: the stream cannot be followed any further.
};

struct frame_split {
  frame_status status = frame_status::need_more;
  std::string_view frame;    ///< The payload, where complete.
  std::size_t consumed = 0;  ///< Bytes of the input that the frame took, its length included.
  std::size_t wanted = 0;    ///< Where more is needed: bytes the whole frame will take, 4 as long as that is unknown.
};

/// Looks for one frame at the beginning of what was received so far.
[[nodiscard]] frame_split split_frame(std::string_view received, std::size_t limit = max_frame_bytes) noexcept;

}  // namespace zkr::wire
