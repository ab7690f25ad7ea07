#include "server/acl_table.hpp"

#include "wire/writer.hpp"

namespace zkr::backend {

acl_table::acl_table() { acquire(read_acl()); }

// The list as the protocol writes it: equal lists, and no others, have equal bytes.
std::string acl_table::key_of(const acl_list& list) {
  std::string key;
  wire::writer(key).acl(list);
  return key;
}

acl_id acl_table::acquire(const acl_list& list) {
  if (list == open_acl()) return open_acl_id;
  const auto [at, inserted] = ids_.try_emplace(key_of(list), last_id_ + 1);
  entry& found = entries_[at->second];
  if (inserted) {
    ++last_id_;
    found.list = list;
  }
  ++found.users;
  return at->second;
}

void acl_table::release(acl_id id) noexcept {
  const auto found = entries_.find(id);
  if (found == entries_.end() || --found->second.users > 0) return;
  ids_.erase(key_of(found->second.list));
  entries_.erase(found);
}

const acl_list& acl_table::list(acl_id id) const noexcept {
  const auto found = entries_.find(id);
  return found == entries_.end() ? open_acl() : found->second.list;
}

}  // namespace zkr::backend
