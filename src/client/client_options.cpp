#include "zkrecipes/client_options.hpp"

#include "zkrecipes/path.hpp"

namespace zkr {
namespace {

using namespace std::chrono_literals;

error bad(std::string what) { return error(errc::invalid_argument, "client_options", {}, std::move(what)); }

}  // namespace

result<void> client_options::validate() const {
  const auto slash = hosts.find('/');
  if (hosts.empty() || slash == 0) return bad("hosts: no server is named");
  if (slash != std::string::npos && hosts.size() > slash + 1) {
    if (const auto valid = check_path(std::string_view(hosts).substr(slash)); !valid) {
      return bad("hosts: the chroot is not a valid path: " + valid.error().detail());
    }
  }
  // The protocol has milliseconds, as signed 32 bits.
  if (session_timeout < 1ms || session_timeout > 2'147'483'647ms)
    return bad("session_timeout: must be 1 ms to 24 days");
  if (operation_timeout <= 0s) return bad("operation_timeout: must be greater than 0");
  if (handshake_timeout && *handshake_timeout <= 0s) return bad("handshake_timeout: must be greater than 0");
  if (loss_timeout && *loss_timeout <= 0s) return bad("loss_timeout: must be greater than 0");
  if (max_in_flight < 1 || max_in_flight > 16'384) return bad("max_in_flight: must be 1 to 16384");
  if (max_watch_bytes < 1 || max_watch_bytes > 100'000'000) return bad("max_watch_bytes: must be 1 to 100000000");
  if (close_timeout < 0s) return bad("close_timeout: must not be negative");
  if (tick_time && *tick_time <= 0s) return bad("tick_time: must be greater than 0");
  if (follower_timeout && *follower_timeout <= 0s) return bad("follower_timeout: must be greater than 0");
  if (lease_margin && *lease_margin < 0s) return bad("lease_margin: must not be negative");
  if (warn_before && *warn_before < 0s) return bad("warn_before: must not be negative");
  for (const auto& entry : auth) {
    if (entry.scheme.empty()) return bad("auth: an entry has no scheme");
  }
  return {};
}

}  // namespace zkr
