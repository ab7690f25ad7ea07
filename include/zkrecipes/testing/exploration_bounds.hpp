#pragma once

#include <chrono>

#include "zkrecipes/clock.hpp"

namespace zkr::testing {

/// What an exploration stays within and holds recipes to: the numbers behind docs/promises.md, in this one place.
struct exploration_bounds {
  // ---- inside of the stated assumptions ----
  /// A process's clock against the server's: seconds of its own that pass in one of the server's. A lease is short by the
  /// margin, a tenth of T, so a clock may be slower by that much; how fast it is does not matter, up to what T's own
  /// rounding allows.
  double slowest_clock = 0.91;
  double fastest_clock = 1.10;

  // ---- outside of them ----
  double slowest_clock_outside = 0.60;
  double fastest_clock_outside = 1.60;

  // ---- what is demanded in both ----
  /// A wait has ended at most this long after its deadline, its stop token or its client's closing: 20 ms for a timer
  /// whose thread waits for a processor, and the same for the next one.
  duration answer = std::chrono::milliseconds(100);
  /// After the last fault somebody acquires within this many session time-outs: a session whose end nobody told its client
  /// counts as lost after 4/3 T; one whose process died ends on the server after T and a tick; and a connection that is
  /// silent is left after 2/3 T. The rest is handshakes and requests.
  double recovery_timeouts = 2.5;
  /// And so much later with an ensemble: syncLimit ticks and one more until those that lost their leader notice, and the
  /// election.
  duration election = std::chrono::seconds(4);
  /// When all are closed, what a dead process or a close without network left behind is gone after T, a tick and a few
  /// messages.
  double clean_timeouts = 1.5;
  /// What a subscription shows is the server's state this long after the last change: a commit, a notification, a list and
  /// a read are six messages of up to 82 ms each in a slow network, and there may have been a change just before.
  duration convergence = std::chrono::seconds(1);
};

}  // namespace zkr::testing
