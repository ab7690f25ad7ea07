#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "client/strand.hpp"
#include "transport/transport.hpp"
#include "zkrecipes/call_options.hpp"
#include "zkrecipes/node.hpp"

namespace zkr::detail {

class client_core;

/// One operation on its way: what is asked, by when, and where the answer goes. Made by operations.cpp, owned by
/// whichever of the core's queues it waits in.
class call : public std::enable_shared_from_this<call> {
 public:
  virtual ~call() = default;

  /// The request, in views of this object.
  [[nodiscard]] virtual wire::request encode() const = 0;
  /// Keeps the answer for deliver(). Exactly one of the two is called, once.
  virtual void succeed(const wire::reply& body) = 0;
  virtual void fail(error why) = 0;
  /// Hands the answer to whoever asked.
  virtual void deliver() = 0;
  /// Turns the reply of a failed transaction into its error; nothing for other operations.
  virtual void refine(error& why, const wire::reply& body) const { (void)why, (void)body; }

  // What is asked; set before the call is submitted, constant afterwards.
  wire::opcode type = wire::opcode::notification;
  std::string_view name;  ///< "create", ...; static storage.
  std::string path;
  watch_handler watch;  ///< One-shot; moves to the watch table with the reply.
  std::optional<std::weak_ptr<const void>> watch_owner;
  bool has_watch = false;
  bool internal = false;         ///< From the reserve: not counted against max_in_flight.
  bool urgent = false;           ///< Overtakes everything that waits: heartbeats, auth and watches on a new connection.
  std::uint64_t heartbeat = 0;   ///< The lease keeper's number of a heartbeat, which nobody else waits for; else 0.
  bool blocking = false;         ///< Waits for room instead of failing with `overloaded`.
  std::uint64_t generation = 0;  ///< The only session that it may be sent in; 0: any.
  std::shared_ptr<strand> where;        ///< Where it is delivered; unset: at once, on the thread that has the answer.
  std::shared_ptr<strand> watch_where;  ///< Where the watch's handler runs.
  std::optional<error> refused;         ///< Found wrong before it was sent.

  // How far it is; guarded by the core's lock.
  enum class stage : std::uint8_t { fresh, queued, in_flight, done };
  stage at = stage::fresh;
  time_point submitted;  ///< When it was called.
  time_point deadline = no_deadline;
  bool sent = false;            ///< In this or an earlier attempt.
  std::size_t watch_bytes = 0;  ///< What its watch takes of the session's share, until it has ended.

  struct stopper {
    std::weak_ptr<client_core> core;
    std::weak_ptr<call> target;
    void operator()() const;
  };
  std::optional<std::stop_callback<stopper>> on_stop;
};

}  // namespace zkr::detail
