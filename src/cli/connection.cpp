#include "cli/connection.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/exit_status.hpp"
#include "cli/text.hpp"

namespace zkr::cli {
namespace {

/// Prints what the library says of itself.
class verbose_observer final : public observer {
 public:
  void on_log(log_level level, std::string_view line) override {
    if (level <= log_level::info) print(line);
  }
  void on_session(const session_info& session) override {
    print(fmt::format("session {:#x} {}", static_cast<std::uint64_t>(session.id), to_string(session.state)));
  }
  void on_background_error(const error& problem) override { print(problem.message()); }

 private:
  static void print(std::string_view line) { fmt::print(stderr, "zkr: {}\n", printable(line)); }
};

}  // namespace

client_options make_client_options(const connection_settings& with) {
  client_options options;
  options.hosts = with.servers;
  options.session_timeout = with.session_timeout;
  if (with.timeout && *with.timeout > duration::zero()) options.operation_timeout = *with.timeout;
  if (with.verbose) options.observer = std::make_shared<verbose_observer>();
  return options;
}

std::optional<client> connect_or_complain(const connection_settings& with) {
  auto connected = client::connect(make_client_options(with), {.timeout = with.timeout.value_or(default_timeout)});
  if (!connected) {
    complain_about_connecting(connected.error(), with);
    return std::nullopt;
  }
  return std::move(*connected);
}

int complain(const error& why) {
  fmt::print(stderr, "zkr: {}\n", printable(why.message()));
  return exit_status::failure;
}

int complain_about_connecting(const error& why, const connection_settings& with) {
  switch (why.code()) {
    case errc::timed_out:
      fmt::print(stderr, "zkr: no server answered at {} within {}; is one running there? (--servers, ZKR_SERVERS)\n",
                 printable(with.servers), format_duration(with.timeout.value_or(default_timeout)));
      return exit_status::failure;
    case errc::no_chroot:
    case errc::resolve_failed:
    case errc::invalid_argument:
      fmt::print(stderr, "zkr: cannot use {}: {} (--servers, ZKR_SERVERS)\n", printable(with.servers),
                 printable(why.message()));
      return exit_status::failure;
    default: return complain(why);
  }
}

background_connect::background_connect(client_options options, call_options wait, const wakeup& when_done)
    : thread_([this, options = std::move(options), wait = std::move(wait), &when_done]() mutable {
        auto connected = client::connect(std::move(options), std::move(wait));
        {
          const std::scoped_lock lock(mutex_);
          done_.emplace(std::move(connected));
        }
        when_done.set();
      }) {}

std::optional<result<client>> background_connect::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(done_, std::nullopt);
}

}  // namespace zkr::cli
