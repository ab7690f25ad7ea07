#pragma once

#include <string>

#include "zkrecipes/operations.hpp"

// Writes that may be repeated, because the library finds out what became of the one whose reply was lost.
//
// `operations` never repeats a write whose outcome is unknown. These do, after a lost connection: as soon as the session
// is connected again they look at the node, behind a transaction that only checks. What the old connection had not
// brought to the leader by then never arrives: servers refuse a session's requests by any way but its latest connection.
// So the node shows whether the write was applied, as far as said below; if it was not, the write is sent again.
//
// They end with the session they were begun in: `session_lost` after a write was sent leaves its outcome unknown, as do the
// deadline and the stop token. One deadline (`operation_timeout` by default) is for the whole.
//
// Threads, blocking and handlers: as of `operations`.
namespace zkr {

/// Creates a node, once.
///
/// Own work is recognised, after a lost reply, by:
/// - sequential modes: the name. It gets Curator's prefix: "/a/job-" becomes "/a/_c_<uuid>-job-0000000007". Certain.
/// - ephemeral: the session that owns the node, its data, and version 0. Certain, unless another thread creates the same
///   path with the same data by the same session.
/// - other modes: data, no owner, and version 0. Certain only where no other writer creates this path with the same data:
///   **put something of the writer's own into the data** where it matters who was first.
///
/// A node of ours that others changed or removed before we looked is not recognised. Changed: node_exists with
/// outcome::unknown. Removed: it is created again (a queue whose consumers remove its nodes may see such a node twice).
///
/// @par Errors  as of `operations::create`. node_exists with outcome::not_applied: the node is another's.
result<created> idempotent_create(const operations& client, std::string path, std::string data = {},
                                  create_options options = {}, call_options wait = {});
void async_idempotent_create(const operations& client, std::string path, std::string data, create_options options,
                             handler<created> done, call_options wait = {});

/// Replaces a node's data if nobody has done so since `seen`, once.
///
/// Own work is recognised, after a lost reply, by the node's czxid, the next version, and the same data. Certain only where
/// no other writer sets the same data at that version: **put something of the writer's own into the data.** Two clients that
/// count by reading "5" and setting "6" would both believe that they did it, and one count is lost.
///
/// Where others have written since, it cannot be told whether ours was before them.
///
/// @param seen  as a read or write of the node gave it; not `transaction_result::stat` of a plain create.
/// @par Errors  as of `operations::set`. bad_version with outcome::not_applied: another was faster; with outcome::unknown:
///              ours may have been applied before others wrote. no_node with outcome::unknown: the same, before the node
///              was removed, and perhaps created anew.
result<stat_t> idempotent_set(const operations& client, std::string path, std::string data, const stat_t& seen,
                              call_options wait = {});
void async_idempotent_set(const operations& client, std::string path, std::string data, const stat_t& seen,
                          handler<stat_t> done, call_options wait = {});

/// Who removed a node.
enum class removal {
  ours,     ///< This call, by the server's answer.
  unclear,  ///< It is gone, by this call or by somebody else.
};

/// Removes a node if nobody has changed its data since `seen`, once.
///
/// A node that is gone does not tell who removed it: after a lost reply that is `removal::unclear`. Who uses a removal as
/// proof of having been first must take it for a failure.
///
/// @param seen  as a read or write of the node gave it.
/// @par Errors  as of `operations::remove`: no_node, bad_version, not_empty have outcome::not_applied.
result<removal> idempotent_remove(const operations& client, std::string path, const stat_t& seen,
                                  call_options wait = {});
void async_idempotent_remove(const operations& client, std::string path, const stat_t& seen, handler<removal> done,
                             call_options wait = {});

/// Removes a node in the background, for as long as it takes: over reconnects, and over the ends of sessions but for an
/// ephemeral node of the current session, which goes with it. It ends when the node is gone, or another stands in its place
/// (another czxid), or with the client. Its data may change meanwhile.
///
/// Its requests come from the client's reserve: they are not counted against `max_in_flight`.
///
/// A refusal (no_auth, not_empty, ...) ends it too and is told to `observer::on_background_error`, as is the client's end
/// before the node's.
///
/// Not guaranteed: between the look at the node and its removal somebody may remove it and create it anew, at the same
/// version. ZooKeeper cannot compare a czxid; nodes whose names nobody else can have are safe from that.
///
/// @param seen  of the node that is meant: its czxid and owner count.
void guaranteed_remove(const operations& client, std::string path, const stat_t& seen);

}  // namespace zkr
