#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>

#include "wire/messages.hpp"

namespace zkr::testing {

/// A request, and what it means to the one who sends it.
struct random_request {
  wire::request what;
  bool alone = false;  ///< Not to be sent behind others that are not answered yet: its effect is not in their order.
};

/// Requests of all types, well and badly formed, on few paths, so that they meet. The same seed gives the same requests.
class random_requests {
 public:
  explicit random_requests(std::uint64_t seed) : random_(seed) {}

  /// Everything that follows happens below `root`, mostly; the texts of earlier requests are gone.
  void begin_round(std::string root);
  [[nodiscard]] random_request next();
  /// 0 to `limit` - 1.
  [[nodiscard]] std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  [[nodiscard]] bool one_in(std::size_t times) { return below(times) == 0; }

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  [[nodiscard]] std::string_view path();
  [[nodiscard]] std::string_view odd_path();
  [[nodiscard]] wire::add_watch_request add_watch();
  [[nodiscard]] bool may_watch(std::string_view where);
  [[nodiscard]] wire::buffer data();
  [[nodiscard]] acl_list acl();
  [[nodiscard]] std::int32_t version();
  [[nodiscard]] wire::create_request create();
  [[nodiscard]] wire::multi_request multi();
  [[nodiscard]] wire::multi_read_request multi_read();
  [[nodiscard]] wire::set_watches_request set_watches();
  [[nodiscard]] wire::string_list paths(const char* one, const char* other);

  std::mt19937_64 random_;
  std::string root_;
  std::deque<std::string> texts_;
};

}  // namespace zkr::testing
