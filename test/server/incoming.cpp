#include "server/incoming.hpp"

#include <gtest/gtest.h>

namespace zkr::testing {

wire::reply incoming::as(wire::opcode of) const {
  EXPECT_EQ(header.code, errc::ok);
  const wire::decoded_reply decoded = wire::decode_reply(body, of);
  EXPECT_EQ(decoded.code, errc::ok) << "the body does not fit the type of the request";
  return decoded.body;
}

stat_t incoming::stat(wire::opcode of) const {
  const wire::reply reply = as(of);
  if (const auto* body_with_stat = std::get_if<wire::stat_reply>(&reply)) return body_with_stat->stat;
  if (const auto* got = std::get_if<wire::get_data_reply>(&reply)) return got->stat;
  if (const auto* made = std::get_if<wire::create_reply>(&reply)) return made->stat.value();
  if (const auto* listed = std::get_if<wire::get_children_reply>(&reply)) return listed->stat.value();
  return std::get<wire::get_acl_reply>(reply).stat;
}

std::ostream& operator<<(std::ostream& out, const seen_event& event) {
  return out << static_cast<int>(event.type) << " " << event.path;
}

}  // namespace zkr::testing
