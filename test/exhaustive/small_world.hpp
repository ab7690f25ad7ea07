#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/processor.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr::exhaustive {

/// What may happen next, to one contender. Small enough that a path through a search is a list of them.
struct step {
  enum class kind : std::uint8_t {
    // What happens by itself, sooner or later.
    start,       ///< The campaign begins.
    serve,       ///< The server takes the next request of a connection.
    deliver,     ///< The client takes the next reply, event or end of its connection.
    reconnect,   ///< The client finds the server again, or begins a new session where the old one is over.
    give,        ///< The lease is certain: a grant that was asked for is given.
    tell_end,    ///< The client notices that a grant has lapsed, or that a heartbeat's check failed.
    release,     ///< The holder has had enough.
    fire_timer,  ///< A timer of the machine's goes off.
    bury,        ///< The session of a crashed contender times out.
    catch_up,    ///< The lagging member applies what it has missed. Concerns nobody in particular.
    // Faults. The search allows only so many of them.
    drop,             ///< The connection is lost. What is on its way to the server may still arrive until `reconnect`.
    drop_to_lagging,  ///< The same, and the next server is a member that lags behind from now on.
    expire,           ///< The server ends the session. The lease has run out just before.
    lapse,            ///< The lease runs out while the session lives.
    crash,            ///< The process ends.
    cancel,           ///< The caller gives up.
  };
  kind what = kind::start;
  std::uint8_t who = 0;
};
inline constexpr step::kind all_faults[] = {step::kind::drop,  step::kind::drop_to_lagging, step::kind::expire,
                                            step::kind::lapse, step::kind::crash,           step::kind::cancel};
[[nodiscard]] bool is_fault(step::kind what) noexcept;
[[nodiscard]] std::string_view to_string(step::kind what) noexcept;
[[nodiscard]] std::string to_text(const step& one);

/// A few contenders, one machine and one session each, and the real server's processor between them. Every message is on
/// its way until a step delivers it: whoever chooses the steps chooses the interleaving. Made by the same steps it is
/// always the same, so a search needs no copy of it.
///
/// What it checks: at most one holds a grant whose lease is certain; tokens grow; a grant is for a node of the present
/// session; a machine ends once, with a word; it leaves nothing behind.
class small_world {
 public:
  using make_machine = std::function<std::unique_ptr<recipes::machine>(int contender)>;

  small_world(int contenders, const make_machine& make);

  /// Which faults a history may have: at most so many, of these kinds, none of a kind twice.
  struct fault_rule {
    int most = 0;
    std::vector<step::kind> kinds = {std::begin(all_faults), std::end(all_faults)};
  };
  /// The steps that are possible, faults among them where the rule allows another.
  [[nodiscard]] std::vector<step> possible(const fault_rule& faults) const;
  void perform(const step& one);
  /// All that the future depends on, as bytes: two worlds with the same digest behave alike. Numbers that depend on the
  /// interleaving alone (zxids, session ids) stand in it by what they came from.
  [[nodiscard]] std::string digest() const;
  /// For a world in which no step but faults is possible: what is wrong with that being the end.
  void check_end();
  /// The first rule that was broken; empty where none was.
  [[nodiscard]] const std::string& broken() const { return broken_; }
  /// What happened, a line each; empty unless `keep_notes`.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  void keep_notes() { keeps_notes_ = true; }

 private:
  struct outgoing {
    recipes::tag which = 0;
    recipes::operation what = {};
    std::int32_t xid = 0;
    bool sets_watches = false;  ///< The client's own request after a reconnect; no machine asked for it.
  };
  struct incoming {
    enum class kind : std::uint8_t { reply, event, closed } what = kind::reply;
    outgoing asked = {};
    std::optional<result<recipes::reply_value>> value = std::nullopt;
    wire::event_type type = wire::event_type::none;
    std::string path = {};
    std::int64_t zxid = 0;
  };
  enum class watch_kind : std::uint8_t { data, exist, child };
  struct watch {
    watch_kind kind;
    std::string path;
    recipes::tag which;
  };
  struct grant {
    recipes::take_grant asked;
    bool given = false;
    bool lapsed = false;
  };
  struct contender {
    std::unique_ptr<recipes::machine> algorithm;
    unique_function<std::string()> make_uuid;
    std::string past;  ///< A hash of all that the machine was told; it is deterministic, so this is its state.
    bool started = false, finished = false, crashed = false, cancelled = false, verdict = false, was_given = false;
    std::optional<grant> held;
    std::vector<recipes::tag> timers;

    std::int64_t session = 0;
    int sessions = 0;
    std::string password;
    std::int32_t last_xid = 0;
    std::int64_t last_zxid = 0;
    bool connected = false;
    bool lags = false;
    backend::connection_id at_server = 0;  ///< Also of a lost connection, as long as the server has it.
    std::deque<outgoing> waiting;          ///< For a connection.
    std::deque<outgoing> to_server;
    std::deque<outgoing> unanswered;  ///< Sent on this connection, in order.
    std::deque<incoming> to_client;
    std::vector<watch> watches;
  };

  [[nodiscard]] std::optional<step> delivery_that_can_come_first() const;
  void connect(int who);
  void tell(int who, const recipes::event& what, const std::string& text);
  void perform(int who, const recipes::action& what);
  void send(contender& one, outgoing what);
  void serve(int who);
  void deliver(int who);
  void lose_connection(int who);
  void reconnect(int who);
  void collect();
  void give(int who);
  void tell_end(int who);
  void take_event(contender& one, int who, const incoming& event);
  [[nodiscard]] std::optional<std::string> frame_of(const contender& one, const outgoing& what) const;
  [[nodiscard]] bool session_lives(const contender& one) const;
  [[nodiscard]] bool check_holds(const recipes::take_grant& asked) const;
  [[nodiscard]] std::string label(std::int64_t zxid) const;
  [[nodiscard]] std::string owner_label(std::int64_t session) const;
  [[nodiscard]] std::string to_text(const result<recipes::reply_value>& value) const;
  [[nodiscard]] std::string to_text(const stat_t& stat) const;
  [[nodiscard]] std::string nodes_text() const;
  void fail(const std::string& rule);
  void note(std::string line);

  backend::instant now_;
  backend::processor server_;
  std::vector<contender> all_;
  std::map<std::int64_t, std::string> writers_;  ///< Who made the transaction of a zxid.
  std::map<std::int64_t, std::string> owners_;   ///< Whose session a number names.
  std::int64_t labelled_ = 0;
  std::int64_t last_token_ = 0;
  bool lagging_ = false;
  std::string seen_by_lagging_;     ///< What the lagging member has applied.
  std::vector<step::kind> faults_;  ///< That have happened.
  bool keeps_notes_ = false;
  std::vector<std::string> notes_;
  std::string broken_;
};

}  // namespace zkr::exhaustive
