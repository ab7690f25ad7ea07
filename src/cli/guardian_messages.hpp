#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "cli/warden.hpp"

// What the tool and its guardian say to each other, one packet each, between two images of one program.
namespace zkr::cli {

struct to_guardian {
  enum class kind : std::int32_t { run, renewed, at_risk, lost, forward };
  kind what = kind::lost;
  std::int32_t signal = 0;
  time_point valid_until{};
  warden::settings with{};
  // `run`: "NAME=VALUE" and a zero byte for each variable follow.
};

struct from_guardian {
  enum class kind : std::int32_t { started, ended };
  kind what = kind::ended;
  pid_t pid = 0;
  std::int32_t wait_status = 0;
  bool has_status = false;
  bool ended_by_us = false;
};

static_assert(std::is_trivially_copyable_v<to_guardian> && std::is_trivially_copyable_v<from_guardian>);

/// Sends a packet without waiting. @return false where the other side is gone or does not read, or it is too large.
bool send_packet(int socket, const void* head, std::size_t bytes, const std::string& tail = {}) noexcept;
/// One packet, head and tail; empty where the other side is gone, unset where there is none now.
[[nodiscard]] std::optional<std::string> receive_packet(int socket);

}  // namespace zkr::cli
