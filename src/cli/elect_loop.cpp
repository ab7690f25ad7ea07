#include "cli/elect_loop.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

#include "cli/exit_status.hpp"
#include "cli/text.hpp"

namespace zkr::cli {
namespace {

using namespace std::chrono_literals;

/// Longest wait for the server's word on a resignation. Without it the session's end removes the node.
constexpr duration resign_timeout = 5s;

announcer::style choose_style(const connection_settings& with, const elect_settings& what) {
  if (what.events) return announcer::style::events;
  // With a command, standard output is the command's.
  return what.command.empty() || with.verbose ? announcer::style::people : announcer::style::silent;
}

int exit_status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : exit_status::signalled + WTERMSIG(wait_status);
}

}  // namespace

elect_loop::elect_loop(const connection_settings& with, const elect_settings& what, guardian* guards)
    : with_(with),
      what_(what),
      guards_(guards),
      says_(choose_style(with, what), what.command.empty() ? announcer::output::standard : announcer::output::error,
            what.contest, what.path, what.id),
      signals_({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT}),
      mail_(std::make_shared<mail>()) {}

int elect_loop::run() {
  new_deadline();
  auto options = make_client_options(with_);
  options.operation_timeout = default_timeout;  // --timeout is the candidacy's
  options.warn_before = what_.warn_before;
  connecting_.emplace(std::move(options),
                      call_options{.timeout = candidacy_deadline_ - boot_clock::now(), .stop = give_up_.get_token()},
                      mail_->wake);
  while (!status_) {
    wait();
    take_signals();
    take_connection();
    take_candidacy();
    take_reports();
    look_after_term();
    if (!says_.works() && !stopping_) {
      fmt::print(stderr, "zkr: standard output is closed: stopping\n");
      stop(SIGTERM);
    }
  }
  give_up_.request_stop();
  connecting_.reset();
  client_.close();
  return says_.works() ? *status_ : exit_status::failure;
}

// ---- what happens ----

void elect_loop::wait() {
  // Nobody tells us of renewals: look at the lease often enough to announce each, and in good time.
  int timeout_ms = -1;
  if (leading()) {
    const auto pace = std::clamp<duration>(client_.session().timeout / 40, 10ms, 100ms);
    timeout_ms = static_cast<int>(pace / 1ms);
  }
  pollfd polled[] = {
      {signals_.fd(), POLLIN, 0}, {mail_->wake.fd(), POLLIN, 0}, {guards_ != nullptr ? guards_->fd() : -1, POLLIN, 0}};
  poll(polled, 3, timeout_ms);
  mail_->wake.clear();
}

void elect_loop::take_signals() {
  while (const auto number = signals_.read()) on_signal(*number);
}

void elect_loop::on_signal(int number) {
  switch (number) {
    case SIGTSTP:
      // The command stops with us. Its guardian does not: it ends the command if this lasts longer than the lease.
      if (command_runs_) guards_->forward(SIGSTOP);
      raise(SIGSTOP);
      break;
    case SIGCONT: continued_ = true; break;
    case SIGUSR1:
    case SIGUSR2:
      if (command_runs_) guards_->forward(number);
      break;
    default: stop(number);
  }
}

void elect_loop::stop(int signal) {
  stopping_ = true;
  give_up_.request_stop();  // ends a candidacy; its end sets the status
  if (command_runs_) {
    guards_->forward(signal);
  } else if (leading()) {
    close_term();
    status_ = exit_status::ok;
  }
}

void elect_loop::take_connection() {
  if (!connecting_) return;
  auto connected = connecting_->take();
  if (!connected) return;
  connecting_.reset();
  if (!*connected) {
    const auto& why = connected->error();
    if (why.code() == errc::timed_out) complain_about_connecting(why, with_);
    status_ = why.code() == errc::timed_out ? exit_status::not_elected : not_elected(why);
    return;
  }
  client_ = std::move(**connected);
  campaign();
}

void elect_loop::campaign() {
  says_.waiting();
  what_.contest.compete(client_,
                        [to = mail_](result<grant> end) {
                          {
                            const std::scoped_lock lock(to->mutex);
                            to->candidacy.emplace(std::move(end));
                            to->at = boot_clock::now();
                          }
                          to->wake.set();
                        },
                        {.timeout = candidacy_deadline_ - boot_clock::now(), .stop = give_up_.get_token()});
}

void elect_loop::take_candidacy() {
  std::optional<result<grant>> end;
  time_point at;
  {
    const std::scoped_lock lock(mail_->mutex);
    end = std::exchange(mail_->candidacy, std::nullopt);
    at = mail_->at;
  }
  if (!end) return;
  if (!*end) {
    status_ = not_elected(end->error());
  } else if (stopping_) {
    (void)(*end)->release({.timeout = resign_timeout});
    status_ = exit_status::not_elected;
  } else {
    begin_term(std::move(**end), at);
  }
}

