#pragma once

#include <ostream>
#include <string>

#include "wire/codec.hpp"

namespace zkr::testing {

/// One message that a client got: a reply, or an event (its header's xid is -1).
struct incoming {
  wire::reply_header header;
  std::string body;

  [[nodiscard]] errc code() const { return header.code; }
  [[nodiscard]] wire::reply as(wire::opcode of) const;
  [[nodiscard]] stat_t stat(wire::opcode of) const;
};

/// An event as tests write it: {"removed", "/a"}.
struct seen_event {
  wire::event_type type;
  std::string path;

  friend bool operator==(const seen_event&, const seen_event&) = default;
  friend std::ostream& operator<<(std::ostream& out, const seen_event& event);
};

}  // namespace zkr::testing
