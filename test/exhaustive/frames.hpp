#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/messages.hpp"
#include "zkrecipes/recipes/machine.hpp"

// What a client makes of a machine's operations and of the server's bytes: the least that will do.
namespace zkr::exhaustive {

/// Frames without their length, as a processor takes them.
[[nodiscard]] std::string handshake_frame(std::int64_t session_id, const std::string& password, std::int64_t last_zxid,
                                          std::int32_t timeout_ms);
[[nodiscard]] std::string request_frame(std::int32_t xid, const recipes::operation& what);
[[nodiscard]] std::string set_watches_frame(std::int64_t last_zxid, const std::vector<std::string>& data,
                                            const std::vector<std::string>& exist,
                                            const std::vector<std::string>& child);

struct handshake_answer {
  std::int64_t session_id = 0;  ///< 0: the session is over.
  std::string password;
};
/// Takes the answer to a handshake from the beginning of a connection's output; unset where there is none.
[[nodiscard]] std::optional<handshake_answer> take_handshake(std::string& output);

/// One message of a connection's output.
struct received {
  struct change {
    wire::event_type type = wire::event_type::none;
    std::string path;
  };
  std::optional<change> event;  ///< Unset: a reply.
  errc code = errc::ok;
  std::int64_t zxid = 0;
  std::string body;
};
[[nodiscard]] std::vector<received> split(const std::string& output);
/// A reply as a machine gets it.
[[nodiscard]] result<recipes::reply_value> decoded(const recipes::operation& asked, const received& answer);

}  // namespace zkr::exhaustive
