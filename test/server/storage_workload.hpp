#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/database.hpp"
#include "server/journal.hpp"
#include "server/memory_file.hpp"
#include "server/storage/data_folder.hpp"

namespace zkr::testing {

/// A journal that keeps the payload of each transaction.
class recording final : public backend::journal {
 public:
  void append(const backend::transaction& what) override;
  void submit() override {}
  [[nodiscard]] std::int64_t durable() const noexcept override { return 0; }

  std::vector<std::string> payloads;
};

/// A number below its argument, from some source of chance.
using chance = std::function<std::size_t(std::size_t)>;

/// Requests of every kind, sensible and not, by clients that come and go.
/// @return the payloads of the transactions that they became, from zxid 1 on.
std::vector<std::string> random_history(std::size_t requests, const chance& pick);

/// Wraps payloads into entries.
std::string entries_of(const std::vector<std::string>& payloads);

/// What tells two states apart: the digest of all nodes, the sessions, the lists, the last zxid.
std::string fingerprint(const backend::database& of);

/// A state to which payloads were applied.
backend::database replayed(const std::vector<std::string>& payloads);

/// A folder on a disk in memory.
struct disk_in_memory {
  disk_in_memory();
  void write(const std::string& path, std::string_view bytes);
  [[nodiscard]] std::string read(const std::string& path);

  backend::memory_file_system files;
  backend::data_folder folder;
};

}  // namespace zkr::testing
