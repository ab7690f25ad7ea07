#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "zkrecipes/client_options.hpp"

namespace zkr::detail {

class client_core;

/// In which sessions the watches of a client's subscriptions live.
///
/// After a reconnect libzookeeper registers all watches of a session anew in one packet, and a server closes the
/// connection over a packet of 1 MiB (jute.maxbuffer), again and again (ZOOKEEPER-706). So no session gets more than
/// `most_bytes` of watched paths: the client's own has the first subscriptions and all one-shot watches; what does not
/// fit lives in auxiliary sessions, which are opened when they are needed, closed when they are empty, and nobody's
/// business: the client's observer and its `session()` do not see them.
class watch_homes {
 public:
  /// What a path costs in that packet, besides its bytes.
  static constexpr std::size_t overhead_bytes = 4;
  /// A session's share. What is left of the packet is for recipes, whose watches are never refused nor moved.
  static constexpr std::size_t most_bytes = 800'000;
  /// What subscriptions may have of the client's own session.
  static constexpr std::size_t most_bytes_at_home = 400'000;

  /// A subscription, as far as it has to do with its place.
  class lodger {
   public:
    virtual ~lodger() = default;
    /// There is room now. Called once at most, without a lock; nullptr: the client is closed, and there is none any more.
    virtual void move_into(const std::shared_ptr<client_core>& home) = 0;
  };

  /// A place for a subscription to a path; of `client`, which owns this, or an auxiliary one. Where there is none, `who`
  /// waits for one: those that wait get theirs in the order in which they came, as far as each fits.
  ///
  /// @par Errors  overloaded: all subscriptions together would exceed `max_watch_bytes`.
  result<std::shared_ptr<client_core>> move_in(const std::shared_ptr<client_core>& client, const std::string& path,
                                               std::weak_ptr<lodger> who);
  void move_out(const std::shared_ptr<client_core>& client, const client_core* home, const std::string& path);

  /// The auxiliary ones.
  [[nodiscard]] std::vector<std::shared_ptr<client_core>> others() const;
  /// Begins to close them; nobody moves in any more.
  void close() noexcept;

 private:
  struct place {
    std::shared_ptr<client_core> core;
    std::size_t bytes = 0;
  };

  struct waiting {
    std::weak_ptr<lodger> who;
    std::string path;
  };
  struct admitted {
    std::shared_ptr<lodger> who;
    std::shared_ptr<client_core> home;
  };

  // With mutex_ held:
  [[nodiscard]] result<std::shared_ptr<client_core>> find_room(const std::shared_ptr<client_core>& client,
                                                               const std::string& path);
  [[nodiscard]] std::vector<admitted> admit(const std::shared_ptr<client_core>& client);

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::vector<place> others_;
  std::vector<waiting> waiting_;
  std::size_t bytes_at_home_ = 0;
  std::size_t total_bytes_ = 0;
  bool closed_ = false;
};

}  // namespace zkr::detail
