#include "support/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "support/eventually.hpp"

namespace zkr::testing {

child_process::child_process(std::vector<std::string> words) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in[0], 0);
  posix_spawn_file_actions_adddup2(&files, out[1], 1);
  std::vector<char*> raw;
  for (auto& one : words) raw.push_back(one.data());
  raw.push_back(nullptr);
  const int problem = ::posix_spawn(&pid_, raw.front(), &files, nullptr, raw.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  ::close(in[0]);
  ::close(out[1]);
  in_ = in[1];
  out_ = out[0];
  if (problem != 0) pid_ = -1;
  reader_ = std::thread([this] {
    std::string line;
    char one = 0;
    while (::read(out_, &one, 1) == 1) {
      if (one != '\n') {
        line += one;
        continue;
      }
      const std::scoped_lock lock(mutex_);
      lines_.push_back(std::exchange(line, {}));
    }
  });
}

child_process::~child_process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(in_);
  reader_.join();
  ::close(out_);
}

void child_process::say(const std::string& line) {
  const auto text = line + '\n';
  if (::write(in_, text.data(), text.size()) < 0) std::perror("write to a child process");
}

std::vector<std::string> child_process::all_heard(const std::string& word) {
  std::vector<std::string> found;
  const std::scoped_lock lock(mutex_);
  for (const auto& line : lines_) {
    if (line.rfind(word + ' ', 0) == 0) found.push_back(line.substr(word.size() + 1));
  }
  return found;
}

std::optional<std::string> child_process::heard(const std::string& word, duration limit) {
  std::vector<std::string> found;
  eventually([&] { return !(found = all_heard(word)).empty(); }, limit);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

void child_process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool child_process::wait_until_stopped(duration limit) const {
  return eventually(
      [&] {
        int status = 0;
        return ::waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_ && WIFSTOPPED(status);
      },
      limit);
}

}  // namespace zkr::testing
