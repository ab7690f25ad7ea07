#pragma once

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "zkrecipes/clock.hpp"

namespace zkr::testing {

/// A program of the tests as a process of its own, which takes lines and prints lines. Ends with this object.
class child_process {
 public:
  explicit child_process(std::vector<std::string> words);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  void say(const std::string& line);
  /// What stands behind `word` and a space in the first line that begins so; waits for it. Unset: there is none in time.
  std::optional<std::string> heard(const std::string& word, duration limit = std::chrono::seconds(30));
  /// All of those that have come until now.
  std::vector<std::string> all_heard(const std::string& word);
  void signal(int number) const;
  /// Waits until it has been stopped by a signal.
  bool wait_until_stopped(duration limit = std::chrono::seconds(30)) const;

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::mutex mutex_;
  std::vector<std::string> lines_;  // guarded by mutex_
  std::thread reader_;
};

}  // namespace zkr::testing
