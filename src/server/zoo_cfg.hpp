#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/settings.hpp"

namespace zkr::backend {

/// Settings from several places, and where each came from.
class configuration {
 public:
  /// Reads the text of an Apache zoo.cfg. What it says replaces what was set before; a key that stands there twice, what
  /// it said first.
  ///
  /// @param file  the name by which errors call it.
  /// @return      the first thing that is wrong, as "FILE:LINE: KEY: WHAT", or "". What stands before it is taken over.
  [[nodiscard]] std::string read(std::string_view text, std::string_view file);

  /// Sets one key. @param origin  what to call the place: "--port".
  /// @return  what is wrong, as "ORIGIN: WHAT", or "".
  [[nodiscard]] std::string set(std::string_view key, std::string_view value, std::string_view origin);

  /// Whether the settings fit each other, in the form of `read`. To be asked when all are there.
  [[nodiscard]] std::string check() const;

  [[nodiscard]] const server_settings& settings() const noexcept { return settings_; }
  /// Keys that Apache obeys, and this server does without; each once, in the order of the file.
  [[nodiscard]] const std::vector<std::string>& unneeded() const noexcept { return unneeded_; }
  /// Where the key's value comes from: "zoo.cfg:3", "--port", or "default".
  [[nodiscard]] std::string origin(std::string_view key) const;

  /// All settings as a zoo.cfg, each under a comment with its origin. `read` understands it; secrets are left out.
  [[nodiscard]] std::string print() const;

 private:
  server_settings settings_;
  std::map<std::string, std::string, std::less<>> origins_;
  std::vector<std::string> unneeded_;
};

}  // namespace zkr::backend
