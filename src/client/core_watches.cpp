#include <algorithm>
#include <iterator>

#include "client/core_section.hpp"
#include "client/inner_calls.hpp"
#include "client/session_link.hpp"

// The client core's watches: what they take, their events, and what becomes of those that nobody wants any more.
namespace zkr::detail {

// What the session's watches come to with that of a user's call; 0 for a call that is not to be refused for it.
std::size_t client_core::watch_bytes(const call& one) const noexcept {
  if (!one.has_watch || one.internal) return 0;
  const auto overhead = watch_homes::overhead_bytes + chroot_.size();
  return watches_.path_bytes(overhead) + watch_bytes_under_way_ + one.path.size() + overhead;
}

void client_core::on_watch_event(const session_link& from, const transport::watch_event& event) {
  section held(*this);
  if (&from != link_.get()) return;
  auto type = watch_event_type::removed;
  switch (event.type) {
    case wire::event_type::created: type = watch_event_type::created; break;
    case wire::event_type::removed: break;
    case wire::event_type::data_changed: type = watch_event_type::data_changed; break;
    case wire::event_type::children_changed: type = watch_event_type::children_changed; break;
    case wire::event_type::none: return;
  }
  for (auto& one : watches_.take(event.type, event.path)) {
    auto handler = std::move(one.handler);
    if (observed_ && one.where != inner_strand_) {  // subscriptions, on that one, tell themselves
      handler = [to = options_.observer, threads = options_.runtime, noticed = event.received,
                 handler = std::move(handler)](const watch_event& what) mutable {
        to->on_watch(threads->clock().now() - noticed);
        handler(what);
      };
    }
    auto run = [handler = std::move(handler), type, path = std::string(event.path)]() mutable {
      handler({.type = type, .path = std::move(path)});
    };
    if (one.where->push(std::move(run))) held.todo.kicks.push_back(one.where);
  }
}

// Registers the one-shot watches of an earlier connection anew, for a transport that does not do so by itself.
void client_core::rearm_watches() {
  if (watches_.empty()) return;
  auto one = std::make_shared<set_watches_call>(last_zxid_, watches_.paths(watch_kind::data),
                                                watches_.paths(watch_kind::exist), watches_.paths(watch_kind::child));
  one->generation = machine_.info().generation;
  enqueue(std::move(one));
}

void client_core::forget_watches(const std::string& path) {
  section held(*this);
  drop_unwanted_watches(held, path);
}

// libzookeeper keeps the path of a watch until its event comes, and registers it again after every reconnect.
void client_core::drop_unwanted_watches(section& held, const std::string& path) {
  bool asked_for = false;  // by a read on its way, whose watch a removal behind it would take along
  const auto look = [&](const std::shared_ptr<call>& one) {
    asked_for = asked_for || (one->has_watch && one->at != call::stage::done && one->path == path);
  };
  in_flight_.for_each(look);
  std::for_each(waiting_.begin(), waiting_.end(), look);
  const auto drop = [&](std::initializer_list<watch_kind> kinds, remove_watches_call::kind which) {
    auto unwanted = watches_.take_unwanted(kinds, path);
    std::move(unwanted.watches.begin(), unwanted.watches.end(), std::back_inserter(held.todo.forgotten));
    if (!unwanted.nobody_left || asked_for) return;
    auto one = std::make_shared<remove_watches_call>(path, which);
    one->generation = machine_.info().generation;
    enqueue(std::move(one));
  };
  drop({watch_kind::data, watch_kind::exist}, remove_watches_call::kind::data);
  drop({watch_kind::child}, remove_watches_call::kind::children);
}

}  // namespace zkr::detail
