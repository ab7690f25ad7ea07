#include "wire/frame.hpp"

#include "wire/reader.hpp"

namespace zkr::wire {

frame_split split_frame(std::string_view received, std::size_t limit) noexcept {
  frame_split split;
  split.wanted = frame_length_bytes;
  if (received.size() < frame_length_bytes) return split;

  const std::int32_t length = reader(received).int32();
  if (length < 0 || static_cast<std::size_t>(length) > limit) {
    split.status = frame_status::bad_length;
    return split;
  }
  split.wanted = frame_length_bytes + static_cast<std::size_t>(length);
  if (received.size() < split.wanted) return split;

  split.status = frame_status::complete;
  split.consumed = split.wanted;
  split.frame = received.substr(frame_length_bytes, static_cast<std::size_t>(length));
  return split;
}

}  // namespace zkr::wire
