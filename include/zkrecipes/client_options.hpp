#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/clock.hpp"
#include "zkrecipes/observer.hpp"
#include "zkrecipes/result.hpp"
#include "zkrecipes/runtime.hpp"
#include "zkrecipes/session_ticket.hpp"

namespace zkr {

struct auth_entry {
  std::string scheme;       ///< "digest", ...
  std::string credentials;  ///< "user:password" for digest. Never printed.
};

/// Whether `connect` waits for the first session. `background`: there is a client at once, also where no server can be
/// reached, or found by its name; operations wait for the session inside their deadlines, subscriptions begin with it.
enum class start_mode { wait, background };
/// What follows a lost session.
enum class session_loss { reopen, stay_closed };
/// What to do where the chroot does not exist.
enum class missing_chroot { fail, create };

struct client_options {
  /// "host[:port],host[:port]…[/chroot]". Default port 2181; IPv6 in brackets. Names are resolved by us, to all their
  /// addresses, duplicates removed.
  std::string hosts = "127.0.0.1:2181";
  /// Asked of the server, which clamps it to its own limits (2 to 20 ticks). At least 8 ticks is advised: see docs/leases.md.
  duration session_timeout = std::chrono::seconds(10);
  /// Default deadline of an operation, from the call to its result. Greater than 0.
  duration operation_timeout = std::chrono::seconds(15);
  /// A first connection that is not answered by then is given up for a fresh one. Unset: a third of session_timeout,
  /// 200 ms at least.
  std::optional<duration> handshake_timeout = std::nullopt;
  /// How long a session may be without a reply before it counts as lost. Unset: 4/3 of its negotiated time-out.
  std::optional<duration> loss_timeout = std::nullopt;
  start_mode start = start_mode::wait;
  session_loss on_session_loss = session_loss::reopen;
  missing_chroot chroot = missing_chroot::fail;
  /// Sent on every connection before anything else.
  std::vector<auth_entry> auth = {};
  /// A session of an earlier process to go on with, from `client::ticket()`. Where it is over, a new one begins
  /// (`on_session_loss`), and `session()` says so: its generation is 2. See `client::adopt_session`.
  std::optional<session_ticket> resume = std::nullopt;
  /// Operations outstanding at once, 1 to 16,384. More give `overloaded` (asynchronous) or wait (blocking).
  std::size_t max_in_flight = 8192;
  /// All paths that subscriptions of this client watch at once, in bytes and 4 more for each: 1 to 100,000,000. What would
  /// be more is told `overloaded`, and begins by itself when there is room. 400,000 of them are watched in the client's own
  /// session, each further 800,000 in a session more, with two threads of libzookeeper's: see docs/sessions.md.
  std::size_t max_watch_bytes = 8'000'000;
  /// Longest wait of `close()` and the destructor for the session's end on the server.
  duration close_timeout = std::chrono::seconds(2);

  /// What the user asserts of the servers, for longer leases (docs/leases.md). `tick_time`: their tickTime; at most a
  /// quarter of the negotiated time-out lets heartbeats go out twice as often. `follower_timeout`: syncLimit x tickTime;
  /// at most half of the time-out lets one heartbeat renew instead of two.
  std::optional<duration> tick_time = std::nullopt;
  std::optional<duration> follower_timeout = std::nullopt;
  /// Taken off every lease for differing clock rates. Unset: a tenth of the time-out, which is also the least.
  std::optional<duration> lease_margin = std::nullopt;
  /// How long before the end of a lease `grant::at_risk` fires. Unset: a tenth of the time-out.
  std::optional<duration> warn_before = std::nullopt;

  /// Where callbacks run; unset: the runtime's dispatch thread. Must outlive the client.
  zkr::executor* callback_executor = nullptr;
  std::shared_ptr<zkr::observer> observer = nullptr;
  /// Unset: the one that all such clients share.
  std::shared_ptr<zkr::runtime> runtime = nullptr;

  /// Options from one text: `zk://host1,host2:2182/app?session_timeout=10s&auth=digest:user:password`.
  ///
  /// What stands between "zk://" and '?' is `hosts`. Behind it are the options by their names here, each once at most but
  /// for `auth` (SCHEME:CREDENTIALS). Durations have a unit ("500ms", "10s", "2m", "1h"), choices are spelt as their
  /// enumerators. "%2F" is '/', in the chroot and in values. What the text does not name has its default;
  /// `callback_executor`, `observer`, `resume` and `runtime` cannot be named.
  ///
  /// @par Errors  invalid_argument: what does not fit, as by `validate`, and names that there are not. The message names
  ///              the option and never holds credentials.
  [[nodiscard]] static result<client_options> from_uri(std::string_view uri);

  /// Options from environment variables: `prefix`SERVERS is `hosts`, every other option has its name in capitals:
  /// ZKR_SESSION_TIMEOUT=10s. Values are those of `from_uri`, without percent signs; `auth` has one entry. Not to be
  /// called while another thread changes the environment.
  ///
  /// @par Errors  invalid_argument, as by `from_uri`, also for a variable that begins with `prefix` and stands for no
  ///              option. (With the default prefix, the four that `zkr elect` gives its command are passed over:
  ///              ZKR_FENCING_TOKEN, ZKR_PATH, ZKR_NODE, ZKR_ID.)
  [[nodiscard]] static result<client_options> from_env(std::string_view prefix = "ZKR_");

  /// Names the first option that is out of its range.
  [[nodiscard]] result<void> validate() const;
};

}  // namespace zkr
