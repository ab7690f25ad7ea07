#include "cli/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace zkr::cli {

inherited_signals inherited_signals::take_over() noexcept {
  inherited_signals found;
  pthread_sigmask(SIG_SETMASK, nullptr, &found.mask_);
  struct sigaction ours {};
  ours.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ours, &found.pipe_);
  ours.sa_handler = SIG_DFL;  // inherited as ignored, waitpid() would find no child
  sigaction(SIGCHLD, &ours, &found.child_);
  return found;
}

void inherited_signals::restore() const noexcept {
  sigaction(SIGPIPE, &pipe_, nullptr);
  sigaction(SIGCHLD, &child_, nullptr);
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

signal_source::signal_source(std::initializer_list<int> wanted) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : wanted) {
    // Linux delivers a blocked signal to a signalfd even where it is ignored.
    struct sigaction now {};
    sigaction(number, nullptr, &now);
    if (now.sa_handler != SIG_IGN) sigaddset(&set, number);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<int> signal_source::read() noexcept {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace zkr::cli
