#include "cli/warden.hpp"

#include <signal.h>

#include <algorithm>

namespace zkr::cli {
namespace {

template <typename... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

}  // namespace

std::vector<warden::action> warden::on(const event& what, time_point now) {
  actions out;
  const bool alive = phase_ == phase::running || phase_ == phase::ending;
  std::visit(overloaded{
                 [&](const start& e) {
                   if (phase_ == phase::idle) begin(e.valid_until, now, out);
                 },
                 [&](const renewed& e) {
                   if (phase_ != phase::running) return;
                   kill_at_ = std::max(kill_at_, e.valid_until - settings_.reserve);
                   out.emplace_back(set_timer{kill_at_});
                 },
                 [&](const at_risk&) {
                   if (phase_ == phase::running) warn(out);
                 },
                 [&](const lost&) {
                   if (alive) kill(out);
                   if (phase_ == phase::sweeping && !leftovers_killed_) sweep_on(now, out);
                 },
                 [&](const forward& e) {
                   if (alive) out.emplace_back(send_signal{e.signal});
                 },
                 [&](const spawn_failed&) {
                   if (phase_ != phase::idle) finish(out);
                 },
                 [&](const command_ended& e) {
                   if (alive || phase_ == phase::killed) sweep(e, now, out);
                 },
                 [&](const group_empty&) {
                   if (phase_ == phase::sweeping) finish(out);
                 },
                 [&](const timer&) {
                   if (alive && now >= kill_at_)
                     kill(out);
                   else if (phase_ == phase::sweeping && now >= kill_at_)
                     sweep_on(now, out);
                 },
             },
             what);
  return out;
}

void warden::begin(time_point valid_until, time_point now, actions& out) {
  ended_by_us_ = false;
  leftovers_killed_ = false;
  wait_status_.reset();
  kill_at_ = valid_until - settings_.reserve;
  if (now >= kill_at_) {  // this process was stopped since the grant was given: do not even begin
    ended_by_us_ = true;
    finish(out);
    return;
  }
  phase_ = phase::running;
  out.emplace_back(spawn{});
  out.emplace_back(set_timer{kill_at_});
}

void warden::warn(actions& out) {
  phase_ = phase::ending;
  ended_by_us_ = true;
  out.emplace_back(send_signal{SIGTERM});
  out.emplace_back(send_signal{SIGCONT});  // a stopped process cannot tidy up
}

void warden::kill(actions& out) {
  phase_ = phase::killed;
  ended_by_us_ = true;
  out.emplace_back(send_signal{SIGKILL});
}

void warden::sweep(const command_ended& end, time_point now, actions& out) {
  const bool kill_at_once = phase_ == phase::killed;
  wait_status_ = end.wait_status;
  if (!end.leftovers) {
    finish(out);
    return;
  }
  phase_ = phase::sweeping;
  if (kill_at_once) {
    kill_at_ = now;
    sweep_on(now, out);
    return;
  }
  out.emplace_back(send_signal{SIGTERM});
  out.emplace_back(send_signal{SIGCONT});
  kill_at_ = std::min(kill_at_, now + settings_.leftover_grace);
  out.emplace_back(set_timer{kill_at_});
}

void warden::sweep_on(time_point now, actions& out) {
  if (leftovers_killed_) {
    if (now >= kill_at_) finish(out);
    return;
  }
  leftovers_killed_ = true;
  out.emplace_back(send_signal{SIGKILL});
  kill_at_ = now + settings_.give_up;
  out.emplace_back(set_timer{kill_at_});
}

void warden::finish(actions& out) {
  phase_ = phase::idle;
  out.emplace_back(set_timer{no_deadline});
  out.emplace_back(report{wait_status_, ended_by_us_});
}

}  // namespace zkr::cli
