#include "zkrecipes/session_ticket.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace zkr {
namespace {

// One line: "zkrecipes-session 1 ID PASSWORD", the last two in hexadecimal digits.
constexpr std::string_view magic = "zkrecipes-session 1 ";
constexpr std::size_t id_digits = 16;
constexpr std::size_t secret_digits = 32;
constexpr std::size_t file_bytes = magic.size() + id_digits + 1 + secret_digits + 1;

error failed(const char* what, const std::string& file) {
  return error(errc::io_error, "session_ticket", {},
               file + ": " + what + ": " + std::generic_category().message(errno));
}

error refused(const char* why, const std::string& file) {
  return error(errc::invalid_argument, "session_ticket", {}, file + ": " + why);
}

template <typename Number>
void append_hex(std::string& to, Number number) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int shift = static_cast<int>(sizeof number) * 8 - 4; shift >= 0; shift -= 4) to += digits[number >> shift & 15U];
}

template <typename Number>
bool read_hex(std::string_view digits, Number& into) {
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), into, 16);
  return problem == std::errc() && end == digits.data() + digits.size();
}

struct open_file {
  explicit open_file(int of) noexcept : fd(of) {}
  ~open_file() {
    if (fd >= 0) ::close(fd);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  const int fd;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) return false;
    if (wrote > 0) bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(fd) == 0;
}

/// So that the new name outlives a crash, too.
bool sync_folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path();
  const open_file opened(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.fd >= 0 && ::fsync(opened.fd) == 0;
}

}  // namespace

result<void> session_ticket::save(const std::string& file) const {
  std::string text(magic);
  append_hex(text, static_cast<std::uint64_t>(id_));
  text += ' ';
  for (const char byte : secret_) append_hex(text, static_cast<std::uint8_t>(byte));
  text += '\n';
  auto temporary = file + ".XXXXXX";
  const open_file made(::mkostemp(temporary.data(), O_CLOEXEC));  // with mode 0600
  if (made.fd < 0) return failed("cannot be created", file);
  const bool written = write_all(made.fd, text);
  if (!written || ::rename(temporary.c_str(), file.c_str()) != 0) {
    auto why = failed(written ? "cannot be replaced" : "cannot be written", file);
    ::unlink(temporary.c_str());
    return why;
  }
  if (!sync_folder_of(file)) return failed("its folder cannot be synchronised", file);
  return {};
}

result<session_ticket> session_ticket::load(const std::string& file) {
  const open_file opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.fd < 0) return failed("cannot be opened", file);
  struct stat about {};
  if (::fstat(opened.fd, &about) != 0) return failed("cannot be looked at", file);
  if ((about.st_mode & 077U) != 0) return refused("others than its owner have access; its mode must be 0600", file);
  std::string text(file_bytes + 1, '\0');  // one more, so that a longer file is seen as such
  std::size_t length = 0;
  while (length < text.size()) {
    const auto got = ::read(opened.fd, text.data() + length, text.size() - length);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return failed("cannot be read", file);
    if (got > 0) length += static_cast<std::size_t>(got);
  }
  const auto line = std::string_view(text).substr(0, length);
  std::uint64_t id = 0;
  password secret{};
  bool good = length == file_bytes && line.starts_with(magic) && line.back() == '\n' &&
              line[magic.size() + id_digits] == ' ' && read_hex(line.substr(magic.size(), id_digits), id) && id != 0;
  for (std::size_t i = 0; good && i < secret.size(); ++i) {
    std::uint8_t byte = 0;
    good = read_hex(line.substr(magic.size() + id_digits + 1 + 2 * i, 2), byte);
    secret[i] = static_cast<char>(byte);
  }
  if (!good) return refused("not the ticket of a session", file);
  return session_ticket(static_cast<std::int64_t>(id), secret);
}

}  // namespace zkr
