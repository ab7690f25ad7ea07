#include "transport/c_transport.hpp"

#include <new>

#include "transport/c_session.hpp"

namespace zkr::transport {
namespace {

class c_transport final : public transport {
 public:
  explicit c_transport(std::shared_ptr<c_session> session) : session_(std::move(session)) {}

  ~c_transport() override {
    if (session_->is_own_process()) {
      session_->abandon();
    } else {
      // A lock inside may have been held by a thread that does not exist here.
      static_cast<void>(new (std::nothrow) std::shared_ptr<c_session>(std::move(session_)));
    }
  }

  [[nodiscard]] capabilities what_it_can() const noexcept override {
    capabilities all;
    all.rearms_watches = true;
    all.resends_auth = true;
    return all;
  }
  result<void> open() override { return session_->open(); }
  errc submit(std::uint64_t id, const wire::request& of, watch_mode watch) override {
    return session_->submit(id, of, watch);
  }
  result<void> set_servers(const std::string& hosts) override { return session_->set_servers(hosts); }
  void close(unique_function<void()> done) override {
    const auto session = session_;  // `done` may destroy this object
    session->close(std::move(done));
  }

 private:
  std::shared_ptr<c_session> session_;
};

}  // namespace

std::unique_ptr<transport> make_c_transport(const transport_options& options, sink& reports_to, scheduler& clock) {
  return make_c_transport_with(options, reports_to, clock, {});
}

std::unique_ptr<transport> make_c_transport_with(const transport_options& options, sink& reports_to, scheduler& clock,
                                                 resolver names) {
  return std::make_unique<c_transport>(std::make_shared<c_session>(options, reports_to, clock, std::move(names)));
}

}  // namespace zkr::transport
