#include "testing/exploration/contender.hpp"

#include <algorithm>
#include <cstdio>

namespace zkr::testing {

using kind = history_entry::kind;

/// Hears of the session.
class contender::listener final : public zkr::observer {
 public:
  explicit listener(contender& of) : of_(of) {}
  void on_session(const session_info& session) override {
    if (session.state == of_.session_) return;
    of_.session_ = session.state;
    of_.into_.note(kind::session, of_.number_, static_cast<std::int64_t>(session.state));
  }

 private:
  contender& of_;
};

contender::contender(const exploration_subject& recipe, const exploration_schedule& schedule, simulation& world,
                     recorder& into, std::size_t number)
    : recipe_(recipe),
      schedule_(schedule),
      into_(into),
      number_(number),
      process_(world.add_process()),
      listener_(std::make_shared<listener>(*this)) {
  const auto rate = clock_rate(schedule, number);
  if (rate != 1.0) process_.set_clock_rate(rate);
  (void)open();
}

contender::state contender::now() const noexcept {
  if (dead_) return state::dead;
  if (closed_) return state::closed;
  if (acquiring_) return state::acquiring;
  if (!grant_.valid()) return state::idle;
  return ended_ ? state::stale : state::holding;
}

std::size_t contender::begin() {
  tasks_.push_back(into_.judge().began());
  return tasks_.back();
}

bool contender::open() {
  if (dead_ || !closed_) return false;
  client_ = process_.connect({.session_timeout = schedule_.session_timeout, .observer = listener_}).value();
  closed_ = false;
  return true;
}

void contender::observe() {
  observed_.reset();
  if (!recipe_.observe || dead_ || closed_) return;
  observer_ = recipe_.observe(client_, [this](std::int64_t token) {
    observed_ = token;
    into_.note(kind::observed, number_, 0, token);
  });
}

bool contender::acquire(duration timeout) {
  if (dead_ || closed_ || acquiring_ || pauses_ > 0) return false;
  (void)release();
  stop_ = {};
  call_options wait{.stop = stop_.get_token()};
  if (timeout > duration::zero()) wait.timeout = timeout;
  due_ = no_deadline;
  if (timeout > duration::zero()) {
    const auto stretched = static_cast<double>(timeout.count()) / std::min(1.0, clock_rate(schedule_, number_));
    due_ = into_.now() + duration(static_cast<std::int64_t>(stretched));
  }
  const auto task = begin();
  acquiring_ = task;
  into_.note(kind::began, number_, static_cast<std::int64_t>(task));
  recipe_.acquire(
      client_, std::string(1, static_cast<char>('a' + number_)),
      [this, task](result<grant> outcome) { answered(task, std::move(outcome)); }, std::move(wait));
  return true;
}

void contender::answered(std::size_t task, result<grant> outcome) {
  auto& judge = into_.judge();
  judge.answered(task);
  if (acquiring_ == task) {
    acquiring_.reset();
    due_ = no_deadline;
  }
  if (!outcome) {
    into_.note(kind::refused, number_, static_cast<std::int64_t>(task),
               static_cast<std::int64_t>(outcome.error().code()));
    return;
  }
  grant_ = *std::move(outcome);
  ++into_.grants;
  ended_ = !grant_.held();
  into_.note(kind::acquired, number_, static_cast<std::int64_t>(task), grant_.fencing_token());
  judge.given(task, grant_.fencing_token(), !ended_);
  if (ended_) into_.note(kind::ended, number_, 0, grant_.fencing_token());
}

bool contender::withdraw() {
  if (dead_ || !acquiring_ || pauses_ > 0) return false;
  stop_.request_stop();
  due_ = std::min(due_, into_.now());
  return true;
}

bool contender::release() {
  if (dead_ || !grant_.valid() || pauses_ > 0) return false;
  into_.note(kind::released, number_, 0, grant_.fencing_token());
  const auto task = begin();
  grant_.async_release([this, task](const result<void>&) { into_.judge().answered(task); });
  grant_ = {};
  return true;
}

bool contender::write() {
  if (dead_ || closed_ || !grant_.valid() || pauses_ > 0) return false;
  if (grant_.held()) into_.judge().used(grant_.fencing_token());
  // The name says whose it is, and the number that the server gives it when it landed.
  std::array<char, 32> stem{};
  (void)std::snprintf(stem.data(), stem.size(), "/w/%016llx-", static_cast<unsigned long long>(grant_.fencing_token()));
  transaction guarded;
  guarded.only_while(grant_).create(stem.data(), {}, {.mode = create_mode::persistent_sequential});
  const auto task = begin();
  into_.note(kind::wrote, number_, static_cast<std::int64_t>(task), grant_.fencing_token());
  client_.async_commit(std::move(guarded), [this, task](const result<std::vector<transaction_result>>& done) {
    into_.judge().answered(task);
    into_.note(kind::write_done, number_, static_cast<std::int64_t>(task),
               done ? 0 : static_cast<std::int64_t>(done.error().code()));
  });
  return true;
}

bool contender::close() {
  if (dead_ || closed_ || pauses_ > 0) return false;
  closed_ = true;
  client_.close();
  if (acquiring_) due_ = std::min(due_, into_.now());
  return true;
}

bool contender::crash() {
  if (dead_) return false;
  dead_ = true;
  process_.crash();
  for (const auto one : tasks_) into_.judge().forgive(one);
  due_ = no_deadline;
  return true;
}

bool contender::pause() {
  if (dead_) return false;
  if (pauses_++ == 0) process_.pause();
  return true;
}

bool contender::resume() {
  if (dead_ || pauses_ == 0) return false;
  if (--pauses_ > 0) return true;
  if (due_ != no_deadline) due_ = std::max(due_, into_.now());
  process_.resume();
  return true;
}

bool contender::look() {
  if (dead_ || !grant_.valid()) return false;
  const bool held = grant_.held();
  if (ended_) {
    into_.judge().ended_grant(grant_.fencing_token(), held);
  } else if (!held) {
    ended_ = true;
    into_.note(kind::ended, number_, 0, grant_.fencing_token());
  }
  return held;
}

}  // namespace zkr::testing
