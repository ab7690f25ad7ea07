#pragma once

#include <memory>
#include <string>

#include "zkrecipes/node.hpp"
#include "zkrecipes/session.hpp"
#include "zkrecipes/subscription.hpp"

// The subscriptions of zkr::operations (C11). All of them work on the library's own strand and report on the user's.
namespace zkr {
class executor;
}
namespace zkr::detail {

class client_core;

[[nodiscard]] subscription watch_node(const std::shared_ptr<client_core>& core, executor* handlers, std::string path,
                                      unique_function<void(const node_change&)> handler);
[[nodiscard]] subscription watch_children(const std::shared_ptr<client_core>& core, executor* handlers,
                                          std::string path, unique_function<void(const children_change&)> handler);
[[nodiscard]] subscription watch_session(const std::shared_ptr<client_core>& core, executor* handlers,
                                         unique_function<void(const session_info&)> handler);

}  // namespace zkr::detail
