#pragma once

#include <cstdint>
#include <string>

#include "server/database.hpp"
#include "server/file.hpp"

// Apache's snapshots: sessions, access lists, nodes, a seal; a digest of the tree, a seal.
namespace zkr::backend {

/// Writes the state, as of its last zxid, and syncs the file.
result<void> write_snapshot(file& to, const database& state);

/// Whether a file is worth an attempt: it ends as a snapshot does, or is compressed.
result<bool> looks_complete(file& from, const std::string& path);

/// Reads `path`, whose name says the zxid, into an empty database. Compression follows the name (".gz").
/// @par Errors  io_error: names the place and what is wrong there. unsupported: ".snappy".
result<void> read_snapshot(file& from, const std::string& path, std::int64_t zxid, database& into);

}  // namespace zkr::backend
