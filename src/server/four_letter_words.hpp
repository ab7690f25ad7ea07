#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/processor.hpp"

namespace zkr::backend {

/// What "srvr" and "envi" call this server: a version that kazoo and go-zookeeper can read, in the old form of the date
/// (they cannot read that of Apache 3.8).
inline constexpr std::string_view server_version = "3.8.0-zkrecipes, built on 02/25/2022 08:49 GMT";

/// What the words tell besides the state of the processor.
struct server_facts {
  std::string address;
  std::uint16_t port = 0;
  std::size_t max_connections_per_address = 60;
  std::int64_t started_ms = 0;    ///< Wall clock.
  std::int64_t trace_mask = 306;  ///< Apache's default. It can be set and asked for, and has no effect.
  std::string data_dir = {};      ///< Where the snapshots are; empty: there are none.
  std::string data_log_dir = {};
};

// What words and commands both show.

/// Connections, the oldest first.
[[nodiscard]] std::vector<const connection*> by_age(const processor& server);
/// Apache's four letters, or so, for a type of request.
[[nodiscard]] std::string_view short_name(wire::opcode type) noexcept;
[[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_of_server();
/// Of the files that stand in a folder; 0 where there is none.
[[nodiscard]] std::uint64_t bytes_below(const std::string& directory);

/// True for the words that ZooKeeper knows. Anything else at the start of a connection is a frame's length.
[[nodiscard]] bool is_four_letter_word(std::string_view word) noexcept;

/// Which of them are answered. "*" stands for all.
class word_list {
 public:
  explicit word_list(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}
  [[nodiscard]] bool allows(std::string_view word) const noexcept;

 private:
  std::vector<std::string> allowed_;
};

/// The whole answer, after which the connection ends. `asker` is left out of the lists of connections.
[[nodiscard]] std::string answer(std::string_view word, processor& server, const server_facts& facts,
                                 connection_id asker, instant at);
[[nodiscard]] std::string refusal(std::string_view word);

}  // namespace zkr::backend
