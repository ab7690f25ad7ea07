#pragma once

#include "client/client_core.hpp"
#include "zkrecipes/client.hpp"

namespace zkr {

/// The library's own way from the public handles to the core.
class recipe_access {
 public:
  [[nodiscard]] static const std::shared_ptr<detail::client_core>& core(const operations& of) noexcept {
    return of.core_;
  }
  [[nodiscard]] static executor* handlers(const operations& of) noexcept { return of.handlers_; }
  [[nodiscard]] static std::uint64_t generation(const operations& of) noexcept { return of.generation_; }
};

class client_access {
 public:
  [[nodiscard]] static client make(std::shared_ptr<detail::client_core> core) {
    return client(operations(std::move(core), nullptr, 0));
  }
  [[nodiscard]] static const session_ticket::password& secret(const session_ticket& of) noexcept { return of.secret_; }
  /// client::connect over another transport than libzookeeper: for simulations and tests.
  [[nodiscard]] static result<client> connect(client_options options, const transport::factory& make_transport,
                                              const call_options& wait = {});
};

}  // namespace zkr
