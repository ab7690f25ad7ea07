#include "cli/stat_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/exit_status.hpp"

namespace zkr::cli {
namespace {

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i <= bytes.size() ? digits[group >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace

std::string utc(std::int64_t milliseconds) {
  auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  auto rest = milliseconds % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  std::tm broken{};
  if (gmtime_r(&seconds, &broken) == nullptr) return fmt::format("{}ms", milliseconds);
  return fmt::format("{:%FT%T}.{:03}Z", broken, rest);
}

std::string hex(std::int64_t number) { return fmt::format("{:#x}", static_cast<std::uint64_t>(number)); }

std::string stat_lines(const stat_t& stat) {
  return fmt::format(
      "czxid {}\nmzxid {}\npzxid {}\nctime {}\nmtime {}\nversion {}\ncversion {}\naversion {}\n"
      "ephemeral_owner {}\ndata_length {}\nnum_children {}\n",
      hex(stat.czxid), hex(stat.mzxid), hex(stat.pzxid), utc(stat.ctime), utc(stat.mtime), stat.version, stat.cversion,
      stat.aversion, hex(stat.ephemeral_owner), stat.data_length, stat.num_children);
}

nlohmann::ordered_json stat_json(const stat_t& stat) {
  return {{"czxid", stat.czxid},
          {"mzxid", stat.mzxid},
          {"pzxid", stat.pzxid},
          {"ctime_ms", stat.ctime},
          {"mtime_ms", stat.mtime},
          {"version", stat.version},
          {"cversion", stat.cversion},
          {"aversion", stat.aversion},
          {"ephemeral_owner", stat.ephemeral_owner},
          {"data_length", stat.data_length},
          {"num_children", stat.num_children}};
}

void put_data(nlohmann::ordered_json& into, const std::string& data) {
  try {
    (void)nlohmann::json(data).dump();  // strict: it is the library that knows UTF-8
    into["data"] = data;
  } catch (const nlohmann::json::type_error&) {
    into["data_base64"] = base64(data);
  }
}

int print_json(const nlohmann::ordered_json& what) {
  return print_raw(what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

int print_raw(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0) {
    return exit_status::ok;
  }
  if (errno != EPIPE) fmt::print(stderr, "zkr: cannot write to standard output: {}\n", std::strerror(errno));
  return exit_status::failure;
}

}  // namespace zkr::cli
