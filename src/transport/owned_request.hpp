#pragma once

#include <forward_list>
#include <string>

#include "wire/messages.hpp"

namespace zkr::transport {

/// A request that is sent later: it owns what it refers to. Made of those only that check_request() lets through.
class owned_request {
 public:
  explicit owned_request(const wire::request& of);
  owned_request(owned_request&&) noexcept = default;
  owned_request& operator=(owned_request&&) noexcept = default;
  owned_request(const owned_request&) = delete;
  owned_request& operator=(const owned_request&) = delete;

  [[nodiscard]] const wire::request& get() const noexcept { return request_; }

 private:
  struct keeper;

  wire::request request_;
  std::forward_list<std::string> texts_;  // elements stay where they are when it is moved
};

}  // namespace zkr::transport
