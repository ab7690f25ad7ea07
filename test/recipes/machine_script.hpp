#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recipes/actions_text.hpp"
#include "zkrecipes/recipes/machine.hpp"

namespace zkr::recipes::testing {

/// The actions of one event, as lines.
using lines = std::vector<std::string>;

/// Tells a machine one event after the other and shows what it answers: a row of a table is a line of a test.
class machine_script {
 public:
  static constexpr std::int64_t session = 0x51;

  explicit machine_script(std::unique_ptr<machine> algorithm) { restart(std::move(algorithm)); }
  machine_script(const machine_script&) = delete;
  machine_script& operator=(const machine_script&) = delete;

  /// From the beginning, with another machine.
  void restart(std::unique_ptr<machine> algorithm) {
    machine_ = std::move(algorithm);
    uuids_ = 0;
    with_ = {.session_id = session, .make_uuid = &make_uuid_};
    asked_.clear();
  }

  /// Tells an event; requests are remembered under their text.
  lines tell(const event& what) {
    actions out;
    machine_->on(what, with_, out);
    lines said;
    for (const auto& it : out) {
      said.push_back(to_text(it));
      if (const auto* asked = std::get_if<request>(&it)) asked_.emplace_back(said.back(), asked->tag);
      if (const auto* timer = std::get_if<start_timer>(&it)) asked_.emplace_back(said.back(), timer->tag);
    }
    return said;
  }

  /// Answers the last request whose text begins so.
  lines answer(std::string_view request_text, result<reply_value> value) {
    return tell(reply{tag_of(request_text), std::move(value)});
  }
  lines answer(std::string_view request_text, errc code) { return answer(request_text, error(code)); }
  /// Answers it by connection_loss; a write's outcome is unknown.
  lines lose(std::string_view request_text) {
    return answer(request_text, error(errc::connection_loss).set_sent(outcome::unknown));
  }
  lines fire(std::string_view request_text, watch_event_type type) {
    return tell(watch_fired{tag_of(request_text), type});
  }
  lines elapse() { return tell(timer_fired{tag_of("timer")}); }

  /// A new session under another id.
  lines begin_session(std::int64_t id) {
    with_.session_id = id;
    return tell(session_begun{});
  }

 private:
  [[nodiscard]] tag tag_of(std::string_view text) const {
    for (auto it = asked_.rbegin(); it != asked_.rend(); ++it) {
      if (it->first.starts_with(text)) return it->second;
    }
    ADD_FAILURE() << "the machine has not asked for: " << text;
    return 0;
  }

  std::unique_ptr<machine> machine_;
  int uuids_ = 0;
  unique_function<std::string()> make_uuid_ = [this] { return "u" + std::to_string(++uuids_); };
  context with_;
  std::vector<std::pair<std::string, tag>> asked_;
};

inline stat_t stat_of(std::int64_t owner, std::int64_t czxid, std::int32_t version = 0, std::int64_t mzxid = 0) {
  stat_t stat;
  stat.ephemeral_owner = owner;
  stat.czxid = czxid;
  stat.mzxid = mzxid == 0 ? czxid : mzxid;
  stat.version = version;
  return stat;
}

}  // namespace zkr::recipes::testing
