#include "server/storage/log_writer.hpp"

#include "server/storage/log_file.hpp"

namespace zkr::backend {

// No room is taken in advance: a file that grows as it is written ends, when the power goes, in a short entry, which
// Apache reads over. In one with room the entry may be there in parts, with a checksum that Apache refuses.
result<void> log_writer::append(std::string_view entries, std::int64_t first) {
  if (file_ == nullptr) {
    // A file of this name holds nothing that was read when the server started.
    auto made = to_.make(to_.logs(), to_.log_path(first), [](file& fresh) { return fresh.write(0, log_header()); });
    if (!made) return std::move(made).error();
    file_ = *std::move(made);
    size_ = log_header_bytes;
  }
  if (auto failed = file_->write(size_, entries); !failed) return failed;
  size_ += entries.size();
  const time_point before = boot_clock::now();
  auto done = file_->sync();
  last_sync_ = boot_clock::now() - before;
  return done;
}

}  // namespace zkr::backend
