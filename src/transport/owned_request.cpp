#include "transport/owned_request.hpp"

namespace zkr::transport {

struct owned_request::keeper {
  std::forward_list<std::string>& texts;

  void keep(std::string_view& text) const { text = texts.emplace_front(text); }
  void keep(wire::buffer& bytes) const {
    if (bytes) keep(*bytes);
  }

  void operator()(wire::auth_request& of) const {
    keep(of.scheme);
    keep(of.credentials);
  }
  void operator()(wire::multi_request& of) const {
    for (auto& one : of.operations) std::visit(*this, one);
  }
  template <typename Request>
  void operator()(Request& of) const {
    if constexpr (requires { of.path; }) keep(of.path);
    if constexpr (requires {
                    of.data;
                    of.path;
                  })
      keep(of.data);
  }
};

owned_request::owned_request(const wire::request& of) : request_(of) { std::visit(keeper{texts_}, request_); }

}  // namespace zkr::transport
