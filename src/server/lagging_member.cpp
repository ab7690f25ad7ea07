#include "server/lagging_member.hpp"

#include "server/storage/record_codec.hpp"

namespace zkr::backend {

lagging_member::lagging_member(const database& leader) : state_(leader.last_zxid()) {
  for (const auto& [id, timeout] : leader.sessions()) state_.restore_session(id, timeout);
  // Parents first, children in order of their creation.
  const node* at = &leader.nodes().root();
  while (at != nullptr) {
    node copy = *at;
    state_.restore_node(at->path, std::move(copy), leader.acl_of(*at));
    if (at->first_child != nullptr) {
      at = at->first_child;
      continue;
    }
    while (at != nullptr && at->next_sibling == nullptr) at = at->parent;
    if (at != nullptr) at = at->next_sibling;
  }
}

void lagging_member::append(const transaction& what) { append_payload(missed_.emplace_back(), what); }

transaction lagging_member::decoded(const std::string& payload) { return decode_payload(payload).value().what; }

}  // namespace zkr::backend
