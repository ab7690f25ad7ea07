#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/settings.hpp"

namespace zkr::backend {

/// How a key of zoo.cfg is spelled: some are Java system properties to Apache, and have a prefix there.
enum class key_form { plain, property };

/// A key that this server obeys.
struct setting_rule {
  std::string_view key;
  key_form form;
  /// Takes a value over. @return what is wrong with it, or "".
  std::string (*read)(server_settings& into, std::string_view value);
  /// The value as `read` takes it; unset: nothing to say.
  std::optional<std::string> (*write)(const server_settings& from);
  bool secret = false;  ///< Not to be printed.
};

[[nodiscard]] std::span<const setting_rule> setting_rules() noexcept;

/// The rule of a key as it stands in a file, or null.
[[nodiscard]] const setting_rule* find_rule(std::string_view key) noexcept;

/// Why a key that Apache knows cannot be obeyed and must not be ignored; "": it may.
[[nodiscard]] std::string refusal_of(std::string_view key, std::string_view value);

/// Whether Apache knows the key, and this server can do without it.
[[nodiscard]] bool is_unneeded(std::string_view key) noexcept;

}  // namespace zkr::backend
