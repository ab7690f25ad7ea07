#include "cli/read_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/text.hpp"

namespace zkr::cli {

std::optional<std::string> read_file(const std::string& name) {
  const auto close = [](std::FILE* file) {
    if (file != stdin) std::fclose(file);
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(name == "-" ? stdin : std::fopen(name.c_str(), "rb"), close);
  std::string data;
  char buffer[65536];
  while (file != nullptr && std::feof(file.get()) == 0 && std::ferror(file.get()) == 0) {
    data.append(buffer, std::fread(buffer, 1, sizeof buffer, file.get()));
  }
  if (file == nullptr || std::ferror(file.get()) != 0) {
    fmt::print(stderr, "zkr: cannot read {}: {}\n", printable(name), std::strerror(errno));
    return std::nullopt;
  }
  return data;
}

}  // namespace zkr::cli
