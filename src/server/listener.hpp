#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/fault_gate.hpp"
#include "server/four_letter_words.hpp"
#include "server/processor.hpp"
#include "wire/stream.hpp"
#include "zkrecipes/scheduler.hpp"

namespace zkr::backend {

struct listener_options {
  std::size_t max_connections_per_address = 60;  ///< 0: no limit.
  std::size_t max_connections = 0;               ///< 0: no limit.
  std::size_t max_frame_bytes = wire::max_frame_bytes;
  std::chrono::milliseconds handshake_timeout{10'000};
  /// Received and not handed over yet, of all connections together; beyond it the connection with the most is closed.
  std::size_t max_input_bytes = std::size_t{32} << 20U;
  std::size_t max_unsent_bytes = std::size_t{4} << 20U;  ///< A connection with more to send is not read from.
  std::vector<std::string> four_letter_words = {"*"};
  std::string data_dir = {};      ///< For the words that show it;
  std::string data_log_dir = {};  ///< and this.
};

/// Between the streams and the processor: finds frames in bytes and four-letter words before them, hands over one after
/// the other, and sends what the processor has to say, in one write for everything that one read caused.
///
/// Whatever a client sends, nothing happens to others: a stream that cannot be followed is closed, one whose output is
/// not taken is not read from, one that never says hello is dropped.
///
/// @par Threads  the scheduler's. Destroy it there, or when the scheduler does not run any more.
class listener {
 public:
  /// @param wall_ms  the wall clock, ms since 1970.
  /// @param log      what nobody may see yet is held back until this has it on the disk; null: nothing is held back.
  /// @param faults   the rules that are followed; null: none.
  listener(processor& server, scheduler& time, std::unique_ptr<wire::acceptor> from, listener_options options,
           std::int64_t (*wall_ms)(), journal* log = nullptr, std::shared_ptr<fault_board> faults = nullptr);
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  void start();
  [[nodiscard]] server_facts& facts() noexcept { return facts_; }
  [[nodiscard]] std::size_t connections() const noexcept { return links_.size(); }
  /// Closes every connection; sessions live on.
  void drop_connections();
  /// Closes every connection and the port, for good.
  void shut();
  /// To be called after anything was done to the processor from outside.
  void flush();
  /// To be called when the journal has more on the disk: what was held back for it leaves.
  void release();
  /// Ends what is due by now: sessions, handshakes, nodes. Called by itself when it is time.
  void tick() { tick(static_cast<std::size_t>(-1)); }
  [[nodiscard]] instant now() const;
  /// Both clocks go on by that much at once, and what is due by then happens. >= 0.
  void step_clock(duration by);

 private:
  /// A connection with its bytes.
  struct link {
    connection_id id = 0;
    std::unique_ptr<wire::stream> bytes;
    std::string address;
    std::string input;    ///< What was received and is not a whole frame yet, or may not be handed over yet.
    std::string sending;  ///< What was taken from the processor and not all of it sent.
    std::size_t sent = 0;
    std::int64_t sending_zxid = 0;  ///< The last transaction that `sending` may tell of.
    std::int64_t output_zxid = 0;   ///< The same for what stands in the processor still.
    unanswered asked;               ///< Requests whose replies stand in the processor,
    unanswered answering;           ///< and in `sending`.
    bool first = true;              ///< Nothing was received that could be told from a four-letter word.
    bool bulky = false;             ///< Its last read filled the buffer: there is more, and others have the precedence.
    bool waiting_to_read = false;
    bool waiting_to_write = false;
    bool held = false;     ///< Until the journal has come further: what is to be sent tells of what is not on the disk,
                           ///< or too much waits to be written.
    bool closing = false;  ///< As soon as everything is sent.
    connection_faults faults;
  };

  /// How many sessions, and how many silent connections, end before others are served: with a connection to close each
  /// takes some 20 us, and ten thousand may be over in the same moment.
  static constexpr std::size_t most_ends_at_once = 64;

  void tick(std::size_t most);
  void accept();
  void accepted(std::unique_ptr<wire::stream> bytes, wire::endpoint from);
  void wait_to_read(link& on);
  void readable(connection_id id);
  void read_bulky();
  void read(link& on);
  void writable(connection_id id);
  void go_on_later(connection_id id);
  void take_input(link& on, std::string_view received);
  void bound_input();
  std::size_t consume(link& on, std::string_view input);
  /// @return true where the connection's first bytes are a four-letter word (and are answered).
  bool take_word(link& on, std::string_view input);
  void send(link& on);
  void left(link& on);
  void hold(link& on);
  bool take_output(link& on);
  void wake_delayed(time_point now);
  [[nodiscard]] std::size_t unsent(const link& on);
  void drop(connection_id id);
  void drop_silent(time_point now, std::size_t most);
  void arm();

  processor& server_;
  scheduler& time_;
  std::unique_ptr<wire::acceptor> acceptor_;
  listener_options options_;
  word_list words_;
  std::int64_t (*wall_ms_)();
  server_facts facts_;
  std::unordered_map<connection_id, std::unique_ptr<link>> links_;
  std::map<std::string, std::size_t> per_address_;
  std::size_t input_bytes_ = 0;                                  ///< Of all links' `input`.
  std::deque<std::pair<time_point, connection_id>> handshakes_;  ///< By deadline: all have the same time-out.
  journal* log_;
  fault_gate faults_;
  std::multimap<time_point, connection_id> delayed_;  ///< Connections to look at then, because of a fault.
  duration step_{};                                   ///< How far the clocks were moved.
  std::deque<connection_id> bulky_;                   ///< Those that are readable, in turn.
  std::vector<connection_id> ready_;
  std::vector<connection_id> held_;  ///< Those that wait for the journal.
  std::vector<connection_id> released_;
  std::vector<char> buffer_;  ///< For every read: idle connections have none of their own.
  scheduler::timer timer_ = 0;
  time_point timer_at_ = no_deadline;
};

}  // namespace zkr::backend
