#include "zkrecipes/client.hpp"

#include "client/access.hpp"
#include "client/call_context.hpp"
#include "transport/c_transport.hpp"
#include "zkrecipes/path.hpp"

namespace zkr {
namespace {

/// Creates a chroot's nodes over a client of its own that has no chroot.
result<void> create_chroot(client_options options, const transport::factory& make_transport, const std::string& chroot,
                           const call_options& wait) {
  options.hosts.resize(options.hosts.find('/'));
  options.chroot = missing_chroot::fail;
  options.observer = nullptr;
  options.resume.reset();  // or its end would be that session's
  auto plain = client_access::connect(std::move(options), make_transport, wait);
  if (!plain) return plain.error();
  for (std::size_t end = chroot.find('/', 1);; end = chroot.find('/', end + 1)) {
    auto made = plain->create(chroot.substr(0, end), {}, {}, wait);
    if (!made && made.error().code() != errc::node_exists) return made.error();
    if (end == std::string::npos) return {};
  }
}

}  // namespace

result<client> client_access::connect(client_options options, const transport::factory& make_transport,
                                      const call_options& wait) {
  const bool waits = options.start == start_mode::wait;
  if (waits && detail::no_blocking::here()) return error(errc::would_deadlock, "connect");
  const auto asked = options;
  auto core = detail::client_core::create(std::move(options), make_transport);
  if (!core) return core.error();
  if (waits && !(*core)->runtime().may_block()) {
    return error(errc::would_deadlock, "connect", {}, "start_mode::wait in a simulation");
  }
  auto made = make(*core);
  // Names may be known later, too.
  if (auto started = (*core)->start(); !started && (waits || started.error().code() != errc::resolve_failed)) {
    return started.error();
  }
  if (!waits) return made;

  // The first request waits for the session, is answered by it, and shows whether the chroot is there.
  auto& clock = (*core)->runtime().clock();
  const auto deadline = deadline_after(clock.now(), wait.timeout.value_or(asked.operation_timeout));
  auto root = made.exists("/", {}, wait);
  if (!root && root.error().code() == errc::session_lost && asked.resume &&
      asked.on_session_loss == session_loss::reopen) {
    root = made.exists("/", {}, {.timeout = deadline - clock.now(), .stop = wait.stop});  // the saved session is over
  }
  if (root) return made;
  auto why = root.error();
  const auto& chroot = (*core)->chroot();
  if (why.code() == errc::no_auth) return made;  // from 3.9.2 on exists needs READ: there is a root
  if (why.code() == errc::no_node && !chroot.empty()) {
    if (asked.chroot == missing_chroot::fail) return error(errc::no_chroot, "connect", chroot);
    if (auto created = create_chroot(asked, make_transport, chroot, wait); !created) return created.error();
    return made;
  }
  std::string detail;
  if (why.code() == errc::timed_out) detail = "no server of " + asked.hosts + " has answered";
  return error(why.code(), "connect", {}, std::move(detail));
}

result<client> client::connect(client_options options, call_options wait) {
  return client_access::connect(std::move(options), transport::make_c_transport, wait);
}

client& client::operator=(client&& other) noexcept {
  if (this != &other) {
    close();
    operations::operator=(std::move(other));
  }
  return *this;
}

result<void> client::set_servers(const std::string& hosts) {
  if (!core_) return error(errc::closed, "set_servers");
  return core_->set_servers(hosts);
}

result<session_ticket> client::ticket() const {
  if (!core_) return error(errc::closed, "ticket");
  return core_->ticket();
}

void client::adopt_session() noexcept {
  if (core_) core_->adopt_session();
}

client::~client() { close(); }

void client::close() noexcept {
  if (core_) core_->close();
}

}  // namespace zkr
