#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/fault_board.hpp"
#include "server/processor.hpp"

namespace zkr::backend {

/// Which part of an output may be sent yet.
class output_hold {
 public:
  [[nodiscard]] bool empty() const noexcept { return holds_.empty(); }
  /// Everything from there on waits until then.
  void add(std::size_t from, time_point until) { holds_.emplace_back(from, until); }
  /// Bytes at the beginning of an output of `size` that may be sent.
  [[nodiscard]] std::size_t open(std::size_t size, time_point now);
  /// That many bytes were taken out at the beginning.
  void taken(std::size_t bytes);

 private:
  std::deque<std::pair<std::size_t, time_point>> holds_;  ///< By position.
};

/// What faults have made of one connection.
struct connection_faults {
  bool deaf = false;                                ///< Whatever comes is thrown away.
  std::optional<time_point> input_held_until = {};  ///< No frame is handed over before; the next is not judged again.
  std::optional<time_point> wake_at = {};           ///< Set by `receive`: look at the connection again then.
  output_hold output;

  /// Something waits for its time, and the connection for it.
  [[nodiscard]] bool holds() const noexcept { return input_held_until || !output.empty(); }
  [[nodiscard]] bool held(time_point now) const noexcept { return input_held_until && now < *input_held_until; }
};

/// Stands between the listener and the processor, and does what the rules say. Without rules it is not there.
///
/// @par Threads  the processor's.
class fault_gate {
 public:
  /// @param rules  null: there never are any.
  fault_gate(processor& server, std::shared_ptr<fault_board> rules) : server_(server), rules_(std::move(rules)) {}

  [[nodiscard]] bool refuses_connection();

  enum class outcome {
    taken,
    closing,  ///< Taken, and the connection takes no more.
    held,     ///< Not taken: hand it over again when `input_held_until` has come.
  };
  /// `processor::receive`, with faults.
  outcome receive(connection_id from, connection_faults& state, std::string_view frame, instant at);

 private:
  [[nodiscard]] std::optional<fault_rules::decision> judge(connection_id from, std::string_view frame);
  outcome carry_out(const fault_rules::decision& what, connection_id from, connection_faults& state,
                    std::string_view frame, instant at);
  outcome pass(connection_id from, std::string_view frame, instant at);
  outcome close(connection_id which);
  [[nodiscard]] std::size_t reply_behind(std::size_t start, connection_id of, bool handshake);
  void drop_reply(std::size_t start, connection_id of, bool handshake);
  void refuse(connection_id from, std::string_view handshake, instant at);

  processor& server_;
  std::shared_ptr<fault_board> rules_;
};

}  // namespace zkr::backend
