#pragma once

#include <zookeeper/zookeeper.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/resolver.hpp"
#include "transport/transport.hpp"
#include "transport/zk_log.hpp"

// The one header that includes the C library's. What stands here is for c_session and c_calls only.
namespace zkr::transport {

class c_session;
struct pending_call;

/// One handle of the C library, and the context of all its watches.
///
/// Guarded by the session's mutex, but for `session`, by which a watcher finds that mutex.
struct c_handle {
  std::atomic<c_session*> session{nullptr};
  zhandle_t* zh = nullptr;  ///< Null until zookeeper_init has returned or a first event has come.
  std::size_t users = 0;    ///< Calls inside the library at this moment: it must not be closed under them.
  bool retired = false;     ///< To be closed and replaced: its events count no more.
  log_channel log;
};

/// What must live as long as a transaction is under way: the library writes its results here when the reply comes.
struct multi_call {
  std::vector<zoo_op_t> operations;
  std::vector<zoo_op_result_t> results;
  std::vector<std::string> paths;
  std::vector<std::string> created;  ///< Buffers for the names of created nodes.
  std::vector<Stat> stats;
};

/// The memory for a transaction; null for every other request.
[[nodiscard]] std::unique_ptr<multi_call> make_multi(const wire::request& of);
/// A transaction's results, as views into `from`. May turn `code` from ok into an error.
[[nodiscard]] wire::multi_reply results_of(const multi_call& from, errc& code);

/// Calls the library function that stands for a request. `call` is what its completion will name.
int send(c_handle& handle, zhandle_t* zh, pending_call& call, multi_call* multi, const wire::request& of,
         watch_mode watch);

/// Asks for something that changes nothing and proves that all that went before it has left.
int send_probe(zhandle_t* zh, pending_call& call);

/// The server that a handle is connected to.
[[nodiscard]] std::optional<server_address> peer_of(zhandle_t* zh);

/// The watcher of sessions, and no other's.
void on_session(zhandle_t* zh, int type, int state, const char* path, void* context);

[[nodiscard]] errc to_errc(int rc) noexcept;

}  // namespace zkr::transport
