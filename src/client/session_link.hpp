#pragma once

#include <memory>

#include "client/client_core.hpp"

namespace zkr::detail {

/// A session's transport and the way back to its client: the sink that outlives both, so that the reports of a session
/// that the client has given up find nobody.
class session_link final : public transport::sink, public std::enable_shared_from_this<session_link> {
 public:
  session_link(std::shared_ptr<client_core> core, const transport::factory& make,
               const transport::transport_options& options, scheduler& clock)
      : core_(std::move(core)), transport_(make(options, *this, clock)) {}

  [[nodiscard]] transport::transport& wire() const noexcept { return *transport_; }

  /// Ends the session on the reaper thread; then `done`.
  void retire(executor& reaper, unique_function<void()> done);

  void on_session_event(const transport::session_event& event) override { core_->on_session_event(*this, event); }
  void on_watch_event(const transport::watch_event& event) override { core_->on_watch_event(*this, event); }
  void on_reply(std::uint64_t id, errc code, const wire::reply& body, const transport::reply_info& info) override {
    core_->on_reply(*this, id, code, body, info);
  }
  void on_log(int level, std::string_view line) override;

 private:
  const std::shared_ptr<client_core> core_;
  const std::unique_ptr<transport::transport> transport_;
};

}  // namespace zkr::detail
