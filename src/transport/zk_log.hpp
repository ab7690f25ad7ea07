#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zkrecipes/scheduler.hpp"

// The C library's log lines. They come on whichever thread logs, an application's own included, mostly with locks of
// the library held, and without a word on whose handle they are about. So each handle gets a callback function of its
// own, and that function does nothing but put the line into a bounded queue and post its delivery.
namespace zkr::transport {

struct log_line {
  int level = 6;  ///< As in syslog: 3 error, 4 warning, 6 info, 7 debug.
  std::string text;
};

/// Takes "2026-01-02 03:04:05,678:99(0x7f01):ZOO_WARN@do_io@380: text" apart; any other line is a text of level 6.
[[nodiscard]] log_line parse_log_line(std::string_view line);

/// Lines on their way to a sink. A disconnected handle can log 15,000 lines a second: beyond a burst, few a second
/// pass, and the number of those that were dropped is told.
class log_queue {
 public:
  static constexpr std::size_t burst = 20;
  static constexpr duration refill = std::chrono::milliseconds(200);

  explicit log_queue(scheduler& clock) : clock_(clock) {}

  /// What to do when the first line has come since take(). Posts, and nothing else: the library's locks may be held.
  void on_first(unique_function<void()> notify);
  /// Any thread, whatever locks it holds.
  void push(std::string_view line);
  void push(log_line line);
  /// What has come since the last call, and a line on what was dropped meanwhile.
  [[nodiscard]] std::vector<log_line> take();

 private:
  scheduler& clock_;
  std::mutex mutex_;
  unique_function<void()> notify_;  // guarded by mutex_, as all that follows
  std::vector<log_line> waiting_;
  std::size_t tokens_ = burst;
  time_point refilled_{};
  std::uint64_t dropped_ = 0;
};

/// A callback function for one handle. There are 128 of them in a process; the lines of further handles are lost.
class log_channel {
 public:
  using function = void (*)(const char* line);

  log_channel() = default;
  explicit log_channel(std::shared_ptr<log_queue> to);
  ~log_channel();
  log_channel(log_channel&& other) noexcept;
  log_channel& operator=(log_channel&& other) noexcept;

  [[nodiscard]] function callback() const noexcept { return callback_; }

 private:
  std::optional<std::size_t> number_;
  function callback_ = [](const char*) {};
};

}  // namespace zkr::transport
