#pragma once

#include <optional>
#include <utility>

#include "client/call.hpp"
#include "zkrecipes/operations.hpp"

namespace zkr::detail {

/// A call with a result of type T: `Encode` makes the request out of the call, `Decode` the result out of the reply.
template <typename T, typename Encode, typename Decode>
class typed_call : public call {
 public:
  typed_call(Encode encode, Decode decode, handler<T> done)
      : encode_(std::move(encode)), decode_(std::move(decode)), done_(std::move(done)) {}

  [[nodiscard]] wire::request encode() const override { return encode_(static_cast<const call&>(*this)); }
  void succeed(const wire::reply& body) override {
    if constexpr (std::is_void_v<T>) {
      outcome_.emplace();
    } else {
      try {
        outcome_.emplace(decode_(body));
      } catch (const std::bad_variant_access&) {  // a transport's mistake, not the caller's
        outcome_.emplace(error(errc::marshalling_error, name, path));
      }
    }
  }
  void fail(error why) override { outcome_.emplace(std::move(why)); }
  void deliver() override {
    // The handler goes before the call does: it may own what the call's last reference would otherwise keep.
    auto done = std::move(done_);
    if (done) done(*std::move(outcome_));
  }

 protected:
  const Encode encode_;
  const Decode decode_;

 private:
  handler<T> done_;
  std::optional<result<T>> outcome_;
};

}  // namespace zkr::detail
