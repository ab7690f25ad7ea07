#include "cli/guardian_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/guardian_messages.hpp"

namespace zkr::cli {
namespace {

/// Leftovers tell nobody when they end: their parents may be anybody. So they are looked at this often.
constexpr int sweep_interval_ms = 10;

class guard_loop {
 public:
  guard_loop(descriptor socket, const std::vector<std::string>& command, const inherited_signals& for_command)
      : socket_(std::move(socket)), command_(command), for_command_(for_command) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);  // signals for the tool are the tool's to forward
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    child_fd_ = descriptor(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    timer_fd_ = descriptor(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    prctl(PR_SET_NAME, "zkr-guardian");
    prctl(PR_SET_CHILD_SUBREAPER, 1);  // leftovers become our children: nobody else is sure to collect them
    setpgid(0, 0);                     // Ctrl-Z stops the tool, not us
  }

  void run() {
    while (!orphaned_ || warden_.busy()) {
      pollfd polled[] = {
          {timer_fd_.get(), POLLIN, 0}, {child_fd_.get(), POLLIN, 0}, {orphaned_ ? -1 : socket_.get(), POLLIN, 0}};
      if (poll(polled, 3, warden_.sweeping() ? sweep_interval_ms : -1) < 0 && errno != EINTR) break;
      if (polled[0].revents != 0) on_timer();
      // Packets before children: the tool says why before it kills the group itself. (So the socket is polled last.)
      while (polled[2].revents != 0 && on_packet()) {
      }
      if (polled[1].revents != 0) on_children();
      if (warden_.sweeping() && !group_exists()) feed(warden::group_empty{});
    }
  }

 private:
  void feed(const warden::event& what) {
    for (const auto& action : warden_.on(what, boot_clock::now())) {
      if (std::holds_alternative<warden::spawn>(action)) {
        spawn();
      } else if (const auto* signal = std::get_if<warden::send_signal>(&action)) {
        if (group_ > 0) ::kill(-group_, signal->signal);
      } else if (const auto* timer = std::get_if<warden::set_timer>(&action)) {
        set_timer(timer->at);
      } else if (const auto* end = std::get_if<warden::report>(&action)) {
        from_guardian packet{};
        packet.what = from_guardian::kind::ended;
        packet.pid = group_;
        packet.has_status = end->wait_status.has_value();
        packet.wait_status = end->wait_status.value_or(0);
        packet.ended_by_us = end->ended_by_us;
        group_ = 0;
        send_packet(socket_.get(), &packet, sizeof packet);
      }
    }
  }

  /// @return false where there was none, or there will be none any more.
  bool on_packet() {
    const auto packet = receive_packet(socket_.get());
    if (!packet) return false;
    to_guardian head{};
    if (packet->size() < sizeof head) {  // the tool is gone
      orphaned_ = true;
      feed(warden::lost{});
      return false;
    }
    std::memcpy(&head, packet->data(), sizeof head);
    switch (head.what) {
      case to_guardian::kind::run:
        if (warden_.busy()) break;
        warden_ = warden(head.with);
        added_.assign(*packet, sizeof head, std::string::npos);
        feed(warden::start{head.valid_until});
        break;
      case to_guardian::kind::renewed: feed(warden::renewed{head.valid_until}); break;
      case to_guardian::kind::at_risk: feed(warden::at_risk{}); break;
      case to_guardian::kind::lost: feed(warden::lost{}); break;
      case to_guardian::kind::forward: feed(warden::forward{head.signal}); break;
    }
    return true;
  }

  void on_timer() {
    std::uint64_t expirations = 0;
    [[maybe_unused]] const auto bytes = ::read(timer_fd_.get(), &expirations, sizeof expirations);
    feed(warden::timer{});
  }

  void on_children() {
    signalfd_siginfo info{};
    while (::read(child_fd_.get(), &info, sizeof info) > 0) {
    }
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == group_) command_status_ = status;
    }
    // After all others were collected: a zombie still counts as a member of its group.
    if (command_status_) feed(warden::command_ended{*std::exchange(command_status_, std::nullopt), group_exists()});
  }

  [[nodiscard]] bool group_exists() const { return group_ > 0 && (::kill(-group_, 0) == 0 || errno == EPERM); }

  void set_timer(time_point at) const {
    itimerspec when{};
    if (at != no_deadline) {
      const auto since = std::max(at.time_since_epoch(), duration(1));  // 0 would mean: never
      when.it_value.tv_sec = since.count() / 1'000'000'000;
      when.it_value.tv_nsec = since.count() % 1'000'000'000;
    }
    timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
  }

  void spawn() {
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) become_command(self);
    if (pid < 0) {
      complain("cannot start a process", errno);
      feed(warden::spawn_failed{});
      return;
    }
    setpgid(pid, pid);  // here and there: whoever comes first
    group_ = pid;
    from_guardian packet{};
    packet.what = from_guardian::kind::started;
    packet.pid = pid;
    send_packet(socket_.get(), &packet, sizeof packet);
  }

  /// In the child. Whatever fails here looks like a command that failed, with the shell's exit statuses.
  [[noreturn]] void become_command(pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(exit_killed);  // it died before the line above
    // A background process that reads from its terminal would be stopped, for ever and without a word.
    if (isatty(STDIN_FILENO) == 1) {
      const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
      dup2(null, STDIN_FILENO);
    }
    std::vector<char*> arguments;
    for (const auto& argument : command_) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    for (std::size_t at = 0; at < added_.size(); at += std::strlen(&added_[at]) + 1) putenv(&added_[at]);
    for_command_.restore();
    execvp(arguments[0], arguments.data());
    const int problem = errno;
    complain(command_[0].c_str(), problem);
    _exit(problem == ENOENT ? exit_not_found : exit_not_run);
  }

  static void complain(const char* what, int problem) {
    std::string line = "zkr: cannot run the command: ";
    line.append(what).append(": ").append(strerrordesc_np(problem)).append("\n");
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  }

  static constexpr int exit_killed = 137;
  static constexpr int exit_not_run = 126;
  static constexpr int exit_not_found = 127;

  descriptor socket_;
  descriptor child_fd_;
  descriptor timer_fd_;
  const std::vector<std::string>& command_;
  const inherited_signals& for_command_;
  warden warden_{warden::settings{}};
  std::string added_;                  // environment: "NAME=VALUE" and a zero byte each
  pid_t group_ = 0;                    // the command's process and group; 0: none
  std::optional<int> command_status_;  // collected, not handled yet
  bool orphaned_ = false;
};

}  // namespace

void guard(descriptor socket, const std::vector<std::string>& command, const inherited_signals& for_command) {
  guard_loop(std::move(socket), command, for_command).run();
  _exit(0);
}

}  // namespace zkr::cli
