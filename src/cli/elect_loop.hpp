#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "cli/announcer.hpp"
#include "cli/elect.hpp"
#include "cli/guardian.hpp"

namespace zkr::cli {

/// One run of `zkr elect` or `zkr lock`: connects, competes, holds what it won, and looks after the command meanwhile.
///
/// One thread does it all; whatever happens elsewhere (signals, the library's threads, the guardian) only wakes it, and it
/// then looks at how things are. So nothing depends on the order in which news arrive.
class elect_loop {
 public:
  /// `guards` runs the command; nullptr where there is none. It outlives this object.
  elect_loop(const connection_settings& with, const elect_settings& what, guardian* guards);

  /// @return the tool's exit status.
  int run();

 private:
  /// What the campaign's handler leaves for us; it may come when we are gone.
  struct mail {
    wakeup wake;
    std::mutex mutex;
    std::optional<result<grant>> candidacy;  // guarded by mutex
    time_point at;                           // guarded by mutex
  };
  using wake_callback = std::stop_callback<std::function<void()>>;
  /// A grant that we hold or held.
  struct term {
    term(zkr::grant held, const std::function<void()>& wake)
        : grant(std::move(held)), at_risk(grant.at_risk(), wake), lost(grant.lost(), wake) {}
    zkr::grant grant;
    wake_callback at_risk;
    wake_callback lost;
    time_point announced{};  ///< Until when, as was announced.
    bool warned = false;
    bool over = false;
  };

  void wait();
  void take_signals();
  void take_connection();
  void take_candidacy();
  void take_reports();
  void look_after_term();

  void new_deadline();
  void campaign();
  void begin_term(grant granted, time_point at);
  void close_term();
  void after_loss();
  void on_signal(int number);
  void on_command_end(const guardian::report& end);
  void stop(int signal);
  [[nodiscard]] bool leading() const { return term_ && !term_->over; }
  [[nodiscard]] warden::settings warden_settings() const;
  int not_elected(const error& why) const;

  const connection_settings& with_;
  const elect_settings& what_;
  guardian* guards_;
  announcer says_;
  signal_source signals_;
  std::shared_ptr<mail> mail_;
  std::stop_source give_up_;
  client client_;
  std::optional<background_connect> connecting_;
  std::optional<term> term_;
  time_point candidacy_deadline_ = no_deadline;
  bool command_runs_ = false;
  bool continued_ = false;  ///< SIGCONT came.
  bool stopping_ = false;
  std::optional<int> status_;
};

}  // namespace zkr::cli