void elect_loop::begin_term(grant granted, time_point at) {
  term_.emplace(std::move(granted), [to = mail_] { to->wake.set(); });
  const auto& grant = term_->grant;
  term_->announced = grant.valid_until();
  if (!grant.held()) {  // it ended before we came to look
    term_.reset();
    campaign();
    return;
  }
  says_.granted(grant.fencing_token(), at, term_->announced);
  if (guards_ == nullptr) return;
  command_runs_ = true;
  guards_->run(term_->announced, warden_settings(),
               {{"ZKR_FENCING_TOKEN", fmt::to_string(grant.fencing_token())},
                {"ZKR_PATH", what_.path},
                {"ZKR_NODE", grant.path()},
                {"ZKR_ID", what_.id}});
}

void elect_loop::look_after_term() {
  const bool continued = std::exchange(continued_, false);
  if (!leading()) return;
  const auto& grant = term_->grant;
  const auto valid_until = grant.valid_until();  // before held(): what was read while it is held was true
  if (!grant.held() || grant.lost().stop_requested()) {
    close_term();
    after_loss();
    return;
  }
  if (valid_until > term_->announced) {
    term_->announced = valid_until;
    says_.renewed(grant.fencing_token(), boot_clock::now(), valid_until);
    if (command_runs_) guards_->renewed(valid_until);
  }
  if (!command_runs_) return;
  if (!term_->warned && grant.at_risk().stop_requested()) {
    term_->warned = true;
    guards_->at_risk();
  }
  if (continued) guards_->forward(SIGCONT);
}

/// Announces that the term is over, and gives the leadership back where we still have it.
void elect_loop::close_term() {
  auto& grant = term_->grant;
  const auto now = boot_clock::now();
  const bool ours = grant.held();
  term_->over = true;
  says_.ended(grant.fencing_token(), now,
              ours                     ? end_reason::resigned
              : now < term_->announced ? end_reason::lost
                                       : end_reason::expired);
  const auto resigned = grant.release({.timeout = resign_timeout});
  if (ours && !resigned) complain(resigned.error());
}

void elect_loop::after_loss() {
  if (command_runs_) {
    guards_->lost();  // goes on in on_command_end
    return;
  }
  term_.reset();
  if (what_.when_lost == after_loss_action::exit || stopping_) {
    fmt::print(stderr, "zkr: the {} of {} is lost\n", what_.contest.prize, what_.path);
    status_ = exit_status::leadership_lost;
    return;
  }
  new_deadline();
  campaign();
}

// ---- the command ----

void elect_loop::take_reports() {
  while (guards_ != nullptr && !status_) {
    const auto report = guards_->read();
    if (!report) return;
    switch (report->what) {
      case guardian::report::kind::started: break;
      case guardian::report::kind::ended: on_command_end(*report); break;
      case guardian::report::kind::vanished:
        command_runs_ = false;
        if (leading()) close_term();
        fmt::print(stderr, "zkr: the process that guards the command was killed, and the command with it\n");
        status_ = exit_status::failure;
        break;
    }
  }
}

void elect_loop::on_command_end(const guardian::report& end) {
  command_runs_ = false;
  if (leading()) close_term();
  term_.reset();
  if (!end.ended_by_us) {
    status_ = end.wait_status ? exit_status_of(*end.wait_status) : exit_status::cannot_run;
  } else if (what_.when_lost == after_loss_action::exit || stopping_) {
    fmt::print(stderr, "zkr: the {} of {} was lost or about to be: the command was ended\n", what_.contest.prize,
               what_.path);
    status_ = exit_status::leadership_lost;
  } else {
    new_deadline();
    campaign();
  }
}

warden::settings elect_loop::warden_settings() const {
  warden::settings settings;
  // TERM comes with at_risk, `warn` ahead of the end: three quarters of that are the command's, the rest is for KILL.
  const auto warn = what_.warn_before.value_or(client_.session().timeout / 10);
  settings.reserve = std::min(std::clamp<duration>(warn / 4, 50ms, 1s), warn / 2);
  return settings;
}

// ---- ends ----

void elect_loop::new_deadline() {
  candidacy_deadline_ = with_.timeout ? deadline_after(boot_clock::now(), *with_.timeout) : no_deadline;
}

int elect_loop::not_elected(const error& why) const {
  switch (why.code()) {
    case errc::cancelled: return exit_status::not_elected;
    case errc::timed_out:
      fmt::print(stderr, "zkr: {} {} within {}\n", what_.contest.not_won, what_.path,
                 format_duration(with_.timeout.value_or(0s)));
      return exit_status::not_elected;
    default: return complain_about_connecting(why, with_);
  }
}

}  // namespace zkr::cli
