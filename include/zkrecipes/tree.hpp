#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "zkrecipes/operations.hpp"

// Operations on paths and whole subtrees, each made of several requests to the server.
//
// One deadline (`operation_timeout` by default) and one stop token are for the whole. They end with the session, as every
// operation does. Requests that do no harm twice are repeated over reconnects. None of them is atomic: on failure, what
// was done stays done, and `error::outcome()` is `unknown` unless nothing was.
//
// Threads, blocking and handlers: as of `operations`. The requests of the asynchronous forms wait for room where
// `max_in_flight` are outstanding.
namespace zkr {

/// How missing directories are made.
struct directory_options {
  /// persistent, or container: removed by the server some time after its last child. Others give invalid_argument.
  create_mode mode = create_mode::persistent;
  /// Of each node that is created. Empty: everybody everything.
  acl_list acl = {};
};

/// Makes a node exist, with all its parents: what is missing is created, without data; what exists is left as it is.
///
/// @par Errors  no_auth, invalid_acl, no_children_for_ephemerals, unimplemented (containers, on a server that lacks them),
///              no_node (the chroot does not exist).
result<void> ensure_path(const operations& client, std::string path, directory_options how = {},
                         call_options wait = {});
void async_ensure_path(const operations& client, std::string path, directory_options how, handler<void> done,
                       call_options wait = {});

/// Creates a node, and its parents where they are missing (`parents`). The node itself is created by one write that is
/// not repeated where its outcome is unknown, as by `operations::create`.
///
/// One request where the parents are there.
result<created> create_with_parents(const operations& client, std::string path, std::string data = {},
                                    create_options options = {}, directory_options parents = {},
                                    call_options wait = {});
void async_create_with_parents(const operations& client, std::string path, std::string data, create_options options,
                               directory_options parents, handler<created> done, call_options wait = {});

/// Bounds of what goes over a whole subtree.
struct tree_options {
  /// Requests under way at once, at least 1. Each is one of the client's `max_in_flight`.
  std::size_t max_in_flight = 64;
};

/// Removes a node and all below it, whoever created it, and whatever appears below it meanwhile; nodes that others remove
/// meanwhile are as good. Somebody who goes on creating nodes there can keep it busy until its deadline.
///
/// @par Errors  no_node: there was no such node in the first place. no_auth (the path is that of the node that could not
///              be removed). invalid_argument: "/", and "/zookeeper" where there is no chroot.
result<void> remove_tree(const operations& client, std::string path, tree_options how = {}, call_options wait = {});
void async_remove_tree(const operations& client, std::string path, tree_options how, handler<void> done,
                       call_options wait = {});

struct read_tree_options {
  /// Requests under way at once, at least 1. Each is one of the client's `max_in_flight`.
  std::size_t max_in_flight = 64;
  /// More nodes give `too_large`: the result is held in memory.
  std::size_t max_nodes = 100'000;
  /// What is read of each node beside its metadata. With data: one request more for each node that has children.
  enum class content { stat, data } read = content::stat;
};

/// A node of a subtree that was read.
struct tree_node {
  std::string path;
  std::string data;  ///< Empty unless it was asked for.
  stat_t stat;
};

/// Reads a node and all below it: parents before their children, siblings by name (bytewise).
///
/// Not one moment's view: every node is as it was at some moment of the call. Nodes that vanish meanwhile are left out;
/// of those that appear, some may be.
///
/// @par Errors  no_node: there is no such node. no_auth (the path is that of the node). too_large: `max_nodes`.
result<std::vector<tree_node>> read_tree(const operations& client, std::string path, read_tree_options how = {},
                                         call_options wait = {});
void async_read_tree(const operations& client, std::string path, read_tree_options how,
                     handler<std::vector<tree_node>> done, call_options wait = {});

}  // namespace zkr
